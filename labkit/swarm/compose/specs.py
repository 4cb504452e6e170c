"""A checked compose file as the objects that `docker stack deploy` sends to the engine.

Names as the Engine API spells them are this module's output. Which fields are left out
when a key is absent matters: Swarm compares specs, and an explicit default differs from
no value, so that it would restart every task. The rules are docker/cli's
compose/convert.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labkit.swarm.compose.language.schema import Part
from labkit.swarm.ownership import NAMESPACE

#: Docker's label for the image as the file names it, before a digest is added.
IMAGE = "com.docker.stack.image"
DEFAULT_NETWORK = "default"

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpecs:
    """What a stack needs on the engine.

    A service names its configs and secrets (`ConfigName`, `SecretName`); their ids are
    given by the engine, and filled in by the caller that sends the spec.
    """

    services: tuple[Spec, ...]
    #: Bodies of `POST /networks/create`: the networks that some service uses.
    networks: tuple[Spec, ...]
    configs: tuple[Spec, ...]
    secrets: tuple[Spec, ...]
    #: Names of networks that must be there already.
    external_networks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sections:
    """What compose files have, checked and merged."""

    services: dict[str, Part] = field(default_factory=dict)
    networks: dict[str, Part] = field(default_factory=dict)
    volumes: dict[str, Part] = field(default_factory=dict)
    configs: dict[str, Part] = field(default_factory=dict)
    secrets: dict[str, Part] = field(default_factory=dict)
    #: The content of each file that a config or a secret names.
    contents: dict[str, bytes] = field(default_factory=dict)


def stack_specs(stack: str, of: Sections) -> StackSpecs:
    """Return the objects of a stack."""
    names = _Names(stack, of)
    used = sorted({net for service in of.services.values() for net in attachments(service)})
    inside = [net for net in used if not is_external(of.networks.get(net))]
    return StackSpecs(
        services=tuple(_service(name, of.services[name], names) for name in sorted(of.services)),
        networks=tuple(
            _network(net, of.networks.get(net, Part("Network")), names) for net in inside
        ),
        external_networks=tuple(names.full("networks", net) for net in used if net not in inside),
        configs=_file_objects("configs", of.configs, names),
        secrets=_file_objects("secrets", of.secrets, names),
    )


def attachments(service: Part) -> dict[str, Part | None]:
    """Return the networks of a service; without any it is on the stack's default network."""
    return service.networks or {DEFAULT_NETWORK: None}


def is_external(thing: Part | None) -> bool:
    """Whether something is declared to be there already."""
    return bool(thing and thing.external)


@dataclass(frozen=True, slots=True)
class _Names:
    stack: str
    of: Sections

    def scoped(self, name: str) -> str:
        return f"{self.stack}_{name}"

    def labels(self, own: Mapping[str, str] | None) -> dict[str, str]:
        return {**(own or {}), NAMESPACE: self.stack}

    def full(self, section: str, key: str) -> str:
        thing = getattr(self.of, section).get(key)
        if thing and isinstance(thing.external, str):
            return thing.external
        if thing and thing.name:
            return str(thing.name)
        return key if is_external(thing) else self.scoped(key)


def _service(name: str, service: Part, names: _Names) -> Spec:
    deploy = service.deploy or Part("Deploy")
    resources = deploy.resources or Part("Resources")
    image = service.image or ""
    return {
        "Name": names.scoped(name),
        "Labels": {**names.labels(deploy.labels), IMAGE: image},
        "TaskTemplate": _present(
            ContainerSpec=_container(service, names),
            LogDriver=_sent(service.logging),
            Resources=_present(
                Limits=_sent(resources.limits), Reservations=_sent(resources.reservations)
            ),
            RestartPolicy=_restart_policy(service.restart or "", deploy.restart_policy),
            Placement=_placement(deploy.placement or Part("Placement")),
            Networks=sorted(
                (_attachment(name, *each, names) for each in attachments(service).items()),
                key=lambda each: str(each["Target"]),
            ),
        ),
        "Mode": _mode(deploy),
        "EndpointSpec": _endpoint(deploy.endpoint_mode, service.ports or []),
        **_present(
            UpdateConfig=_update_config(deploy.update_config),
            RollbackConfig=_update_config(deploy.rollback_config),
        ),
    }


