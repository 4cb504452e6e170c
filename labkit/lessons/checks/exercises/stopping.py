"""What an exercise about tasks that do not stop when they are told to goes by. Pure."""

from datetime import timedelta
from functools import partial
from statistics import median_high

from labkit.base.rules import Facts, listed
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence, exercise
from labkit.recordings.values import Task

#: A task that reacts to SIGTERM has ended within this: in three to five seconds, two of them
#: the engine's own, on a machine that is busy too. One that does not needs ten seconds more.
_QUICK = timedelta(seconds=7)
#: The exit code of a process that was killed.
_KILLED = 137
#: The lesson's own tags, in which nothing is fixed.
_LESSON = frozenset({"1.0", "1.1", "bugged", "deaf"})


@partial(exercise, "twelve-seconds", any_update=True)
def _facts(evidence: Evidence, attempt: Attempt | None) -> Facts:
    own = sorted(evidence.tags - _LESSON)
    if attempt is None:
        return {"own": own}
    tasks, stops = attempt.recording.tasks, attempt.stops
    until = evidence.now if attempt is evidence.last else attempt.recording.last_at
    waited = {each: until - told for each, told in attempt.stopping.items()}
    late = {
        each: took
        for each, took in (stops | waited).items()
        # one with another exit code has ended by itself, however busy the machine was
        if took > _QUICK and tasks[each].exit_code in (None, _KILLED)
    }
    older = [each for each in evidence.attempts if each.update.began < attempt.update.began]
    makers = {each: maker for each in late if (maker := _maker(tasks[each], older))}
    told = [tasks[each] for each in makers or late or stops]
    return {
        "own": own,
        "late": late,
        "waiting": len(waited),
        "stopped": [tasks[each] for each in stops],
        # the newest update that made one of those that are late; else the first image is to blame
        "maker": [*makers.values()][-1] if makers else None,
        "ended": [each for each in makers or late if each in stops],
        "took": median_high(late[each] for each in makers or late) if late else None,
        "slots": listed(sorted({task.slot for task in told if task.slot is not None})),
        "killed": all(task.exit_code == _KILLED for task in told),
    }


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
