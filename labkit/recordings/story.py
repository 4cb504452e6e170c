"""Questions that a recording answers: what an update did, in numbers. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, Self

from labkit.base.errors import NotSettled
from labkit.recordings import speed
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen, ServiceSeen, TaskSeen
from labkit.recordings.update.phases import described
from labkit.recordings.values import UpdateStatus

#: How much of the time before an update says how fast dockercoins was without it.
_BEFORE = timedelta(seconds=30)
#: The share of their length, or seconds, by which predictions differ for no other reason than
#: how long each step takes.
_ALIKE, _ALIKE_SECONDS = 0.05, 1.0


def phases(recording: Recording) -> list[str]:
    """Return the states that the update went through while it was recorded, in order.

    The state that the recording began with is the last update's, so it is left out,
    unless that update was still under way.
    """
    return [status.state for _, status in _statuses(recording)]


@dataclass(frozen=True, slots=True)
class Update:
    """An update, as it was recorded. A rollback that Swarm does by itself is part of it."""

    #: When labkit saw it begin, and saw it settle; `None` while it goes on.
    began: datetime
    ended: datetime | None
    #: When it began by the engine's own clock.
    started_at: datetime | None
    #: The update status that it ended with, or the last that was seen of it.
    status: UpdateStatus

    @property
    def total(self) -> timedelta | None:
        """How long it took: by the engine's own clock, or by labkit's if it was paused."""
        completed_at = self.status.completed_at
        if self.ended and self.started_at and completed_at:
            return completed_at - self.started_at
        return self.ended - self.began if self.ended else None


def first_update(recording: Recording) -> Update | None:
    """Return the first update under this recording, or `None` if nothing was updated.

    One that is replaced by another before it has settled goes on as that one.
    """
    statuses = _statuses(recording)
    if not statuses:
        return None
    began, first = statuses[0]
    for at, status in statuses:
        if status.settled:
            return Update(began, at, first.started_at, status)
    return Update(began, None, first.started_at, statuses[-1][1])


def running_now(recording: Recording) -> dict[str, int]:
    """Return how many replicas run each tag at the end, tags with none left out."""
    steps = recording.running_by_tag()
    return {tag: count for tag, count in sorted(steps[-1][1].items()) if count} if steps else {}


def fewest_running(recording: Recording) -> int:
    """Return the smallest number of replicas that ran at any moment, of all tags together.

    What was seen counts, and what the engine's own times say of the moments between.
    """
    seen = (counts.total() for _, counts in recording.running_by_tag())
    return min((*seen, *(count for _, count in ran(recording))), default=0)


def ran(recording: Recording) -> list[tuple[datetime, int]]:
    """Return how many replicas ran, as steps by the engine's own times.

    A dip that ends before the next poll shows here: tasks say when they came to run, and
    when they ended. Those that ran at the first poll count from the beginning. A task whose
    node is down ran until the manager said so, and may run again when the node is back.
    """
    first = recording.changes[0].at if recording.changes else None
    running: set[str] = set()
    ran: set[str] = set()
    steps: list[tuple[datetime, int]] = []
    count = 0
    for change in recording.of(TaskSeen):
        task, runs = change.task, change.task.id in running
        if task.running and not runs:
            running.add(task.id)
            if change.at == first:
                count += 1
            else:
                steps.append((change.at if task.id in ran else task.status_at, 1))
            ran.add(task.id)
        elif runs and (task.ended or task.lost):
            running.discard(task.id)
            steps.append((task.status_at if task.ended else change.at, -1))
    # of two at the same moment, the start goes first: that is not a dip
    steps.sort(key=lambda step: (step[0], -step[1]))
    return [(at, count := count + step) for at, step in steps]


def slots_that_ran(recording: Recording, tag: str) -> set[int | None]:
    """Return the slots that had a task with this tag, whether or not it ever got to run.

    Tasks that had ended before the recording began are history, and do not count.
    """
    history = _history(recording)
    tasks = recording.tasks.values()
    return {task.slot for task in tasks if task.tag == tag and task.id not in history}


def starts(recording: Recording, tag: str) -> list[datetime]:
    """Return when each task with this tag came to run by the engine's own times, in order."""
    first: dict[str, datetime] = {}
    for change in recording.of(TaskSeen):
        if change.task.running and change.task.tag == tag:
            first.setdefault(change.task.id, change.task.status_at)
    return sorted(first.values())


