"""What an update is doing, in one sentence, and when it has settled. Pure.

The rules are those of swarmkit's updater (manager/orchestrator/update/updater.go):
the status turns `completed` only a delay and a monitor window after the last replica
has started, so "all replicas are new" and "the update is completed" are two moments.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from labkit.base.rules import words
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Gap, ServiceRemoved, ServiceSeen, TaskSeen
from labkit.recordings.values import Node, Service, Task, UpdateConfig, UpdateStatus
from swarmsim.go import durations

#: How long nothing may move before a change that needed no update counts as settled.
QUIET = timedelta(seconds=3)
#: How long replicas may still come and go after an update is over by its status.
COMING = timedelta(seconds=15)
#: Nodes that a sentence names as being down.
_MOST_DOWN = 20


_WORDS = Path(__file__).with_name("phases.yaml")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tasks of a service there are, as far as a sentence about its update goes."""

    #: Those that run the tag of the service's spec; only the new ones in an update that keeps it.
    running: int
    #: Those that were told to shut down and have not ended.
    leaving: int
    #: Those that have not ended, and may be heard of.
    left: int
    #: Those whose node is down.
    lost: tuple[Task, ...] = ()
    #: All nodes; some of them may take no task.
    nodes: tuple[Node, ...] = ()


def meaning(state: str, tag: str = "") -> str:
    """Return what an update's state says about a service; `""` is that there never was one.

    Two are labkit's own: `changed`, of a service that has no status after a change, and
    `overtaken`, of an update that another one has replaced.
    """
    return str(words(_WORDS)["meanings"][state]).format(tag=tag)


def overtaken(before: UpdateStatus | None, now: UpdateStatus | None) -> bool:
    """Whether an update went no further, as the service was changed in the midst of it."""
    return bool(before and not before.settled and (not now or now.started_at != before.started_at))


def describe(service: Service | None, tasks: Iterable[Task], nodes: tuple[Node, ...] = ()) -> str:
    """Return what the update of a service is doing, in one plain sentence."""
    tasks = tuple(tasks)
    tag = service.tag if service else ""
    since = renewing(service)
    running = (task for task in tasks if task.running and task.tag == tag)
    counts = Counts(
        running=sum(since is None or task.created_at >= since for task in running),
        leaving=sum(map(leaving, tasks)),
        left=sum(not (task.ended or task.lost) for task in tasks),
        lost=tuple(task for task in tasks if task.lost),
        nodes=nodes,
    )
    return sentence(service, counts)


def described(recording: Recording) -> str:
    """Return the same sentence of what was last seen."""
    return describe(recording.service, recording.current, recording.nodes)


def renewing(service: Service | None) -> datetime | None:
    """Return when an update began that keeps the image, as with `--force`, while it goes on."""
    status = service.update_status if service else None
    if service is None or status is None or status.state != "updating":
        return None
    return status.started_at if service.previous_image == service.image else None


def sentence(service: Service | None, counts: Counts) -> str:
    """Return the same sentence from tasks that are counted already."""
    said = [_sentence(service, counts), *_down(service, counts.lost)]
    if service is not None:
        said += taking_no_task(counts.nodes, moves=service.replicas is not None)
    return " ".join(said)


def awaited(service: Service | None, lost: Iterable[Task]) -> Task | None:
    """Return the task on a node that is down for which the updater waits, if there is one.

    An updater waits without a time limit until the task that it made runs or has ended, also
    when that has been replaced elsewhere (updater.go, updateTask).
    """
    status = service.update_status if service else None
    if service is None or status is None or status.settled or status.started_at is None:
        return None
    made = (task for task in lost if task.image == service.image and task.state != "running")
    return next((task for task in made if task.created_at >= status.started_at), None)


def _down(service: Service | None, lost: tuple[Task, ...]) -> list[str]:
    """Return what is not known of tasks whose node is down, and what waits for one of them."""
    counts = Counter(task.node or task.node_id for task in lost)
    said = [
        words(_WORDS)["down"][min(count, 2)].format(node=node, count=count)
        for node, count in sorted(counts.items())[:_MOST_DOWN]
    ]
    if task := awaited(service, lost):
        place = f"slot {task.slot}" if task.slot is not None else "one a node"
        said.append(
            words(_WORDS)["awaited"].format(
                task=task.id[:12], place=place, node=task.node or task.node_id
            )
        )
    return said


def taking_no_task(nodes: tuple[Node, ...], *, moves: bool = True) -> Iterator[str]:
    """Yield which nodes are drained or paused, what that does, and what helps if none is left.

    Tasks that cannot move are those of a global service.
    """
    text, any_left = words(_WORDS), any(node.takes_tasks for node in nodes)
    told = [node for node in nodes if node.availability != "active"]
    for node in told:
        how = "moved" if any_left and moves else "stopped"
        yield text[node.availability].format(node=node.name, how=text[how])
    if told and not any_left:
        yield text["nowhere"].format(node=told[0].name)