def _container(service: Part, names: _Names) -> Spec:
    added, dropped = _capabilities(service.cap_add or [], service.cap_drop or [])
    filled = _filled(
        Image=service.image,
        Command=service.entrypoint,
        Args=service.command,
        Hostname=service.hostname,
        Hosts=service.extra_hosts,
        Env=sorted(
            name if value is None else f"{name}={value}"
            for name, value in (service.environment or {}).items()
        ),
        Dir=service.working_dir,
        User=service.user,
        Mounts=[_mount(mount, names) for mount in service.volumes or ()],
        StopSignal=service.stop_signal,
        TTY=service.tty,
        OpenStdin=service.stdin_open,
        ReadOnly=service.read_only,
        Isolation=service.isolation,
        Sysctls=service.sysctls,
        CapabilityAdd=added,
        CapabilityDrop=dropped,
        Ulimits=[
            {"Name": name, **limit.present()}
            for name, limit in sorted((service.ulimits or {}).items())
        ],
        OomScoreAdj=service.oom_score_adj,
        Secrets=_references(service.secrets or [], "Secret", names),
        Configs=_references(service.configs or [], "Config", names),
    )
    check = service.healthcheck
    return {
        **filled,
        "Labels": names.labels(service.labels),
        "Privileges": {"CredentialSpec": None, "SELinuxContext": None},
        **_present(
            DNSConfig=_dns(service),
            Healthcheck={"Test": ["NONE"]} if check and check.disable else _sent(check),
            StopGracePeriod=service.stop_grace_period,
            Init=service.init,
        ),
    }


def _present(**fields: Any) -> Spec:
    """Return the fields that have a value; an empty one is a value."""
    return {name: value for name, value in fields.items() if value is not None}


def _sent(part: Part | None) -> Spec | None:
    return None if part is None else part.filled()


def _filled(**fields: Any) -> Spec:
    """Return the fields that are not empty, as Go's `omitempty` does."""
    return {name: value for name, value in fields.items() if value}


def _capabilities(add: list[str], drop: list[str]) -> tuple[list[str], list[str]]:
    """Return what is added and dropped as docker writes it; adding wins, and ALL is enough."""
    added, dropped = set(map(_capability, add)), set(map(_capability, drop))
    added = {"ALL"} if "ALL" in added else added
    dropped = {"ALL"} if "ALL" in dropped else dropped
    return sorted(added - {"RESET"}), sorted(dropped - added - {"RESET"})


def _capability(name: str) -> str:
    name = name.strip().upper()
    return name if name in ("ALL", "RESET") or name.startswith("CAP_") else f"CAP_{name}"


def _dns(service: Part) -> Spec | None:
    if service.dns is None and service.dns_search is None:
        return None
    return _filled(Nameservers=service.dns, Search=service.dns_search)


def _references(wanted: list[Part], kind: str, names: _Names) -> list[Spec]:
    """Return the references by name, and by target where docker leaves the order to chance."""
    found = [
        {
            "File": {
                "Name": each.target or each.source,
                "UID": each.uid or "0",
                "GID": each.gid or "0",
                "Mode": 0o444 if each.mode is None else each.mode,
            },
            f"{kind}Name": names.full(f"{kind.lower()}s", each.source),
        }
        for each in wanted
    ]
    return sorted(found, key=lambda each: (each[f"{kind}Name"], each["File"]["Name"]))


def _mount(mount: Part, names: _Names) -> Spec:
    spec = mount.filled()
    if mount.type == "volume" and mount.source:
        return spec | _named_volume(mount, mount.source, names)
    if mount.bind is not None:
        return spec | {"BindOptions": mount.bind.filled()}
    if mount.tmpfs is not None:
        return spec | {"TmpfsOptions": mount.tmpfs.filled()}
    return spec


