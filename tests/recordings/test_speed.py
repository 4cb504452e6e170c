"""The speed of dockercoins is a line, although its counter moves in bursts."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from labkit.base.errors import LabError
from labkit.recordings import speed
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen
from labkit.recordings.speed import Point, Speed
from tests.values import START, at, recording

Counter = Callable[[float], int]

#: Seconds that a worker of tag 1.0 takes for a hash: a sleep, rng and hasher, 0.1 s each.
ONE_HASH = 0.31
EACH = 1 / ONE_HASH


def workers(*phases: float) -> Counter:
    """The counter of workers that never rest, each out of step by its phase in seconds.

    As worker.py does: the first hash after a second is over brings all of them to redis.
    """
    hashes = int(1 / ONE_HASH) + 1

    def counter(seconds: float) -> int:
        each = (int((seconds + phase) / (hashes * ONE_HASH)) * hashes for phase in phases)
        return sum(each)

    return counter


def out_of_step(seed: int) -> Counter:
    chance = random.Random(seed)
    return workers(*(chance.uniform(0, 4 * ONE_HASH) for _ in range(10)))


def seen(counter: Counter, times: Iterable[float]) -> list[HashesSeen]:
    """What a meter sees; the page's clock is not that of the machine that records."""
    return [HashesSeen(at(t + 0.02), counter(t), 1000 + t) for t in times]


def every_half_second(begin: float, end: float) -> list[float]:
    return [begin + n / 2 for n in range(int((end - begin) * 2) + 1)]


def drawn(samples: Iterable[HashesSeen]) -> list[Point]:
    made = recording()
    for sample in samples:
        made.add(sample)
    return speed.points(made)


def values(points: Iterable[Point]) -> list[float]:
    return [value for _, value in points if value is not None]


@pytest.mark.parametrize("seed", range(5))
def test_ten_workers_that_never_rest_make_a_flat_line(seed: int) -> None:
    samples = seen(out_of_step(seed), every_half_second(10, 70))
    true = 10 * EACH
    assert values(drawn(samples)) == pytest.approx([true] * 113, rel=0.08)
    naive = [(b.hashes - a.hashes) / (b.now - a.now) for a, b in pairwise(samples)]
    assert max(abs(each - true) for each in naive) > 0.4 * true


def test_one_worker_is_no_longer_4_4_4_0() -> None:
    one = workers(0.1)
    naive = [(b.hashes - a.hashes) for a, b in pairwise(seen(one, range(10, 40)))]
    assert set(naive) == {0, 4}
    line = values(drawn(seen(one, every_half_second(10, 40))))
    assert line == pytest.approx([EACH] * len(line), rel=0.15)


def test_a_step_of_the_true_speed_is_a_slope_with_the_step_in_its_middle() -> None:
    """From 30 a second to 45, at second 20."""

    def counter(seconds: float) -> int:
        return round(30 * seconds + 15 * max(0, seconds - 20))

    points = drawn(seen(counter, every_half_second(0, 40)))
    told = {round((moment - START).total_seconds(), 1): value for moment, value in points}

    assert [told[s] for s in (2, 10, 18)] == pytest.approx([30] * 3, rel=0.01)
    assert told[20] == pytest.approx(37.5, rel=0.01)
    assert [told[s] for s in (22, 30, 38)] == pytest.approx([45] * 3, rel=0.01)
    assert values(points) == pytest.approx(sorted(values(points)), rel=0.01)


def test_the_first_point_comes_with_four_seconds_of_samples_and_is_two_seconds_old() -> None:
    made = Speed(START)
    samples = seen(lambda t: int(30 * t), every_half_second(0, 4))
    assert [made.take(each) for each in samples[:-1]] == [[]] * 8
    ((moment, value),) = made.take(samples[-1])
    assert moment == at(2.02)
    assert value == pytest.approx(30)


def test_samples_once_a_second_will_do_and_so_will_one_that_comes_late() -> None:
    times = [0, 1.1, 2, 3, 3.9, 5, 7.5, 8.2, 9]
    points = drawn(seen(lambda t: int(1000 * t), times))
    assert values(points) == pytest.approx([1000] * 5, rel=0.01)
    assert None not in [value for _, value in points]


def test_where_no_sample_came_the_line_breaks_and_begins_anew() -> None:
    before, after = every_half_second(0, 10), every_half_second(20, 30)
    points = drawn(seen(lambda t: int(30 * t), before + after))
    (hole,) = [moment for moment, value in points if value is None]
    assert hole == at(15.02)
    assert [m for m, _ in points if at(8.1) < m < at(21.9)] == [hole]
    assert values(points) == pytest.approx([30] * 26, rel=0.02)


def test_a_counter_that_begins_again_is_no_fall_of_the_speed() -> None:
    """Redis keeps it in memory only, so a redis that is replaced counts from nought."""
    points = drawn(seen(lambda t: int(30 * (t if t < 10 else t - 10)), every_half_second(0, 20)))
    assert [value for _, value in points].count(None) == 1
    assert values(points) == pytest.approx([30] * len(values(points)), rel=0.02)


def test_a_clock_that_is_put_back_breaks_the_line() -> None:
    made = Speed(START)
    made.take(HashesSeen(at(1), 30, 1001.0))
    assert made.take(HashesSeen(at(2), 60, 1001.0)) == [(at(1.5), None)]
    assert made.take(HashesSeen(at(3), 90, 5.0)) == [(at(2.5), None)]


def test_what_was_before_the_recording_has_no_point() -> None:
    made = Speed(at(5))
    points = [p for s in seen(lambda t: int(30 * t), range(10)) for p in made.take(s)]
    assert [moment for moment, _ in points] == [at(s + 0.02) for s in (5, 6, 7)]


def test_a_service_that_stands_still_has_a_speed_of_nought() -> None:
    assert values(drawn(seen(lambda _: 500, range(10)))) == [0] * 6


def test_a_recording_without_samples_has_no_points() -> None:
    made: Recording = recording()
    assert speed.points(made) == []
    with pytest.raises(LabError, match=r"it holds 0 samples"):
        speed.at(made, at(5))
    made.header = replace(made.header, provenance="acted")
    assert speed.at(made, at(5)) == 0


def test_the_speed_before_an_update_is_not_that_of_workers_that_still_start() -> None:
    made = recording()
    for sample in seen(lambda t: int(3 * t if t < 5 else 30 * t - 135), every_half_second(0, 20)):
        made.add(sample)
    assert speed.at(made, at(17)) == pytest.approx(30)
    assert speed.at(made, at(0)) == pytest.approx(3)
