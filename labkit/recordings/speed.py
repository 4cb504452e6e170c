"""How many hashes a second dockercoins makes, over time. Pure.

A worker adds to the counter in bursts: every second or so, all that it has made since.
The difference between two polls a second apart holds three bursts of it, or four, or
none, so a chart of such differences shows 4, 4, 4, 0 for a worker that never rests.

Here a point is the slope of the straight line that fits the samples of four seconds
best. Of ten workers, 3.2 hashes a second each and out of step, with two samples a second,
single differences are off by up to 75 %, the difference over four seconds by 8 %, and
this slope by 4 %.

Seconds are those of the web page's own clock, read together with the counter, so that
the time the answer took does not matter. A point stands in the middle of its samples:
what slows the workers down is then in the middle of the slope that it causes, and the
newest point is two seconds old.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from labkit.base.errors import LabError
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen

#: Over how many seconds of samples a point is taken.
WINDOW = 4.0
#: How many seconds fewer will do, as no sample comes to the millisecond.
SLACK = 0.25
#: Samples further apart than these seconds have nothing to do with each other.
APART = 3.0

#: A moment, and the hashes a second then; `None` where the line is broken.
Point = tuple[datetime, float | None]


class Speed:
    """Turns samples into points as they come.

    `origin` is when the recording began: points of moments before it are left out.
    """

    def __init__(self, origin: datetime) -> None:
        self._origin = origin
        self._window: deque[HashesSeen] = deque()

    def take(self, sample: HashesSeen) -> list[Point]:
        """Take the next sample, and return the points that it adds.

        The line breaks where samples are more than `APART` seconds apart, where the
        counter fell (redis was started again), and where the page's clock was put back.
        """
        points: list[Point] = []
        last = self._window[-1] if self._window else None
        if last and not _follows(last, sample):
            self._window.clear()
            points.append((_middle(last, sample), None))
        self._window.append(sample)
        while len(self._window) > 1 and _seconds(self._window[1], sample) >= WINDOW - SLACK:
            self._window.popleft()
        first = self._window[0]
        if _seconds(first, sample) >= WINDOW - SLACK:
            points.append((_middle(first, sample), rate(self._window)))
        return [(at, value) for at, value in points if at >= self._origin]


def points(recording: Recording) -> list[Point]:
    """Return the speed over the whole recording; nothing if it holds no samples."""
    speed = Speed(recording.header.started)
    return [point for sample in recording.of(HashesSeen) for point in speed.take(sample)]


def at(recording: Recording, moment: datetime) -> float:
    """Return how many hashes a second were made when an update began, or at another moment.

    It is the last point before it, else the first one after it; 0 where tasks only acted.
    Raises `LabError` if the recording holds none.
    """
    if recording.header.provenance == "acted":
        return 0
    known = [(when, value) for when, value in points(recording) if value is not None]
    before = [value for when, value in known if when <= moment]
    if not known:
        raise LabError(
            "a recording with the speed of dockercoins in it.",
            f"it holds {len(recording.of(HashesSeen))} samples, and a point takes four seconds.",
            "record an update of the worker with `labkit.watch` while its web page answers.",
        )
    return before[-1] if before else known[0][1]


def rate(of: Sequence[HashesSeen]) -> float:
    """Return the hashes a second of two samples or more, as the slope of their best line."""
    from statistics import linear_regression  # which brings decimal numbers and more

    first = of[0]  # from there, as 1.8 thousand million seconds leave a float few decimals
    seconds = [_seconds(first, each) for each in of]
    return linear_regression(seconds, [each.hashes - first.hashes for each in of]).slope


def _follows(last: HashesSeen, sample: HashesSeen) -> bool:
    return sample.hashes >= last.hashes and 0 < _seconds(last, sample) <= APART


def _seconds(begin: HashesSeen, end: HashesSeen) -> float:
    return end.now - begin.now


def _middle(begin: HashesSeen, end: HashesSeen) -> datetime:
    return begin.at + (end.at - begin.at) / 2