def _sentence(service: Service | None, counts: Counts) -> str:
    if service is None:
        still = f"; {counts.left} of its tasks are still stopping" if counts.left else ""
        return f"The service is removed{still}."
    wanted = service.replicas
    running = counts.running
    share = f"{running} of {wanted} replicas" if wanted is not None else f"{running} tasks"
    now = f"{share} {'are new, and ' if renewing(service) else ''}run {service.tag}"
    state = service.update_status.state if service.update_status else ""
    almost = running == wanted and not counts.leaving and not awaited(service, counts.lost)
    if state in words(_WORDS)["almost"] and almost:
        back = state == "rollback_started"
        tail = _tail(service.rollback_config if back else service.update_config)
        return str(words(_WORDS)["almost"][state]).format(now=now, tail=tail)
    return str(words(_WORDS)["sentences"][state]).format(now=now)


def leaving(task: Task) -> bool:
    """Whether a task has been told to stop, can hear it, and has not ended."""
    return task.desired_state in ("shutdown", "remove") and not (task.ended or task.lost)


def completes_after(config: UpdateConfig) -> timedelta:
    """Return how long after its last replica has started an update is called completed.

    A worker sleeps its delay after the last slot too; then failures are watched for the
    monitor window, or for the delay and a second where the delay is at least as long.
    """
    longer = config.delay + timedelta(seconds=1)
    return config.delay + (config.monitor if config.delay < config.monitor else longer)


def settled(recording: Recording, now: datetime) -> str | None:
    """Return why a recorded update has settled, as a sentence, or `None` while it has not.

    It has settled when the engine says so of an update that began under this recording,
    the replicas that were on their way are there, and those told to stop are gone;
    when the service is gone with its last task; or when a change that needed no update
    (a scale, a label) has been followed by `QUIET` without any movement.
    """
    if recording.service is None:
        if recording.of(ServiceRemoved) and all(task.lost for task in recording.current):
            return "The service was removed, and its last task is gone."
        return None
    status = recording.service.update_status
    began = _began_here(recording)
    if status is not None:
        if not (status.settled and began) or _replicas_move(recording, now):
            return None
        how = f"has settled: {status.state} ({status.message})."
        if tags := _overtaken(recording):
            which = f"Another update overtook the one to {' and the one to '.join(tags)}."
            return f"{which} The update to {recording.service.tag} {how}"
        return f"The update {how}"
    if began and _still(recording, now):
        return "The service was changed, no task needed an update, and nothing moves any more."
    return None


def _overtaken(recording: Recording) -> list[str]:
    """Return the tags that updates were about which another one overtook."""
    seen = [change.service for change in recording.of(ServiceSeen)]
    return [
        before.tag
        for before, now in pairwise(seen)
        if overtaken(before.update_status, now.update_status)
    ]


def _replicas_move(recording: Recording, now: datetime) -> bool:
    """Whether an update is done by its status, and replicas are still coming or going.

    They come after a rollback whose slots the restart supervisor had restored before the
    updater looked: it is completed at once, and their tasks wait for the restart delay.
    They go where old tasks are stopped after new ones run, or were being stopped as the
    update ended. What takes longer is waited for no longer than `COMING`.
    """
    service = recording.service
    status = service.update_status if service else None
    if service is None or status is None:
        return False
    done_at = recording.update_states()[-1][0]
    staying = sum(task.running and not leaving(task) for task in recording.current)
    coming = "paused" not in status.state and staying < (service.replicas or 0)
    return (coming or stopping(recording)) and now - done_at < COMING


def stopping(recording: Recording) -> bool:
    """Whether a task still runs that has been told to stop."""
    return any(task.running and leaving(task) for task in recording.current)


def _began_here(recording: Recording) -> bool:
    """Whether an update began while this was recorded, or was under way at first sight."""
    seen = [change.service for change in recording.of(ServiceSeen)]
    status = seen[0].update_status
    under_way = status is not None and not status.settled
    return under_way or any(_begun(later) != _begun(seen[0]) for later in seen[1:])


def _begun(service: Service) -> tuple[object, ...]:
    """Return what is asked of a service, and when the update to it began."""
    status = service.update_status
    return status.started_at if status else None, requested(service)


def requested(service: Service) -> tuple[object, ...]:
    """Return what only a user's update changes; the version also rises with the engine's writes."""
    return service.image, service.replicas, service.update_config, service.rollback_config


def _still(recording: Recording, now: datetime) -> bool:
    service = recording.service
    moved = [c.at for c in recording.changes if isinstance(c, TaskSeen | ServiceSeen | Gap)]
    wanted = service.replicas if service else None
    running = sum(task.running and task.desired_state == "running" for task in recording.current)
    enough = wanted is None or running == wanted
    return enough and not any(map(leaving, recording.current)) and now - moved[-1] >= QUIET


def _tail(config: UpdateConfig) -> str:
    tail = durations.to_text(completes_after(config))
    delay = f"a last delay of {durations.to_text(config.delay)}, then " if config.delay else ""
    return f"that comes {tail} after the last replica started ({delay}the monitor window)."
