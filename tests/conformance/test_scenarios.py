"""Every scenario holds on each engine, and both tell the same of it."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median

import pytest

from tests.conformance.conftest import Run
from tests.conformance.play import Transcript
from tests.conformance.scenario import SCENARIOS
from tests.conformance.watching import STATES, TaskSeen

Runs = Callable[[str], Run]

everyone = pytest.mark.parametrize("scenario", SCENARIOS)
ahead_of_time = pytest.mark.parametrize(
    "scenario", [name for name, scenario in SCENARIOS.items() if scenario.ahead]
)
#: A task's message in each state (swarmkit's manager/scheduler/scheduler.go and
#: agent/exec/controller.go). What failed or was rejected keeps the message of the state before,
#: and so does what was stopped before it had a node.
MESSAGES = {
    "new": {"created"},
    "pending": {"pending task scheduling"},
    "assigned": {
        "scheduler assigned task to node",
        "scheduler confirmed task can run on preassigned node",
    },
    "accepted": {"accepted"},
    "preparing": {"preparing"},
    "ready": {"prepared"},
    "starting": {"starting"},
    "running": {"started"},
    "complete": {"finished"},
    "shutdown": {"shutdown", "pending task scheduling"},
    "failed": {"started", "starting"},
    "rejected": {"preparing", "assigned"},
}


def on_engines(*names: str) -> pytest.MarkDecorator:
    """One test on so many engines."""
    return pytest.mark.parametrize("on", [list(names)], ids=["both" if names[1:] else names[0]])


on_each = pytest.mark.parametrize("on", [["real"], ["simulated"]], ids=["real", "simulated"])


@pytest.mark.engine
@everyone
@on_engines("real")
def test_a_real_engine_does_so(runs: Runs, scenario: str, on: list[str]) -> None:
    assert runs(*on).transcript(scenario)


@ahead_of_time
@on_engines("fast")
def test_the_simulated_engine_does_so_ahead_of_time(
    runs: Runs, scenario: str, on: list[str]
) -> None:
    assert runs(*on).transcript(scenario)


@pytest.mark.engine  # it takes as long as a real one, beside which it plays
@everyone
@on_engines("simulated")
def test_the_simulated_engine_does_so(runs: Runs, scenario: str, on: list[str]) -> None:
    assert runs(*on).transcript(scenario)


@pytest.mark.engine
@everyone
@on_engines("real", "simulated")
def test_both_tell_the_same(runs: Runs, scenario: str, on: list[str]) -> None:
    real, simulated = (runs(engine).transcript(scenario) for engine in on)

    assert simulated.events == real.events  # among them every state of the update
    simulated_says, real_says = _said(simulated), _said(real)
    both = simulated_says.keys() & real_says.keys()
    assert {state: simulated_says[state] for state in both} == {s: real_says[s] for s in both}
    assert simulated.statuses[-1:] == real.statuses[-1:]
    assert simulated.slots == real.slots
    assert simulated.told == real.told
    assert simulated.times.keys() == real.times.keys()
    apart = {
        what: (took.seconds, simulated.times[what].seconds)
        for what, took in real.times.items()
        if abs(took.seconds - simulated.times[what].seconds) > took.late
    }
    assert apart == {}


def _said(transcript: Transcript) -> dict[str, set[str]]:
    """What an update said in each state that was seen: a short one may fall between two looks."""
    said: dict[str, set[str]] = {}
    for status in transcript.statuses:
        said.setdefault(status.partition(":")[0], set()).add(status)
    return said


@pytest.mark.engine
@on_each
def test_states_only_go_forward_and_have_their_messages(runs: Runs, on: list[str]) -> None:
    """Of every task of every scenario, whatever was seen of it."""
    tasks = runs(*on).seen()
    sights = [sight for task in tasks for sight in task.sights]

    assert len(tasks) > 100
    for task in tasks:
        states = [STATES.index(sight.state) for sight in task.sights]
        assert states == sorted(states), task
        times = [sight.since for sight in task.sights]
        assert times == sorted(times), task
    told = {(sight.state, sight.message) for sight in sights}
    assert told <= {(state, message) for state in MESSAGES for message in MESSAGES[state]}
    assert {sight.desired for sight in sights} == {"ready", "running", "shutdown", "remove"}


@pytest.mark.engine
@on_each
def test_slots_are_taken_in_no_order(runs: Runs, on: list[str]) -> None:
    """Of all updates of three slots and more, some do not begin with the first."""
    orders = list(_orders(runs(*on).seen()))
    assert len(orders) > 5
    assert any(order != sorted(order) for order in orders), orders


def _orders(tasks: list[TaskSeen]) -> Iterator[list[int]]:
    """Yield the order in which each update of three slots or more came to them."""
    services: dict[tuple[str, str], list[TaskSeen]] = {}
    for task in sorted(tasks, key=lambda each: each.created):
        services.setdefault((task.raw["ServiceID"], task.image), []).append(task)
    first = dict(reversed(services))  # what each was created with
    for (service, image), made in services.items():
        order = list(dict.fromkeys(task.slot for task in made if task.slot))
        if image != first[service] and len(order) > 2:
            yield order


@pytest.mark.engine
@on_engines("real", "simulated")
def test_tasks_start_and_stop_as_fast(runs: Runs, on: list[str]) -> None:
    """In the middle of all tasks; a machine that is busy with containers takes longer."""
    real, simulated = (_paces(runs(engine).seen()) for engine in on)
    for what, simulates in simulated.items():
        assert simulates - 0.5 <= real[what] <= simulates + 6, (what, real, simulated)


def _paces(tasks: list[TaskSeen]) -> dict[str, float]:
    """Return the median of how many seconds tasks were on their way, by what they did."""
    ran = [task for task in tasks if task.ran_at is not None and task.last.state != "failed"]
    stopped = [task for task in ran if task.exit_code == 0 and task.stopped_from is not None]
    started = [
        later.since - earlier.since
        for task in ran
        for earlier, later in pairwise(task.sights)
        if (earlier.state, later.state) == ("starting", "running")
    ]
    scheduled = [
        sight.since - task.created
        for task in tasks
        for sight in task.sights
        if sight.state == "assigned"
    ]
    return {
        "scheduled": median(scheduled),
        "started": median(started),
        "stopped": median(task.ended_at - (task.stopped_from or 0) for task in stopped),
    }
