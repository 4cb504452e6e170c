"""A clock that is set while a recorder runs changes nothing that is recorded but for a mark."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labkit.recordings import story
from labkit.recordings.recorder import Recorder
from labkit.recordings.recorder.timeline import TimeLine
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Change, Marked
from labkit.recordings.values import Service, Snapshot
from labkit.views.live.replay import played
from labkit.views.static.snapshot import Snapshot as Drawn
from labkit.views.static.snapshot import text
from tests.values import START, service, status, task

HOUR = timedelta(hours=1)
#: Seconds of the update; the clocks are set between the fourth and the fifth.
BEGAN, MADE, SET, RAN, DONE = 2, 3, 4, 5, 8


class Machines:
    """An engine, and the machine that records, each with a clock; a poll takes a second.

    `mine` and `its` say by how much the clocks are set; `apart` how far the engine's is ahead,
    `asleep` how long all sleeps.
    """

    def __init__(
        self,
        mine: timedelta = timedelta(0),
        its: timedelta = timedelta(0),
        apart: timedelta = timedelta(0),
        asleep: timedelta = timedelta(0),
    ) -> None:
        self.mine, self.its, self.apart, self.asleep = mine, its, apart, asleep
        self.polls = 0

    def passed(self, polls: int) -> timedelta:
        return timedelta(seconds=polls) + (self.asleep if polls > SET else timedelta(0))

    def ticks(self) -> float:
        return self.passed(self.polls).total_seconds()

    def now(self) -> datetime:
        return START + self.passed(self.polls) + (self.polls > SET) * self.mine

    def engine(self, polls: int) -> datetime:
        return START + self.passed(polls) + self.apart + (polls > SET) * self.its

    def engine_date(self) -> datetime:
        return self.engine(self.polls).replace(microsecond=0)

    def snapshot(self, *_: str | Service | None) -> Snapshot:
        self.polls += 1
        polls, engine = self.polls, self.engine
        old = task(1, created_at=engine(-900), status_at=engine(-890))
        if polls < BEGAN:
            return Snapshot(at=self.now(), service=service(), tasks=(old,))
        ended = engine(DONE) if polls >= DONE else None
        told = status(
            "completed" if ended else "updating", started_at=engine(BEGAN), completed_at=ended
        )
        state, since = ("running", RAN) if polls >= RAN else ("preparing", MADE)
        new = task(1, "1.1", state, created_at=engine(MADE), status_at=engine(since))
        old = task(1, state="shutdown", created_at=engine(-900), status_at=engine(BEGAN))
        whole = service("1.1", replicas=1, update_status=told)
        return Snapshot(at=self.now(), service=whole, tasks=(old, new)[: 1 + (polls >= MADE)])


def recorded(machines: Machines) -> Recording:
    with Recorder(machines, "dc_worker", now=machines.now, ticks=machines.ticks) as made:
        made.wait(timeout=20)
    return made.recording


@pytest.fixture(scope="module")
def undisturbed() -> list[Change]:
    return recorded(Machines()).changes


@pytest.mark.parametrize(
    ("machines", "says"),
    [
        (Machines(mine=HOUR), "The clock of this machine was set forward by 1h0m0s."),
        (Machines(mine=-HOUR), "The clock of this machine was set back by 1h0m0s."),
        (Machines(mine=HOUR, its=HOUR), "The clock of this machine was set forward by 1h0m0s."),
        (Machines(mine=-HOUR, its=-HOUR), "The clock of this machine was set back by 1h0m0s."),
        (Machines(its=HOUR), "The engine's clock was set forward by 1h0m0s."),
        (Machines(its=-HOUR), "The engine's clock was set back by 1h0m0s."),
        (Machines(apart=timedelta(minutes=2, seconds=0.5)), None),
    ],
    ids=["forward", "back", "both forward", "both back", "its forward", "its back", "two apart"],
)
def test_a_clock_that_is_set_leaves_a_mark_and_all_else_as_it_was(machines, says, undisturbed):
    made = recorded(machines)
    assert [label for _, label in made.marks()] == ([says] if says else [])
    assert [change for change in made.changes if not isinstance(change, Marked)] == undisturbed


def test_a_machine_that_sleeps_has_its_clock_right_and_sleeps_as_long() -> None:
    made = recorded(Machines(asleep=8 * HOUR))
    update = story.first_update(made)
    assert made.marks() == []
    assert update
    assert update.total == 8 * HOUR + timedelta(seconds=DONE - BEGAN)


def test_what_goes_on_after_a_restart_does_not_go_back_behind_what_was_recorded() -> None:
    machines = Machines()
    before = recorded(machines)
    before.changes.pop()  # its end
    machines.polls, machines.mine = SET + 1, -HOUR

    with Recorder(
        machines, "dc_worker", now=machines.now, ticks=machines.ticks, before=before
    ) as made:
        made.wait(timeout=20)

    times = [change.at for change in made.recording.changes]
    assert times == sorted(times)
    assert "set back by 1h0m" in made.recording.marks()[0][1]


def test_the_time_of_a_simulated_engine_does_not_go_back_with_another_one() -> None:
    """One that ran fast is ahead of the one that is started in its place."""
    line = TimeLine(iter([START, START + HOUR, START]).__next__, None)
    assert [line.now(), line.now()] == [START + HOUR] * 2


def test_page_and_text_have_the_same_numbers_where_an_older_recording_goes_back() -> None:
    """A recorder once dated changes by a clock that was set back between two of them."""
    made = Recording(recorded(Machines()).header)
    machines = Machines()
    for poll in range(1, DONE + 1):
        seen = machines.snapshot("dc_worker")
        made.observe(replace(seen, at=seen.at - (poll > SET) * HOUR))

    last: dict[str, Any] = {}
    for _, delta in played(made)["frames"]:
        last |= delta
    assert last["status"] == Drawn.of(made).state["status"]
    assert last["status"]["sentence"] in text(made)


def test_the_ticks_are_those_of_a_clock_that_nobody_sets() -> None:
    from labkit.recordings.recorder.timeline import ticks

    one = ticks()
    assert 0 <= ticks() - one < 60
    assert abs(one - datetime.now(UTC).timestamp()) > 3600
