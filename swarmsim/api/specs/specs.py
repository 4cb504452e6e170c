"""From the service spec that a client sends to the one that the engine stores and shows.

The rules are moby's `daemon/cluster/convert`: defaults that every spec gets, words that are
not known, and the few things that are dropped. A stored spec is what `GET /services` shows;
what is absent there was never given, which for Swarm is another spec than one that gives
the default.
"""

import random
from copy import deepcopy

from swarmsim.go import defaults
from swarmsim.go.errors import ApiError
from swarmsim.go.gojson.shapes import write
from swarmsim.model import Spec

#: The default of a field, its known values, and the message for any other value.
Word = tuple[str, set[str], str]

_UPDATE = defaults.UPDATE_CONFIG
_CONDITIONS = {"none", "on-failure", "any"}
_CONDITION: Word = (defaults.RESTART_CONDITION, _CONDITIONS, 'invalid RestartCondition: "{}"')
_MODE: Word = ("vip", {"vip", "dnsrr"}, 'invalid resolution mode: "{}"')
_ACTIONS = {"pause", "continue", "rollback"}
_ACTION: Word = (_UPDATE["FailureAction"], _ACTIONS, "unrecognized update failure action {}")
_ORDERS = {"stop-first", "start-first"}
_ORDER: Word = (_UPDATE["Order"], _ORDERS, "unrecognized update order {}")
_MANNERS = (
    "brave calm clever eager gentle happy keen kind lucid merry modest quiet sharp sunny wise"
)
_PEOPLE = "curie darwin dijkstra euler gauss hopper kepler lamarr lovelace noether tesla turing"
_MOUNT_TYPES = {"bind", "volume", "tmpfs", "npipe"}
_PROPAGATIONS = {"rprivate", "private", "rshared", "shared", "rslave", "slave"}


def stored(spec: Spec) -> Spec:
    """What the engine keeps of a parsed spec; `ApiError` 400 for words that it does not know."""
    spec = deepcopy(spec)
    spec["Name"] = spec.get("Name") or _random_name()
    spec.setdefault("Labels", {})
    template = spec.setdefault("TaskTemplate", {})
    _check_runtime(template)
    _convert_container(template["ContainerSpec"])
    if (policy := template.get("RestartPolicy")) is not None:
        _convert_word(policy, "Condition", _CONDITION)
        policy.setdefault("MaxAttempts", 0)
    placement = template.get("Placement") or {}
    if placement.get("Preferences"):
        placement["Preferences"] = [it for it in placement["Preferences"] if it.get("Spread")]
    for other_runtime in ("PluginSpec", "NetworkAttachmentSpec"):
        template.pop(other_runtime, None)
    template["Runtime"] = "container"
    for name in ("UpdateConfig", "RollbackConfig"):
        if (config := spec.get(name)) is not None:
            _convert_word(config, "FailureAction", _ACTION)
            _convert_word(config, "Order", _ORDER)
    if (endpoint := spec.get("EndpointSpec")) is not None:
        _convert_word(endpoint, "Mode", _MODE)
        _convert_ports(endpoint.get("Ports") or [])
    spec["Mode"] = _mode(spec.get("Mode") or {})
    return write(spec, "swarm.ServiceSpec")


def _random_name() -> str:
    manner, person = _MANNERS.split(), _PEOPLE.split()
    return f"{random.choice(manner)}_{random.choice(person)}"  # noqa: S311  a name is not a secret


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


def _check_runtime(template: Spec) -> None:
    runtime = template.get("Runtime") or "container"
    if runtime == "plugin" and "PluginSpec" in template:
        raise ApiError(500, 'runtime type "plugin" only supported in experimental')
    if runtime not in {"container", "plugin"}:
        raise ApiError(400, "unsupported runtime")
    if runtime == "plugin" or "ContainerSpec" not in template:
        raise ApiError(400, "mismatched Runtime and *Spec fields")


def _convert_container(container: Spec) -> None:
    isolation = container.get("Isolation", "").lower()
    container["Isolation"] = isolation if isolation in {"hyperv", "process"} else "default"
    if any((container.get("Privileges") or {}).values()):
        message = "a simulated engine has no Privileges: SELinux, seccomp, AppArmor, credentials"
        raise ApiError(501, message)
    for kind in ("Secrets", "Configs"):
        container[kind] = [reference or {} for reference in container.get(kind) or []]
    for reference in container["Configs"]:
        if not {"File", "Runtime"} & reference.keys():
            raise ApiError(400, "invalid Config: either File or Runtime should be set")
        if {"File", "Runtime"} <= reference.keys():
            raise ApiError(400, "invalid Config: cannot specify both File and Runtime")
    for mount in container.get("Mounts") or []:
        _convert_mount(mount)


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


def _convert_word(part: Spec, name: str, word: Word) -> None:
    default, known, sentence = word
    part[name] = part.get(name) or default
    if part[name] not in known:
        raise ApiError(400, sentence.format(part[name]))


def _convert_ports(ports: list[Spec]) -> None:
    for port in ports:
        protocol, publish = port.get("Protocol", "").lower(), port.get("PublishMode", "").lower()
        port["Protocol"] = protocol if protocol in {"tcp", "udp", "sctp"} else "tcp"
        port["PublishMode"] = publish if publish in {"ingress", "host"} else "ingress"


def _mode(mode: Spec) -> Spec:
    given = mode.keys() & {"Global", "Replicated", "ReplicatedJob", "GlobalJob"}
    if len(given) > 1:
        raise ApiError(400, "must specify only one service mode")
    name = next(iter(given), "Replicated")
    if name == "Replicated":
        return {name: {"Replicas": mode.get(name, {}).get("Replicas", 1)}}
    return {name: {}}  # the cluster refuses jobs
