"""Several recordings of updates side by side: what each of them has, in numbers. Pure.

One at a time against two at a time: total time, fewest replicas running, hashes lost.
Every run counts its seconds from the beginning of its own update, so that runs of
different days lie over one another.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from labkit.base.errors import BadValue, RecordingProblem
from labkit.recordings import speed, story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import ServiceSeen
from swarmsim.go import durations
from swarmsim.go.states import UpdateState

#: The last changes of a long recording that are compared, and how many of these may be about
#: something other than tasks and hashes: each of them is a line of the facts.
MOST_CHANGES = 50_000, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One update, the first that its recording holds."""

    name: str
    #: When the update began: when labkit saw it, by the clock of the machine that recorded.
    began: datetime
    #: How long it took: by the engine's own clock, or by labkit's where the engine gives no
    #: end (an update that was paused). `None` if the recording ends before the update does.
    total: timedelta | None
    #: How many slots had a task replaced.
    touched: int
    #: The fewest and the most replicas that ran at a moment of the update, of all tags.
    fewest: int
    most: int
    #: `None` if unknown; negative if more were made (`labkit.recordings.story.hashes_lost`).
    hashes_lost: float | None
    #: The update status at its end, or the last that was seen of it.
    state: UpdateState
    #: The tags that ran during it, in the order first seen.
    tags: tuple[str, ...]
    #: Seconds since it began, and how many replicas ran from then on; the first is at 0.
    steps: list[tuple[float, int]]
    #: Seconds since it began, and hashes a second; `None` where the line is broken.
    speed: list[tuple[float, float | None]]


def compare(recordings: Sequence[Recording], names: Sequence[str] | None = None) -> list[Run]:
    """Return what each recording has in numbers, in the order given.

    `names` has one for each; without it they are told apart by what was asked of Swarm.
    Raises `RecordingProblem` for a recording with no update in it, and `BadValue` for
    names that are too few or too many.
    """
    if names is None:
        names = [name_of(recording) for recording in recordings]
    if len(names) != len(recordings):
        raise BadValue(
            f"each recording needs a name: {len(recordings)} recordings, but {len(names)} names"
        )
    return [_run(*each) for each in zip(recordings, _told_apart(names), strict=True)]


def name_of(recording: Recording) -> str:
    """Return what an update was, in a few words: `dc_worker 1.0 → 1.1, 2 at a time, delay 5s`."""
    began = _update(recording).began
    seen = recording.of(ServiceSeen)
    after = next(change.service for change in seen if change.at >= began)
    before = seen[0].service  # not the one just before: a spec may be seen before its update
    tags = after.tag if after.tag == before.tag else f"{before.tag} → {after.tag}"
    config = after.update_config
    delay = f", delay {durations.to_text(config.delay)}" if config.delay else ""
    predicted = ", predicted" if recording.header.provenance == "predicted" else ""
    return f"{after.name} {tags}, {config.parallelism or 'all'} at a time{delay}{predicted}"


def _run(recording: Recording, name: str) -> Run:
    update = _update(recording)
    running = recording.running_by_tag()
    # the first step holds when the update begins
    steps = [(update.began, counts) for at, counts in running if at <= update.began][-1:]
    steps += [(at, counts) for at, counts in running if at > update.began]
    during = [counts for at, counts in steps if at <= (update.ended or at)]
    totals = [counts.total() for counts in during]
    until = update.status.completed_at or update.ended
    since = update.started_at or update.began
    between = [
        count
        for at, count in story.ran(recording)
        if since <= at and (until is None or at <= until)
    ]
    return Run(
        name=name,
        began=update.began,
        total=update.total,
        touched=story.slots_touched(recording),
        fewest=min((*totals, *between), default=0),
        most=max(totals, default=0),
        hashes_lost=story.hashes_lost(recording),
        state=update.status.state,
        tags=tuple(dict.fromkeys(tag for counts in during for tag, n in counts.items() if n)),
        steps=[((at - update.began).total_seconds(), counts.total()) for at, counts in steps],
        speed=[((at - update.began).total_seconds(), it) for at, it in speed.points(recording)],
    )


def _update(recording: Recording) -> story.Update:
    update = story.first_update(recording)
    if update is None:
        raise RecordingProblem(
            f"a recording of an update of {recording.header.service}.",
            "a recording in which nothing was updated.",
            "compare recordings of updates, or show this one alone.",
        )
    return update


def _told_apart(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    apart = []
    for name in names:
        seen[name] += 1
        apart.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return apart