def most_at_once(recording: Recording, tag: str) -> int:
    """Return how many slots were on their way to this tag at the same moment, at most.

    A slot is on its way from when its new task is first seen to when that task runs or ends.
    """
    on_the_way: set[int | None] = set()
    most = 0
    moment: datetime | None = None
    for change in recording.of(TaskSeen):
        if change.at != moment:  # everything in one poll counts as one moment
            most, moment = max(most, len(on_the_way)), change.at
        task = change.task
        if task.tag == tag:
            if task.running or task.ended:
                on_the_way.discard(task.slot)
            elif task.desired_state in ("ready", "running"):
                on_the_way.add(task.slot)
    return max(most, len(on_the_way))


def from_last_start_to_end(recording: Recording, tag: str) -> timedelta:
    """Return how long after its last replica had started the update was called done.

    Measured between the engine's own times. Raises `NotSettled` if it is not done.
    """
    return _to_the_end(recording, max(starts(recording, tag), default=None))


def took(recording: Recording) -> timedelta:
    """Return how long the update took by the engine's own clock.

    Raises `NotSettled` if it is not done.
    """
    status = recording.service.update_status if recording.service else None
    return _to_the_end(recording, status.started_at if status else None)


def slots_touched(recording: Recording) -> int:
    """Return how many places had a task replaced during the first update, by whomever.

    A place is a slot, or the node of a global task. Those that the update added by a scale
    up were filled and not replaced; they do not count. Which task is new goes by the
    engine's own times: the first ones may be seen a poll before the update is.
    """
    update = first_update(recording)
    if update is None:
        return 0
    there: set[int | str] = set()
    touched: set[int | str] = set()
    known: set[str] = set()
    for change in recording.of(TaskSeen):
        if change.task.id in known:
            continue
        task = change.task
        known.add(task.id)
        place = task.node_id if task.slot is None else task.slot
        made_since = update.started_at is not None and task.created_at >= update.started_at
        if change.at < update.began and not made_since:  # it was there before
            there.add(place)
        elif change.at <= (update.ended or change.at) and place in there:
            touched.add(place)
        else:
            there.add(place)
    return len(touched)


def hashes_lost(recording: Recording) -> float | None:
    """Return how many hashes the first update under this recording cost.

    They are those that dockercoins would have made meanwhile at the speed of the half
    minute before, less those that it made; negative if it made more. The speed is known to
    a few percent (`labkit.speed`), so the number is as good as that many percent of all.
    `None` if the update has not settled, or the counter was not seen before it, at its
    end, and without a fall between, or its clock was set meanwhile.
    """
    update = first_update(recording)
    if update is None or update.ended is None:
        return None
    began, ended = update.began, update.ended
    seen = recording.of(HashesSeen)
    before = [each for each in seen if began - _BEFORE <= each.at <= began]
    during = before[-1:] + [each for each in seen if began < each.at <= ended]
    if not _reach(before, began) or not _reach(during, ended) or _breaks(before + during[1:]):
        return None
    if before[-1].now - before[0].now < speed.WINDOW - speed.SLACK:
        return None
    seconds = during[-1].now - during[0].now
    return speed.rate(before) * seconds - (during[-1].hashes - during[0].hashes)


def errors(recording: Recording) -> list[str]:
    """Return the different errors of tasks, in Docker's words, in the order first seen.

    Those of tasks that had ended before the recording began do not count.
    """
    history = _history(recording)
    seen = (change.task for change in recording.of(TaskSeen))
    said = (task.error for task in seen if task.error and task.id not in history)
    return list(dict.fromkeys(said))


def facts(recording: Recording) -> dict[str, Any]:
    """Return what a recording tells, in values that JSON has. Times are RFC 3339 in UTC.

    `total_seconds` and `hashes_lost` are of the first update; they are `None` where there
    is none, or they are not known. `left_out` changes before `started` were not looked at.
    """
    update, ended = first_update(recording), recording.ended
    lost = hashes_lost(recording)
    return {
        "service": recording.header.service,
        "engine": recording.header.engine,
        "provenance": recording.header.provenance,
        "started": recording.header.started.isoformat(),
        "ended": ended.at.isoformat() if ended else None,
        "why": ended.why if ended else "",
        "states": [
            {"at": at.isoformat(), "state": status.state, "message": status.message}
            for at, status in _statuses(recording)
        ],
        "total_seconds": update.total.total_seconds() if update and update.total else None,
        "slots_touched": slots_touched(recording),
        "fewest_running": fewest_running(recording),
        "running": running_now(recording),
        "hashes_lost": None if lost is None else round(lost),
        "marks": [{"of": of.isoformat(), "label": label} for of, label in recording.marks()],
        "torn_lines": recording.torn_lines,
        "left_out": recording.left_out,
    }


