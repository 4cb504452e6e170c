"""Update a service, and roll it back, as `docker service update` and `rollback` do.

Nothing but what is asked for changes in the spec that goes to the engine. Each call
says the docker command that does the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

from labkit.base import echo
from labkit.base.errors import EngineRefused, NotFound
from labkit.recordings.values import Service
from labkit.swarm import ownership
from labkit.swarm.client import Swarm
from labkit.swarm.images.digests import pin, warn_unpinned
from labkit.swarm.spec_change import Asked, SpecChange


def update(swarm: Swarm, name: str, **asked: Unpack[Asked]) -> None:
    """Change a service, and return at once; the manager replaces its tasks in its own time.

    `update_config` and `rollback_config` take a whole `UpdateConfig` or `RollbackConfig`,
    or a mapping of some fields (`{"failure_action": "rollback"}`), as the flags of the
    docker command line do. `force` replaces every task although nothing differs.
    Without any change the same spec is sent again, which resumes a paused update. An image
    that every slot has already is said to replace nothing. An update that is under way is
    not sent once more: Swarm would begin it anew.

    Raises `NotFound` for an unknown service (naming those there are), `NotOurs` for one
    that the lab did not deploy, `BadValue` for a value that Swarm would refuse.
    """
    change = SpecChange.of(**asked)
    image = change.image
    service = swarm.service(name)
    ownership.require_ours(service)
    echo.command(change.command(name))
    pinned, platforms = pin(swarm, image) if image else (None, None)
    spec = change.applied(service["Spec"], pinned, platforms)
    # as values: the engine leaves out what is 0
    before, after = Service.from_api(service), Service.from_api({**service, "Spec": spec})
    same = image and spec["TaskTemplate"] == service["Spec"]["TaskTemplate"]
    state = before.update_status.state if before.update_status else ""
    if same and after == before and state == "updating":
        echo.say(
            f"{before.name} is being updated to {before.tag} already, so the command was not sent."
        )
        return
    if image:
        warn_unpinned([pinned] if pinned and "@" not in pinned else [])
        _note_missing_image(swarm, image)
    at_rest = state not in ("updating", "rollback_started") and not state.endswith("paused")
    if same and at_rest and after.replicas == before.replicas:
        echo.say(
            f"Every slot of {before.name} has {before.tag} already, so this replaces no task. "
            "(force=True replaces them all the same.)"
        )
    swarm.update_service(service["ID"], lambda spec: change.applied(spec, pinned, platforms))


def rollback(swarm: Swarm, name: str) -> None:
    """Bring back the spec that the service had before its last update, and return at once.

    The rollback itself is governed by the rollback config of the spec that comes back.
    Raises `EngineRefused` with Docker's words when there is no previous spec: Swarm keeps
    one, and an automatic rollback uses it up.
    """
    service = swarm.service(name)
    ownership.require_ours(service)
    echo.command(["docker", "service", "rollback", name])
    try:
        swarm.update_service(service["ID"], rollback=True)
    except EngineRefused as refused:
        if service.get("PreviousSpec"):
            raise
        raise EngineRefused(
            f"{name} to have a previous spec to go back to.",
            "Swarm keeps none: the service was never updated, or Swarm rolled the last update "
            "back by itself, which uses up the one spec that it keeps.",
            "update the service to the image you want.",
            docker_says=refused.docker_says,
            status=refused.status,
        ) from None


def logs(swarm: Swarm, name: str, *, tail: int = 20) -> None:
    """Print the last lines of the task that failed last, or of one that runs if none failed.

    Which task that is comes first: it may have failed in an update long past, and one that
    could not be started has written nothing.
    They are read from the task's container on this node, and where that is on another one,
    through the manager, which was seen to hang when a task's container is gone: that is given
    some seconds. Raises `NotFound` if neither has them.
    """
    service = swarm.service(name)
    task = _most_telling(swarm.tasks(service=service["ID"]))
    if task is None:
        echo.say(f"No task of {name} has a container yet.")
        return
    echo.command(["docker", "service", "logs", "--raw", f"--tail={tail}", task["ID"][:12]])
    echo.say(f"({_in_words(name, task)})")
    container = task["Status"]["ContainerStatus"]["ContainerID"]
    try:
        written = swarm.container_logs(container, tail)
    except NotFound:
        if not (written := "\n".join(_lines(swarm.task_log(task["ID"], tail)))):
            raise
    echo.say(written or "(It has written nothing.)")


def _lines(log: bytes) -> Iterator[str]:
    """Return what a task wrote, a line at a time, of the engine's stream with its times.

    Each line follows a header: which stream (the third is the engine's own), and its length.
    """
    while log:
        size = 8 + int.from_bytes(log[4:8])
        if log[0] in (1, 2):
            yield log[8:size].decode(errors="replace").rstrip("\n").partition(" ")[2]
        log = log[size:]


def _most_telling(tasks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    started = [
        task for task in tasks if task["Status"].get("ContainerStatus", {}).get("ContainerID")
    ]
    failed = [task for task in started if task["Status"]["State"] == "failed"]
    return max(failed or started, key=lambda task: task["Status"]["Timestamp"], default=None)


def _in_words(service: str, task: Mapping[str, Any]) -> str:
    slot = f".{task['Slot']}" if task.get("Slot") else ""
    image = task["Spec"]["ContainerSpec"]["Image"].partition("@")[0]
    error = task["Status"].get("Err", "")
    return f"{service}{slot}, {image}: {task['Status']['State']}{error and f', {error}'}"


def _note_missing_image(swarm: Swarm, image: str) -> None:
    """Say so when this node has no such image: the update goes on, and its tasks will fail."""
    try:
        swarm.get(f"/images/{image}/json")
    except NotFound as problem:
        echo.say(
            f"Note: this node does not have the image ({problem.docker_says}). Unless a registry "
            "has it, every new task will be rejected."
        )
