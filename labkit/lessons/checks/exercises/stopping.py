"""An exercise about tasks that do not stop when they are told to. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Begins, Evidence, exercise
from labkit.lessons.checks.exercises.common import TEN, judged, middle, unfinished
from labkit.lessons.checks.finding import Finding, Findings
from labkit.lessons.checks.wording import listed
from labkit.recordings.values import Task

_SAY = Findings("stopping")

_DEAF = "deaf"
#: A task that reacts to SIGTERM has ended within this: in three to five seconds, two of them
#: the engine's own, on a machine that is busy too. One that does not needs ten seconds more.
_QUICK = timedelta(seconds=7)
#: The exit code of a process that was killed.
_KILLED = 137
#: The lesson's own tags, in which nothing is fixed.
_LESSON = frozenset({"1.0", "1.1", "bugged", _DEAF})


def _judge(evidence: Evidence) -> Finding:
    def one(attempt: Attempt) -> Finding:
        newest = attempt is evidence.last
        older = [each for each in evidence.attempts if each.update.began < attempt.update.began]
        return _stopping(attempt, evidence.now if newest else attempt.recording.last_at, older)

    return judged(evidence, one, _SAY.text("first"))


def _stopping(attempt: Attempt, until: datetime, older: list[Attempt]) -> Finding:
    waited = {each: until - told for each, told in attempt.stopping.items()}
    late = {each: took for each, took in (attempt.stops | waited).items() if took > _QUICK}
    stopped = attempt.stops.keys() - late.keys()
    if late:
        return _slow(attempt, late, older)
    if waited or attempt.state == "updating":
        return _on_their_way(attempt, len(waited))
    if 2 * len(stopped) < (attempt.before.replicas or TEN):
        return unfinished(attempt) or _SAY.not_yet(
            "few-stopped", count=len(stopped), replicas=attempt.before.replicas or 0
        )
    return _quick(attempt)


def _on_their_way(attempt: Attempt, count: int) -> Finding:
    waiting = _SAY.text("waiting", count=count) if count else ""
    return _SAY.not_yet("not-over", attempt=attempt, waiting=waiting)


def _slow(attempt: Attempt, late: dict[str, timedelta], older: list[Attempt]) -> Finding:
    """Say whose image it is that does not end on SIGTERM: an update's, or the first one."""
    tasks = {each: attempt.recording.tasks[each] for each in late}
    makers = {each: maker for each in late if (maker := _maker(tasks[each], older))}
    if makers:
        return _made_deaf(attempt, {each: late[each] for each in makers}, [*makers.values()][-1])
    if attempt.tag == _DEAF:
        return _SAY.not_yet("old-deaf", saw=_saw(attempt, late))
    return _SAY.not_yet("old-image", saw=_saw(attempt, late), attempt=attempt)


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
    return _SAY.not_yet(
        "still-deaf", saw=_saw(attempt, late, _SAY.text("made-by", maker=maker)), maker=maker
    )


def _saw(attempt: Attempt, late: dict[str, timedelta], made: str = "") -> str:
    tasks = [attempt.recording.tasks[each] for each in late]
    did = "ended" if late.keys() & attempt.stops else "not-ended"
    ended = _SAY.text(did, took=middle(late.values()))
    killed = _SAY.text("killed") if _were_killed(tasks) else ""
    told = _SAY.text("told", attempt=attempt, slots=_slots(tasks), made=made, ended=ended)
    return f"{told}{killed}."


def _quick(attempt: Attempt) -> Finding:
    tasks = [attempt.recording.tasks[each] for each in attempt.stops]
    total = _SAY.text("total", attempt=attempt) if attempt.total else ""
    return _SAY.passed(
        "passed",
        count=len(tasks),
        tag=tasks[0].tag,
        longest=max(attempt.stops.values()),
        total=total,
        why=_SAY.text("why-killed" if _were_killed(tasks) else "why-ended"),
    )


def _slots(tasks: list[Task]) -> str:
    return listed(sorted({task.slot for task in tasks if task.slot is not None}))


def _were_killed(tasks: list[Task]) -> bool:
    return all(task.exit_code == _KILLED for task in tasks)


def _notice(evidence: Evidence) -> str:
    service = evidence.service
    if service is None:
        return ""
    if service.tag != _DEAF:
        return _SAY.text("notice-updated", service=service)
    own = sorted(evidence.tags - _LESSON)
    return _SAY.text("notice-built", own=own[-1]) if own else _SAY.text("notice-not-built")


TWELVE_SECONDS = exercise(
    "twelve-seconds", _judge, begins=Begins(tag=_DEAF, edits=("faster", _DEAF)), notice=_notice
)