def _named_volume(mount: Part, key: str, names: _Names) -> Spec:
    volume = names.of.volumes[key]
    spec = mount.volume.filled() if mount.volume else {}
    if not is_external(volume):
        spec["Labels"] = names.labels(volume.labels)
        if volume.driver or volume.driver_opts is not None:
            spec["DriverConfig"] = _filled(Name=volume.driver, Options=volume.driver_opts)
    return {"Source": names.full("volumes", key), "VolumeOptions": spec}


def _restart_policy(restart: str, policy: Part | None) -> Spec | None:
    """Return the policy; `restart:` counts although docker says that it ignores it."""
    if policy is not None:
        return {name: value for name, value in policy.present().items() if value != ""}
    condition, _, attempts = restart.partition(":")
    if condition in ("", "no"):
        return None
    if condition == "on-failure":
        return {"Condition": "on-failure", "MaxAttempts": int(attempts or 0)}
    return {"Condition": "any"}


def _placement(placement: Part) -> Spec:
    return _filled(
        Constraints=placement.constraints,
        Preferences=[
            {"Spread": {"SpreadDescriptor": each.spread}} for each in placement.preferences or ()
        ],
        MaxReplicas=placement.max_replicas_per_node,
    )


def _attachment(service: str, key: str, attachment: Part | None, names: _Names) -> Spec:
    own = attachment or Part("Attachment")
    target, aliases = names.full("networks", key), own.aliases or []
    if is_user_defined(target):
        aliases = [*aliases, service]
    return _filled(Target=target, Aliases=aliases, DriverOpts=own.driver_opts)


def is_user_defined(network: str) -> bool:
    """Whether a network is not one that every node has; only such networks know aliases."""
    return network not in ("default", "bridge", "host", "none") and (
        network.partition(":")[0] != "container"
    )


def _mode(deploy: Part) -> Spec:
    if deploy.mode == "global":
        return {"Global": {}}
    if deploy.mode == "global-job":
        return {"GlobalJob": {}}
    if deploy.mode == "replicated-job":
        count = deploy.replicas
        return {"ReplicatedJob": _present(MaxConcurrent=count, TotalCompletions=count)}
    return {"Replicated": _present(Replicas=deploy.replicas)}


def _update_config(config: Part | None) -> Spec | None:
    if config is None:
        return None
    return {"Parallelism": 1, "MaxFailureRatio": 0} | {
        name: value
        for name, value in config.present().items()
        if value or name in ("Parallelism", "MaxFailureRatio")
    }


def _endpoint(mode: str | None, ports: list[Part]) -> Spec:
    published = sorted(ports, key=lambda port: port.published or 0)
    return _filled(Mode=mode, Ports=[port.filled() for port in published])


def _network(key: str, network: Part, names: _Names) -> Spec:
    spec = {
        "Name": names.full("networks", key),
        "Driver": network.driver or "overlay",
        "Labels": names.labels(network.labels),
        "CheckDuplicate": True,
        "Internal": bool(network.internal),
        "Attachable": bool(network.attachable),
        **_present(Options=network.driver_opts),
    }
    ipam = network.ipam
    if ipam and (ipam.driver or ipam.config):
        pools = [each.filled() for each in ipam.config or ()]
        spec["IPAM"] = _filled(Driver=ipam.driver, Config=pools)
    return spec


def _file_objects(section: str, things: Mapping[str, Part], names: _Names) -> tuple[Spec, ...]:
    return tuple(
        _file_object(names.full(section, key), things[key], names)
        for key in sorted(things)
        if not is_external(things[key])
    )


def _file_object(name: str, thing: Part, names: _Names) -> Spec:
    driver = thing.get("driver")  # only a secret may have one
    data = b"" if driver else names.of.contents[thing.file or ""]
    spec: Spec = {
        "Name": name,
        "Labels": names.labels(thing.labels),
        "Data": base64.b64encode(data).decode(),
    }
    if driver:
        spec["Driver"] = {"Name": driver, **_present(Options=thing.driver_opts)}
    if thing.template_driver:
        spec["Templating"] = {"Name": thing.template_driver}
    return spec
