"""Update a service, and roll it back, as `docker service update` and `rollback` do.

Nothing but what is asked for changes in the spec that goes to the engine. Each call
says the docker command that does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from labkit import durations, echo, ownership, references
from labkit.digests import pin
from labkit.errors import BadValue, LabError, NotFound
from labkit.model import RollbackConfig, UpdateConfig, require_count
from labkit.swarm import Swarm

#: A whole config, or some of its fields by name: then the others keep their values.
Change = UpdateConfig | Mapping[str, Any]


def update(
    swarm: Swarm,
    name: str,
    *,
    image: str | None = None,
    replicas: int | None = None,
    update_config: Change | None = None,
    rollback_config: Change | None = None,
    force: bool = False,
) -> None:
    """Change a service, and return at once; the manager replaces its tasks in its own time.

    `update_config` and `rollback_config` take a whole `UpdateConfig` or `RollbackConfig`,
    or a mapping of some fields (`{"failure_action": "rollback"}`), as the flags of the
    docker command line do. `force` replaces every task although nothing differs.
    Without any change the same spec is sent again, which resumes a paused update.

    Raises `NotFound` for an unknown service (naming those there are), `NotOurs` for one
    that the lab did not deploy, `BadValue` for a value that Swarm would refuse.
    """
    _require_image(image)
    if replicas is not None:
        require_count("replicas", replicas)
    given = (
        _checked("update_config", update_config, UpdateConfig),
        _checked("rollback_config", rollback_config, RollbackConfig),
    )
    service = swarm.service(name)
    ownership.require_ours(service)
    echo.command(_command(name, image, replicas, *given, force=force))
    pinned, platforms = pin(swarm, image) if image else (None, None)

    def change(spec: dict[str, Any]) -> None:
        template = spec["TaskTemplate"]
        if pinned:
            template["ContainerSpec"]["Image"] = pinned
            if platforms is not None:
                template.setdefault("Placement", {})["Platforms"] = platforms
        if replicas is not None:
            _set_replicas(name, spec, replicas)
        for key, fields_given in zip(("UpdateConfig", "RollbackConfig"), given, strict=True):
            if fields_given:
                spec[key] = (spec.get(key) or UpdateConfig().to_api()) | _to_api(fields_given)
        if force:
            template["ForceUpdate"] = template.get("ForceUpdate", 0) + 1

    if image:
        _note_missing_image(swarm, image)
    swarm.update_service(service["ID"], change)


def rollback(swarm: Swarm, name: str) -> None:
    """Bring back the spec that the service had before its last update, and return at once.

    The rollback itself is governed by the rollback config of the spec that comes back.
    Raises `LabError` with Docker's words when there is no previous spec: Swarm keeps one,
    and an automatic rollback uses it up.
    """
    service = swarm.service(name)
    ownership.require_ours(service)
    echo.command(["docker", "service", "rollback", name])
    if not service.get("PreviousSpec"):
        raise LabError(
            f"{name} to have a previous spec to go back to.",
            "Swarm keeps none: the service was never updated, or the last update was rolled "
            "back by itself, which uses up the one spec that Swarm keeps.",
            "update the service to the image you want.",
        )
    swarm.update_service(service["ID"], rollback=True)


def logs(swarm: Swarm, name: str, *, tail: int = 20) -> None:
    """Print the last lines of the task that failed last, or of one that runs if none failed.

    They are read from the task's container on this node. The engine could put the logs of
    all tasks together, but that call was seen to hang when a task's container is gone.
    """
    service = swarm.service(name)
    task = _most_telling(swarm.tasks(service=service["ID"]))
    if task is None:
        echo.say(f"No task of {name} has a container yet.")
        return
    echo.command(["docker", "service", "logs", "--raw", f"--tail={tail}", task["ID"][:12]])
    container = task["Status"]["ContainerStatus"]["ContainerID"]
    echo.say(swarm.container_logs(container, tail))


def _most_telling(tasks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the task that failed last; else one that runs, the newest; else `None`."""
    started = [
        task for task in tasks if task["Status"].get("ContainerStatus", {}).get("ContainerID")
    ]
    failed = [task for task in started if task["Status"]["State"] == "failed"]
    return max(failed or started, key=lambda task: task["Status"]["Timestamp"], default=None)


def _require_image(image: object) -> None:
    """Raise `BadValue` for what docker would not take for the name of an image."""
    if image is not None and not (isinstance(image, str) and references.is_valid(image)):
        raise BadValue(f"image is the name of an image such as 'lab/worker:1.1', not {image!r}")


def _checked(name: str, change: Change | None, kind: type[UpdateConfig]) -> dict[str, Any]:
    """Return the fields that a change sets, after Swarm's rules have been applied to them."""
    if change is None:
        return {}
    if isinstance(change, UpdateConfig):
        change = asdict(change)
    if not isinstance(change, Mapping):
        raise BadValue(f"{name} is an {kind.__name__} or a mapping of its fields, not {change!r}")
    known = [field.name for field in fields(kind)]
    for key in change:
        if key not in known:
            raise BadValue(f"{kind.__name__} has no {key!r}; it has {', '.join(known)}")
    whole = asdict(kind(**change))
    return {key: whole[key] for key in change}


def _to_api(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that were given as the Engine API spells them."""
    spelled = UpdateConfig(**given).to_api()
    return {key: spelled[key] for key in map(_api_name, given)}


def _api_name(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))


def _set_replicas(name: str, spec: dict[str, Any], replicas: int) -> None:
    if "Replicated" not in spec.get("Mode", {}):
        raise LabError(
            f"{name} to be a replicated service, which has a number of replicas.",
            "its mode is global: it runs one task on every node.",
            "leave out replicas.",
        )
    spec["Mode"]["Replicated"]["Replicas"] = replicas


def _note_missing_image(swarm: Swarm, image: str) -> None:
    """Say so when this node has no such image: the update goes on, and its tasks will fail."""
    try:
        swarm.get(f"/images/{image}/json")
    except NotFound as problem:
        echo.say(
            f"Note: this node does not have the image ({problem.docker_says}). Unless a registry "
            "has it, every new task will be rejected."
        )


def _command(
    name: str,
    image: str | None,
    replicas: int | None,
    update_fields: Mapping[str, Any],
    rollback_fields: Mapping[str, Any],
    *,
    force: bool,
) -> list[str]:
    """Return the docker command that makes the same change."""
    words = ["docker", "service", "update"]
    words += ["--image", image] if image else []
    words += [f"--replicas={replicas}"] if replicas is not None else []
    for prefix, given in (("update", update_fields), ("rollback", rollback_fields)):
        words += [
            f"--{prefix}-{key.replace('_', '-')}={_flag(value)}" for key, value in given.items()
        ]
    words += ["--force"] if force else []
    return [*words, name]


def _flag(value: object) -> str:
    return durations.to_text(value) if isinstance(value, timedelta) else str(value)
