"""An exercise about tasks that do not stop when they are told to. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, exercise
from labkit.lessons.checks.exercises.common import TEN, judged, middle, unfinished
from labkit.lessons.checks.finding import Finding, not_yet, passed
from labkit.lessons.checks.wording import counted, listed, seconds
from labkit.recordings.values import Task

_DEAF = "deaf"
#: A task that reacts to SIGTERM has ended within this: in three to five seconds, two of them
#: the engine's own, on a machine that is busy too. One that does not needs ten seconds more.
_QUICK = timedelta(seconds=7)
#: The exit code of a process that was killed.
_KILLED = 137
#: The tags that are there without anybody's having mended anything.
_LESSON = frozenset({"1.0", "1.1", "bugged", _DEAF})


def _judge(evidence: Evidence) -> Finding:
    def one(attempt: Attempt) -> Finding:
        newest = attempt is evidence.last
        older = [each for each in evidence.attempts if each.update.began < attempt.update.began]
        return _stopping(attempt, evidence.now if newest else attempt.recording.last_at, older)

    return judged(evidence, one, _MEND)


def _stopping(attempt: Attempt, until: datetime, older: list[Attempt]) -> Finding:
    waited = {each: until - told for each, told in attempt.stopping.items()}
    late = {each: took for each, took in (attempt.stops | waited).items() if took > _QUICK}
    stopped = attempt.stops.keys() - late.keys()
    if late:
        return _slow(attempt, late, older)
    if waited or attempt.state == "updating":
        return _on_their_way(attempt, len(waited))
    if 2 * len(stopped) < (attempt.before.replicas or TEN):
        return unfinished(attempt) or not_yet(
            f"{counted(len(stopped), 'task')} were told to stop, "
            f"of {counted(attempt.before.replicas or 0, 'replica')}.",
            "Whether every slot changes over quickly is seen when at least half of them do.",
            "update once more, so that all slots are replaced: `force=True` does it.",
        )
    return _quick(attempt)


def _on_their_way(attempt: Attempt, count: int) -> Finding:
    return not_yet(
        f"the update to {attempt.tag} is not over"
        + (f": of those told to stop, {counted(count, 'task')} did not end yet." if count else "."),
        "How long a task takes to stop is known when it has stopped.",
        "wait until the view says `completed`, and check again.",
    )


def _slow(attempt: Attempt, late: dict[str, timedelta], older: list[Attempt]) -> Finding:
    """Say whose image it is that does not end on SIGTERM: an update's, or the first one."""
    tasks = {each: attempt.recording.tasks[each] for each in late}
    makers = {each: maker for each in late if (maker := _maker(tasks[each], older))}
    if makers:
        return _made_deaf(attempt, {each: late[each] for each in makers}, [*makers.values()][-1])
    grace = f"{_GRACE} It is the old task that is told to stop, and it does what its image says"
    if attempt.tag == _DEAF:
        return not_yet(
            _saw(attempt, late),
            f"{grace}: these were there before the update. What those do that the update to "
            f"{_DEAF} made shows when they have to stop.",
            f"has worker.py been mended, and {_DEAF} built from it anew? Then update once more, "
            f"with `force=True`. If not, {_MEND}",
        )
    return not_yet(
        _saw(attempt, late),
        f"{grace}; what {attempt.tag} says shows when its own tasks have to stop.",
        f"update once more, with `force=True`: now the tasks of {attempt.tag} have to stop.",
    )


def _maker(task: Task, attempts: list[Attempt]) -> Attempt | None:
    """Return the newest of some updates that may have made a task; `None` if none has."""
    made = (
        each
        for each in attempts
        if each.requested.image == task.image
        and each.update.started_at is not None
        and each.update.started_at <= task.created_at
    )
    return max(made, key=lambda each: each.update.began, default=None)


def _made_deaf(attempt: Attempt, late: dict[str, timedelta], maker: Attempt) -> Finding:
    return not_yet(
        _saw(attempt, late, f", which the update to {maker.tag} had made,"),
        f"{_GRACE} The tasks of {maker.tag} that this update made do not end on SIGTERM either.",
        "look again at what `main()` in worker.py does about SIGTERM; mend it, build a new "
        "tag, update to it, and then once more.",
    )


def _saw(attempt: Attempt, late: dict[str, timedelta], made: str = "") -> str:
    tasks = [attempt.recording.tasks[each] for each in late]
    took = seconds(middle(late.values()))
    ended = f"took {took} to end" if late.keys() & attempt.stops else f"had not ended {took} later"
    return (
        f"in the update from {attempt.before.tag} to {attempt.tag} the old tasks of "
        f"{_slots(tasks)}{made} were told to stop, and {ended}{_ends(tasks)}."
    )


def _quick(attempt: Attempt) -> Finding:
    tasks = [attempt.recording.tasks[each] for each in attempt.stops]
    longest = max(attempt.stops.values())
    total = f"; the whole update took {seconds(attempt.total)}" if attempt.total else ""
    killed = all(task.exit_code == _KILLED for task in tasks)
    return passed(
        f"{counted(len(tasks), 'task')} of {tasks[0].tag} were told to stop, and each had ended "
        f"within {seconds(longest)}{total}.",
        (
            "They were killed (exit code 137), but soon: the grace period is short. "
            "What they had in hand is lost; a process that ends on SIGTERM loses nothing."
            if killed
            else "They end by themselves on SIGTERM, so nobody waits for the end of the ten "
            "seconds. About two seconds of what is left are the engine's: it takes a task off "
            "its network first."
        ),
    )


def _slots(tasks: list[Task]) -> str:
    return listed(sorted({task.slot for task in tasks if task.slot is not None}))


def _ends(tasks: list[Task]) -> str:
    killed = all(task.exit_code == _KILLED for task in tasks)
    return " (exit code 137: they were killed)" if killed else ""


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    if service.tag != _DEAF:
        return (
            f"The service runs {service.tag}. Have tasks of {service.tag} been told to stop yet, "
            f"or only those of {_DEAF}?"
        )
    own = sorted(evidence.tags - _LESSON)
    if own:
        return f"The engine has an image {own[-1]}, but the service still runs {_DEAF}."
    return f"The service runs {_DEAF}, and no other image of yours is built yet."


_GRACE = "Swarm sends SIGTERM, and whoever has not ended ten seconds later is killed."
_MEND = (
    "find the line of worker.py that says what becomes of a SIGTERM, mend it, build a tag of "
    "your own, and update to it."
)

TWELVE_SECONDS = exercise(
    "twelve-seconds", _judge, begins=Begins(tag=_DEAF, edits=("faster", _DEAF)), notice=_notice
)
