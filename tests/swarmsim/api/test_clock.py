"""The engine's clock: at a multiple of the wall's, and in real time while a process is awaited."""

import time
from pathlib import Path

import pytest

from swarmsim.engine.clock import Clock
from swarmsim.engine.engine import Engine
from swarmsim.go.times import fixed_stamp, stamp
from swarmsim.model import SECOND
from swarmsim.runtime.acted import Acted
from tests.swarmsim.api.test_services import made, of_container, running
from tests.swarmsim.conftest import Served
from tests.waiting import until


class Wall:
    """A wall's clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 5

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def test_a_clock_runs_at_its_speed(wall: Wall):
    clock = Clock(20, start=1000, monotonic=wall)
    wall.now += 3
    assert clock.read() == 1060


def test_a_clock_begins_at_the_walls_time():
    assert abs(Clock().read() - time.time_ns()) < SECOND


def test_a_clock_runs_in_real_time_while_it_is_told_to(wall: Wall):
    clock = Clock(20, start=1000, monotonic=wall)
    clock.set(1000, real_time=True)
    wall.now += 10
    slow = clock.read()
    clock.set(slow, real_time=False)
    wall.now += 10

    assert (slow, clock.read()) == (1010, 1210)


def test_a_clock_of_speed_zero_is_moved_by_hand(wall: Wall):
    clock = Clock(0, start=1000, monotonic=wall)
    wall.now += 10
    still = clock.read()
    clock.advance(500)
    assert (still, clock.read()) == (1000, 1500)
    assert (clock.seconds_until(1500), clock.seconds_until(1501)) == (0, float("inf"))


def test_a_clock_never_runs_backwards(wall: Wall):
    clock = Clock(1, start=1000, monotonic=wall)
    clock.set(900, real_time=False)
    assert clock.read() == 1000


@pytest.mark.parametrize("speed", [1, 20])
def test_in_real_time_nothing_is_lost_while_the_engine_is_busy(wall: Wall, speed: float):
    clock = Clock(speed, start=1000, monotonic=wall)
    clock.set(1000, real_time=True)
    for _ in range(10):
        wall.now += 7
        reached = clock.read()
        wall.now += 3  # the cluster takes a while
        clock.set(reached, real_time=True)

    assert clock.read() == 1100


def test_at_a_multiple_the_engine_takes_its_time_off_the_clock(wall: Wall):
    clock = Clock(20, start=1000, monotonic=wall)
    wall.now += 1
    reached = clock.read()
    wall.now += 3
    clock.set(reached, real_time=False)
    assert clock.read() == 1020


def test_how_long_it_is_until_a_moment_depends_on_the_speed(wall: Wall):
    clock = Clock(20, start=0, monotonic=wall)
    assert clock.seconds_until(10 * SECOND) == pytest.approx(0.5)
    assert clock.seconds_until(-1) == 0


@pytest.mark.parametrize("speed", [-1, float("inf"), float("nan")])
def test_a_speed_that_is_none(speed: float):
    with pytest.raises(ValueError, match="a clock's speed is zero or more"):
        Clock(speed)


def test_an_engine_does_what_is_due_without_being_asked(served: Served):
    """A timer wakes it: nobody has to send a request for time to pass."""
    made(served.raw, of_container(Image="acts/fail:2s"))
    ended = [task.ended for task in served.engine.cluster.tasks.values()]
    until(lambda: any(task.ended for task in served.engine.cluster.tasks.values()), "its end")
    assert ended == [False]


class Awaited(Acted):
    """Processes of which nobody knows what they will do."""

    awaited = True

    def awaiting(self) -> bool:
        return self.awaited


def test_an_engine_waits_for_processes_in_real_time(tmp_path: Path, wall: Wall):
    """At 1000 times the speed 0.3 s would be five minutes; while one is awaited it is not."""
    engine = Engine(tmp_path, Awaited)
    engine.clock = Clock(1000, start=engine.now, monotonic=wall)

    def lived() -> float:
        engine.catch_up()
        begun = engine.now
        wall.now += 3 * SECOND // 10
        engine.catch_up()
        return (engine.now - begun) / SECOND

    slow = lived()
    Awaited.awaited = False

    assert (slow, lived()) == (0.3, 300)


def test_timestamps_are_gos():
    assert stamp(1_700_000_000 * SECOND) == "2023-11-14T22:13:20Z"
    assert stamp(1_700_000_000 * SECOND + 120) == "2023-11-14T22:13:20.00000012Z"
    assert fixed_stamp(1_700_000_000 * SECOND) == "2023-11-14T22:13:20.000000000Z"


def test_a_service_runs_at_the_engines_speed(served: Served):
    """Fifty seconds of a task's life are one second of ours."""
    begun = time.monotonic()
    made(served.raw, of_container(Image="acts/fail:50s"))
    until(lambda: running(served.raw, "web") == 1, "a task that runs")
    until(lambda: running(served.raw, "web") == 0, "its end")
    assert time.monotonic() - begun < 50
