"""Jobs go on beside what a cell does, in threads or in turns."""

import asyncio
import threading
import time

import pytest

from labkit.base import jobs
from labkit.base.jobs import Firm, Job, Steps


@pytest.fixture(params=[False, True], ids=["threads", "turns"], autouse=True)
def in_turns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "in_turns", request.param)


class Work:
    """A job that rests again and again, and knows how often it did a step."""

    def __init__(self, rest: float) -> None:
        self.rest, self.done = rest, 0
        self.job = Job(self.steps(), "work")

    def steps(self) -> Steps:
        while not self.job.stopped:
            self.done += 1
            yield self.rest


def test_a_job_goes_on_while_something_sleeps():
    work = Work(0.01)
    work.job.start()
    jobs.sleep(0.3)
    work.job.stop()
    work.job.join()

    assert work.done > 3
    assert not work.job.alive


@pytest.mark.parametrize(("rest", "steps"), [(3600.0, 2), (Firm(3600), 1)])
def test_waking_a_job_ends_its_rest_unless_that_is_firm(rest: float, steps: int):
    work = Work(rest)
    work.job.start()
    jobs.sleep(0.1)
    work.job.wake()
    jobs.sleep(0.1)

    assert work.done == steps
    work.job.stop()
    work.job.join()


def test_a_wait_ends_soon_after_what_is_waited_for():
    changed, began = threading.Condition(), time.monotonic()
    happened: list[bool] = []

    def happen() -> Steps:
        yield Firm(0.1)
        with changed:
            happened.append(True)
            changed.notify_all()

    Job(happen(), "happen").start()
    with changed:
        while not happened:
            jobs.wait(changed, 60)

    assert time.monotonic() - began < 10


def test_each_keeps_the_order_and_raises_what_the_function_raises():
    assert jobs.each(str, [3, 1, 2], at_once=2) == ["3", "1", "2"]
    with pytest.raises(ZeroDivisionError):
        jobs.each(lambda given: 1 / given, [1, 0, 2], at_once=2)


@pytest.mark.parametrize("in_turns", [True], ids=["turns"], indirect=True)
def test_a_job_that_fails_ends_and_fails_nobody_else(caplog: pytest.LogCaptureFixture):
    """In turns; the error of a thread is Python's to show."""

    def fail() -> None:
        raise ZeroDivisionError

    job = Job.of(fail, "broken").start()
    jobs.sleep(0.05)

    assert not job.alive
    assert "broken" in caplog.text


def test_jobs_go_on_between_cells():
    """Between two cells a notebook's kernel runs its event loop."""
    work = Work(0.01)

    async def kernel() -> None:
        work.job.start()
        await asyncio.sleep(0.5)

    asyncio.run(kernel())
    work.job.stop()
    work.job.join()

    assert work.done > 3
