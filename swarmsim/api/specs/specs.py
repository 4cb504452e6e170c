"""From the service spec that a client sends to the one that the engine stores and shows.

The rules are moby's `daemon/cluster/convert`: defaults that every spec gets, words that are
not known, and the few things that are dropped. A stored spec is what `GET /services` shows;
what is absent there was never given, which for Swarm is another spec than one that gives
the default.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from swarmsim.api.specs import names
from swarmsim.go import defaults
from swarmsim.go.errors import ApiError
from swarmsim.go.shapes import read, write

Spec = dict[str, Any]

_FAILURE_ACTIONS = {
    "": defaults.UPDATE_CONFIG["FailureAction"],
    "pause": "pause",
    "continue": "continue",
    "rollback": "rollback",
}
_ORDERS = {"": "stop-first", "stop-first": "stop-first", "start-first": "start-first"}
_CONDITIONS = {"": "any", "none": "none", "on-failure": "on-failure", "any": "any"}
_MOUNT_TYPES = {"bind", "volume", "tmpfs", "npipe"}
_PROPAGATIONS = {"rprivate", "private", "rshared", "shared", "rslave", "slave"}


def parse(body: Any, version: tuple[int, ...]) -> Spec:
    """Read a service spec as a client of an API version sends it; `ApiError` 400 if it is none."""
    spec: Spec = read(body, "swarm.ServiceSpec")
    if version < (1, 40):
        _forget_what_came_with_1_40(spec)
    if version < (1, 41):
        _forget_what_came_with_1_41(spec)
    return spec


def attachments(spec: Spec) -> list[Spec]:
    """The networks that a parsed spec asks for; their targets may be changed in place."""
    return spec.get("TaskTemplate", {}).get("Networks") or spec.get("Networks") or []


def stored(spec: Spec) -> Spec:
    """What the engine keeps of a parsed spec; `ApiError` 400 for words that it does not know."""
    spec = deepcopy(spec)
    spec["Name"] = spec.get("Name") or names.random_name()
    spec.setdefault("Labels", {})
    template = spec.setdefault("TaskTemplate", {})
    _check_runtime(template, spec)
    _convert_container(template["ContainerSpec"])
    _convert_restart_policy(template.get("RestartPolicy"))
    _convert_placement(template.get("Placement"))
    _convert_reservations((template.get("Resources") or {}).get("Reservations"))
    for other_runtime in ("PluginSpec", "NetworkAttachmentSpec"):
        template.pop(other_runtime, None)
    template["Runtime"] = "container"
    for name in ("UpdateConfig", "RollbackConfig"):
        _convert_update_config(spec.get(name))
    _convert_endpoint(spec.get("EndpointSpec"))
    spec["Mode"] = _mode(spec.get("Mode") or {})
    return write(spec, "swarm.ServiceSpec")


def of_task(template: Spec) -> Spec:
    """A service's task template as its tasks show it: without the runtime."""
    return write({**template, "Runtime": ""}, "swarm.TaskSpec")


def with_defaults(spec: Spec) -> Spec:
    """The spec with everything filled in, as `insertDefaults=true` asks for."""
    spec = deepcopy(spec)
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    container.setdefault("StopGracePeriod", defaults.STOP_GRACE_PERIOD)
    container.setdefault("DNSConfig", {})
    template.setdefault("Resources", {})
    policy = template.setdefault("RestartPolicy", {"MaxAttempts": 0})
    policy.setdefault("Condition", defaults.RESTART_CONDITION)
    policy.setdefault("Delay", defaults.RESTART_DELAY)
    template.setdefault("Placement", {})
    for name in ("UpdateConfig", "RollbackConfig"):
        spec[name] = defaults.update_config(spec.get(name))
    return write(spec, "swarm.ServiceSpec")


def _forget_what_came_with_1_40(spec: Spec) -> None:
    template = spec.get("TaskTemplate", {})
    container = template.get("ContainerSpec", {})
    container.pop("Sysctls", None)
    credentials = container.get("Privileges", {}).get("CredentialSpec", {})
    credentials.pop("Config", None)
    for reference in container.get("Configs") or []:
        reference.pop("Runtime", None)
    template.get("Placement", {}).pop("MaxReplicas", None)


def _forget_what_came_with_1_41(spec: Spec) -> None:
    template = spec.get("TaskTemplate", {})
    for name in ("CapabilityAdd", "CapabilityDrop", "Ulimits"):
        template.get("ContainerSpec", {}).pop(name, None)
    template.get("Resources", {}).get("Limits", {}).pop("Pids", None)
    for name in ("ReplicatedJob", "GlobalJob"):
        spec.get("Mode", {}).pop(name, None)


def _check_runtime(template: Spec, spec: Spec) -> None:
    runtime = template.get("Runtime") or "container"
    if runtime == "container" and "ContainerSpec" in template:
        return
    if runtime == "plugin" and "PluginSpec" in template:
        if "Replicated" in (spec.get("Mode") or {}):
            raise ApiError(400, "plugins must not use replicated mode")
        raise ApiError(500, 'runtime type "plugin" only supported in experimental')
    if runtime in {"container", "plugin"}:
        raise ApiError(400, "mismatched Runtime and *Spec fields")
    raise ApiError(400, "unsupported runtime")


