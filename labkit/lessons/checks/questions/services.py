"""What notebooks 0, 4 and 5 ask: what a scale, a deploy and a removal do to tasks. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from labkit.base.rules import Facts
from labkit.lessons.checks.question import question
from labkit.lessons.checks.questions.common import not_over
from labkit.lessons.checks.questions.spec_updates import spec_updates
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import (
    Change,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.values import Task

#: Tasks that were told to stop so shortly after one another were told together: a poll may
#: fall between.
_TOGETHER = timedelta(seconds=1)


# ---- scales and deploys ------------------------------------------------------------------


def _scale(recording: Recording) -> Facts:
    """Return the newest change of the replica count that is over, one up if there is one."""
    over = [write for write in spec_updates(recording) if write.scaled and write.over]
    up = [w for w in over if (w.after.replicas or 0) > (w.before.replicas or 0)]
    if not over:
        raise not_over(recording, "a change of the replica count")
    scale = (up or over)[-1]
    return {
        "scale": scale,
        "was": scale.before.replicas or 0,
        "now": scale.after.replicas or 0,
        "made": len(scale.new),
        "together": story.most_at_once(scale.since, scale.after.tag) >= len(scale.replaced),
    }


@partial(question, "redeploy-new")
def _redeploy(recording: Recording) -> Facts:
    """Return the newest write that asked for the same again, else the newest of all."""
    over = [update for update in spec_updates(recording) if update.over]
    same = [update for update in over if update.same]
    if not over:
        raise not_over(recording, "a service that is deployed again")
    update = (same or over)[-1]
    every = len(update.replaced) == len(update.had)
    return {"update": update, "made": len(update.new), "every": every}


SCALE_TOUCHED = question("scale-touched", _scale)
TWELVE_NEW = question("twelve-new", _scale)

# ---- a removal ---------------------------------------------------------------------------


@partial(question, "stack-rm")
def _removal(recording: Recording) -> Facts:
    """Return when each task that the service still had was told to stop, and when it was gone."""
    removed = [n for n, each in enumerate(recording.changes) if isinstance(each, ServiceRemoved)]
    if recording.service or recording.listed or not removed:
        raise not_over(recording, "a service that is removed")
    begun = _begun(recording.changes, removed[-1])
    there = _there(recording.changes[:begun])
    told: dict[str, datetime] = {}
    gone: dict[str, datetime] = {}
    for change in recording.changes[begun:]:
        if isinstance(change, TaskForgotten) and change.id in there:
            told.setdefault(change.id, change.at)
            gone.setdefault(change.id, change.at)
        elif isinstance(change, TaskSeen) and change.task.id in there:
            if _told_to_go(change.task):
                told.setdefault(change.task.id, change.at)
            if change.task.ended:
                gone.setdefault(change.task.id, change.at)
    times = list(told.values())
    at_first = sum(at - min(times) <= _TOGETHER for at in times)
    return {
        "told": times,
        "gone": list(gone.values()),
        "at_first": at_first,
        "together": _TOGETHER,
    }


def _begun(changes: Sequence[Change], removed: int) -> int:
    """Return from which change on tasks are told by a removal.

    A poll asks for a service before its tasks, so it may find them told, every one, while the
    service is still there and wants them.
    """
    before = changes[:removed]
    services = [each.service for each in before if isinstance(each, ServiceSeen)]
    seen = [each for each in before if isinstance(each, TaskSeen)]
    told = [each.at for each in seen if each.task.desired_state == "remove"]
    if not told or not services or services[-1].replicas == 0 or _there(before):
        return removed
    return next(n for n, change in enumerate(changes) if change.at == told[-1])


def _there(changes: Iterable[Change]) -> set[str]:
    there: set[str] = set()
    for change in changes:
        if isinstance(change, TaskSeen) and not _told_to_go(change.task):
            there.add(change.task.id)
        elif isinstance(change, TaskSeen | TaskForgotten):
            there.discard(change.task.id if isinstance(change, TaskSeen) else change.id)
    return there


def _told_to_go(task: Task) -> bool:
    return task.ended or task.desired_state in ("shutdown", "remove")
