"""What swarmkit refuses in names and in a service spec, in its order and its words.

From swarmkit's `manager/controlapi/service.go`. What other objects have to do with it,
networks, ports, configs and secrets, is checked by who knows them.
"""

import re

from swarmsim.go.errors import ApiError, rpc
from swarmsim.go.gojson import quoted
from swarmsim.go.references import Reference
from swarmsim.model import Spec
from swarmsim.runtime import templates

_LEAST_NANO_CPUS = 1_000_000
_LEAST_MEMORY = 4 * 1024 * 1024
_LEAST_DURATION = 1_000_000
_MOST_REPLICAS = 1 << 63

_DNS_NAME = re.compile(r"[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*")
_BLOB_NAME = re.compile(r"[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?")
_LONGEST_DNS_NAME = 63
_LONGEST_BLOB_NAME = 64
_CONSTRAINT_KEY = re.compile(r"[a-z_][a-z0-9\-_.]+", re.IGNORECASE)
_CONSTRAINT_VALUE = re.compile(r"[a-z0-9:\-_\s.*()?+\[\]\\^$|/]+", re.IGNORECASE)


def check_name(name: str) -> None:
    """Refuse the name of a service or a network that cannot be part of a DNS name."""
    if not name:
        raise rpc("InvalidArgument", "meta: name must be provided")
    if not _DNS_NAME.fullmatch(name):
        raise rpc("InvalidArgument", "name must be valid as a DNS name component")
    if len(name) > _LONGEST_DNS_NAME:
        raise rpc("InvalidArgument", "name must be 63 characters or fewer")


def check_blob_name(name: str) -> None:
    """Refuse the name of a config or a secret."""
    if not name:
        raise rpc("InvalidArgument", "name must be provided")
    if len(name) > _LONGEST_BLOB_NAME or not _BLOB_NAME.fullmatch(name):
        message = (
            "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end "
            "character must be [a-zA-Z0-9]"
        )
        raise rpc("InvalidArgument", message)


def check(spec: Spec) -> None:
    """Raise `ApiError` for the first thing that swarmkit does not take in a stored spec."""
    check_name(spec["Name"])
    _check_task(spec["TaskTemplate"])
    if (spec["Mode"].get("Replicated", {}).get("Replicas") or 0) >= _MOST_REPLICAS:
        raise _invalid("Number of replicas must be non-negative")  # Go's uint64, read as an int64
    _check_update_config(spec)
    _check_endpoint(spec.get("EndpointSpec") or {})


def _invalid(description: str) -> ApiError:
    return rpc("InvalidArgument", description)


def _check_task(template: Spec) -> None:
    resources = template.get("Resources") or {}
    for name in ("Limits", "Reservations"):
        _check_resources(resources.get(name) or {})
    policy = template.get("RestartPolicy") or {}
    for name in ("Delay", "Window"):
        if policy.get(name, 0) < 0:
            raise _invalid(f"TaskSpec: restart-{name.lower()} cannot be negative")
    for constraint in (template.get("Placement") or {}).get("Constraints") or []:
        _check_constraint(constraint)
    container = template["ContainerSpec"]
    _check_references(container.get("Secrets") or [], "secret")
    _check_references(container.get("Configs") or [], "config")
    _check_container(container)


def _check_resources(resources: Spec) -> None:
    cpus, memory = resources.get("NanoCPUs", 0), resources.get("MemoryBytes", 0)
    if cpus and cpus < _LEAST_NANO_CPUS:
        raise _invalid(f"invalid cpu value {cpus / 1e9:g}: Must be at least 0.001")
    if memory and memory < _LEAST_MEMORY:
        raise _invalid(f"invalid memory value {memory}: Must be at least 4MiB")


def _check_constraint(constraint: str) -> None:
    """Refuse a malformed constraint; swarmkit gives the error no code, so it is Unknown."""
    operator = next((it for it in ("==", "!=") if it in constraint), "")
    if not operator:
        raise rpc("Unknown", "constraint expected one operator from ==, !=")
    key, value = (part.strip() for part in constraint.split(operator, 1))
    if not _CONSTRAINT_KEY.fullmatch(key):
        raise rpc("Unknown", f"key '{key}' is invalid")
    if key.lower() == "node.ip":
        message = "a simulated engine's nodes share one address, so node.ip cannot tell them apart"
        raise ApiError(501, message)
    if not _CONSTRAINT_VALUE.fullmatch(value):
        raise rpc("Unknown", f"value '{value}' is invalid")


def _check_references(references: list[Spec], kind: str) -> None:
    taken: dict[str, str] = {}
    for reference in references:
        name, file = reference[f"{kind.title()}Name"], reference.get("File")
        if not reference[f"{kind.title()}ID"] or not name:
            raise _invalid(f"malformed {kind} reference")
        if file is None and "Runtime" not in reference:
            raise _invalid(f"malformed {kind} reference, no target provided")
        if file is not None and not file["Name"]:
            raise _invalid(f"malformed file {kind} reference, invalid target file name provided")
        if file is None:
            continue
        if other := taken.get(file["Name"]):
            message = f"'{other}' and '{name}' have a conflicting target: '{file['Name']}'"
            raise _invalid(f"{kind} references {message}")
        taken[file["Name"]] = name


def _check_container(container: Spec) -> None:
    try:
        templates.expanded(container, templates.OF_NO_TASK)
    except templates.BadTemplate as problem:
        raise _invalid(str(problem)) from None
    image = container.get("Image", "")
    if not image:
        raise _invalid("ContainerSpec: image reference must be provided")
    if Reference.parse(image) is None:
        raise _invalid(f"ContainerSpec: {quoted(image)} is not a valid repository/tag")
    targets = [mount.get("Target", "") for mount in container.get("Mounts") or []]
    for at, target in enumerate(targets):
        if target in targets[:at]:
            raise _invalid(f"ContainerSpec: duplicate mount point: {target}")
    health = container.get("Healthcheck") or {}
    for name in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        if health.get(name, 0) != 0 and health[name] < _LEAST_DURATION:
            raise _invalid(f"ContainerSpec: {name} in HealthConfig cannot be less than 1ms")
    if health.get("Retries", 0) < 0:
        raise _invalid("ContainerSpec: Retries in HealthConfig cannot be negative")


def _check_update_config(spec: Spec) -> None:
    """Refuse an update config; a rollback config is not looked at, by swarmkit neither."""
    config = spec.get("UpdateConfig")
    if config is None:
        return
    for name in ("Delay", "Monitor"):
        if config.get(name, 0) < 0:
            raise _invalid(f"TaskSpec: update-{name.lower()} cannot be negative")
    if not 0 <= config["MaxFailureRatio"] <= 1:
        message = "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"
        raise _invalid(message)


def _check_endpoint(endpoint: Spec) -> None:
    taken = set()
    for port in endpoint.get("Ports") or []:
        if endpoint["Mode"] == "dnsrr" and port["PublishMode"] == "ingress":
            message = "port published with ingress mode can't be used with dnsrr mode"
            raise _invalid(f"EndpointSpec: {message}")
        if not port.get("PublishedPort"):
            continue
        if (port["PublishedPort"], port["Protocol"]) in taken:
            raise _invalid("EndpointSpec: duplicate published ports provided")
        taken.add((port["PublishedPort"], port["Protocol"]))