def _convert_container(container: Spec) -> None:
    isolation = container.get("Isolation", "").lower()
    container["Isolation"] = isolation if isolation in {"hyperv", "process"} else "default"
    credentials = container.get("Privileges", {}).get("CredentialSpec")
    if credentials is not None:
        _check_credentials(credentials)
    for kind in ("Secrets", "Configs"):
        container[kind] = [reference or {} for reference in container.get(kind) or []]
    for reference in container["Configs"]:
        _check_config_reference(reference)
    for mount in container.get("Mounts") or []:
        _convert_mount(mount)


def _check_credentials(credentials: Spec) -> None:
    kinds = ("Config", "File", "Registry")
    given = [f'"{kind.lower()}"' for kind in kinds if credentials.get(kind)]
    prefix = "invalid CredentialSpec: "
    if not given:
        message = 'must either provide "file", "registry", or "config" for credential spec'
        raise ApiError(400, prefix + message)
    if len(given) > 1:
        comma = "," if len(given) > 2 else ""  # as moby's sentence has it
        all_but_last = ", ".join(given[:-1])
        message = f"cannot specify both {all_but_last}{comma} and {given[-1]} credential specs"
        raise ApiError(400, prefix + message)


def _check_config_reference(reference: Spec) -> None:
    targets = [kind for kind in ("File", "Runtime") if kind in reference]
    if not targets:
        raise ApiError(400, "invalid Config: either File or Runtime should be set")
    if len(targets) > 1:
        raise ApiError(400, "invalid Config: cannot specify both File and Runtime")


def _convert_mount(mount: Spec) -> None:
    kind = mount.get("Type", "")
    mount["Type"] = kind.lower() or "bind"
    if mount["Type"] not in _MOUNT_TYPES:
        raise ApiError(400, f'invalid MountType: "{kind}"')
    mount.pop("Consistency", None)
    bind = mount.pop("BindOptions", {})
    propagation = bind.get("Propagation", "")
    if propagation and propagation.lower() not in _PROPAGATIONS:
        raise ApiError(400, f'invalid MountPropagation: "{propagation}"')
    if propagation or bind.get("NonRecursive"):
        mount["BindOptions"] = {**bind, "Propagation": propagation.lower() or "rprivate"}


def _convert_restart_policy(policy: Spec | None) -> None:
    if policy is None:
        return
    policy["Condition"] = policy.get("Condition") or defaults.RESTART_CONDITION
    if policy["Condition"] not in _CONDITIONS:
        raise ApiError(400, f'invalid RestartCondition: "{policy["Condition"]}"')
    policy.setdefault("MaxAttempts", 0)


def _convert_placement(placement: Spec | None) -> None:
    if placement and placement.get("Preferences"):
        placement["Preferences"] = [it for it in placement["Preferences"] if it.get("Spread")]


def _convert_reservations(reservations: Spec | None) -> None:
    """What is both a number and a name of a generic resource counts as the number."""
    for resource in (reservations or {}).get("GenericResources") or []:
        if "DiscreteResourceSpec" in resource:
            resource.pop("NamedResourceSpec", None)


def _convert_update_config(config: Spec | None) -> None:
    if config is None:
        return
    for name, known, what in (
        ("FailureAction", _FAILURE_ACTIONS, "failure action"),
        ("Order", _ORDERS, "order"),
    ):
        config[name] = config.get(name) or defaults.UPDATE_CONFIG[name]
        if config[name] not in known:
            raise ApiError(400, f"unrecognized update {what} {config[name]}")


def _convert_endpoint(endpoint: Spec | None) -> None:
    if endpoint is None:
        return
    mode = endpoint.get("Mode", "")
    if mode not in {"", "vip", "dnsrr"}:
        raise ApiError(400, f'invalid resolution mode: "{mode}"')
    endpoint["Mode"] = mode or "vip"
    for port in endpoint.get("Ports") or []:
        protocol, publish = port.get("Protocol", "").lower(), port.get("PublishMode", "").lower()
        port["Protocol"] = protocol if protocol in {"tcp", "udp", "sctp"} else "tcp"
        port["PublishMode"] = publish if publish in {"ingress", "host"} else "ingress"


def _mode(mode: Spec) -> Spec:
    given = [
        name for name in ("Global", "Replicated", "ReplicatedJob", "GlobalJob") if name in mode
    ]
    if len(given) > 1:
        raise ApiError(400, "must specify only one service mode")
    if "Global" in mode:
        return {"Global": {}}
    if "GlobalJob" in mode:
        return {"GlobalJob": {}}
    if "ReplicatedJob" in mode:
        at_once = mode["ReplicatedJob"].get("MaxConcurrent", 1)
        total = mode["ReplicatedJob"].get("TotalCompletions", at_once)
        return {"ReplicatedJob": {"MaxConcurrent": at_once, "TotalCompletions": total}}
    return {"Replicated": {"Replicas": mode.get("Replicated", {}).get("Replicas", 1)}}