def _statuses(recording: Recording) -> list[tuple[datetime, UpdateStatus]]:
    """Return the update status over time, without that of an update that was over before."""
    states = recording.update_states()
    first = states[0][1] if states else None
    if first is None or first.settled:
        states = states[1:]
    return [(at, status) for at, status in states if status]


def _reach(samples: list[HashesSeen], moment: datetime) -> bool:
    """Whether the last sample is of that moment, more or less."""
    return bool(samples) and (moment - samples[-1].at).total_seconds() <= speed.APART


def _breaks(samples: list[HashesSeen]) -> bool:
    """Whether the counter or the page's clock ever goes back, or that clock was set forward."""
    return any(
        b.hashes < a.hashes or not 0 < b.now - a.now <= (b.at - a.at).total_seconds() + speed.APART
        for a, b in pairwise(samples)
    )


def _history(recording: Recording) -> set[str]:
    """Return the ids of the tasks that had ended when the recorder first looked."""
    seen = [change for change in recording.changes if isinstance(change, ServiceSeen | TaskSeen)]
    looked = (change for change in seen if change.at == seen[0].at)
    return {each.task.id for each in looked if isinstance(each, TaskSeen) and each.task.ended}


def _to_the_end(recording: Recording, began: datetime | None) -> timedelta:
    status = recording.service.update_status if recording.service else None
    if not status or not status.completed_at or not began:
        raise NotSettled(
            "a recording of an update from its start to its end.",
            described(recording),
            "run the notebook again from the top, or watch the service again and update it.",
        )
    return status.completed_at - began


class Outcome(NamedTuple):
    """The outcome of a prediction: how its update ended and when, if there is one."""

    state: str | None
    total: timedelta | None
    touched: int
    fewest: int

    @classmethod
    def of(cls, run: Recording) -> Self:
        """Return the outcome of a recording."""
        update = first_update(run)
        state, total = (update.status.state, update.total) if update else (None, None)
        return cls(state, total, slots_touched(run), fewest_running(run))


def over_seeds(runs: Iterable[Recording | Outcome]) -> dict[str, Any]:
    """Return what predictions with different seeds have, in values that JSON has.

    `total_seconds` is the least and the most, `None` where no update ends; of all else there
    are the different values, in order.
    """
    found = [run if isinstance(run, Outcome) else Outcome.of(run) for run in runs]
    totals = [each.total.total_seconds() for each in found if each.total]
    return {
        "seeds": len(found),
        "states": sorted({each.state for each in found if each.state}),
        "total_seconds": [min(totals), max(totals)] if totals else None,
        "slots_touched": sorted({each.touched for each in found}),
        "fewest_running": sorted({each.fewest for each in found}),
    }


def in_words(recording: Recording, *others: Recording | Outcome) -> str:
    """Return what a prediction says, in a sentence: how it ends, when, and at what cost.

    `others` are predictions of the same with other seeds: where they differ, chance decides,
    and there is a range.
    """
    update = first_update(recording)
    ended = recording.ended.why if recording.ended else ""
    if update is None:
        running = sum(running_now(recording).values())
        return f"Predicted: no task is replaced; in the end {running} replicas run. {ended}"
    spread = over_seeds((recording, *others))
    counts = [spread[name] for name in ("states", "slots_touched", "fewest_running")]
    states, slots, (fewest, *more) = counts
    least, most = spread["total_seconds"] or (0.0, 0.0)
    total, seeds = "", spread["seeds"]
    if most - least > max(_ALIKE * most, _ALIKE_SECONDS):
        total = f" after {least:.1f} to {most:.1f} s"
    elif update.total:
        total = f" after {update.total.total_seconds():.1f} s"
    chance = any(len(values) > 1 for values in counts) or " to " in total
    return (
        f"Predicted: {' or '.join(states)}{total}; {_one_of(slots)} slot{'s' * (slots != [1])} "
        f"touched, never fewer than {fewest} replicas running"
        + (f" ({more[-1]} with luck)." if more else ".")
        + ("" if update.ended else f" {ended}")
        + (f" Chance decides: these are the ranges of {seeds} predictions." if chance else "")
    )


def _one_of(counts: Sequence[int]) -> str:
    first, last = counts[0], counts[-1]
    return f"{first}" if first == last else f"{first} {'to' if counts[2:] else 'or'} {last}"
