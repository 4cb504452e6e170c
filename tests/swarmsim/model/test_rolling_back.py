"""Rollbacks: by whose config, to which spec, of which slots, and how they can fail."""

from collections.abc import Iterator

import pytest

from swarmsim.model import SECOND, Behaviour, Task
from tests.swarmsim.model.swarms import GOOD, Swarm, config, dies, healthy, missing, spec, tag_of

AUTO = config(FailureAction="rollback")


def test_a_rollback_with_nothing_to_do_is_completed_at_once() -> None:
    swarm = Swarm(spec())
    swarm.update(spec(Labels={"a": "b"}))
    swarm.wait(1)
    swarm.rollback()
    assert swarm.wait_for_state("rollback_completed") < 1.1
    assert swarm.made("1") == []


@pytest.mark.parametrize("tag", ["1", "2"])
def test_who_hears_of_a_failure_first_decides_what_replaces_the_task(tag: str) -> None:
    """With one slot: from the old spec, and it is over at once; or it is replaced again."""
    for seed in range(20):
        swarm = Swarm(spec(replicas=1, rollback=config(Monitor=3)), {"2": dies(0.5)}, seed=seed)
        swarm.update(spec("2", 1, update=AUTO))
        began = swarm.wait_for_state("rollback_started")
        done = swarm.wait_for_state("rollback_completed")
        replacement = swarm.slot(1)[2]
        if tag_of(replacement) == tag:
            assert (done - began < 0.1) is (tag == "1")
            return
    pytest.fail(f"in 20 runs no task of tag {tag} came after the failure")


# ---- rollbacks that fail ------------------------------------------------------------------


def test_seen_in_the_last_monitor_window_such_a_failure_completes_it_at_once() -> None:
    """If a slot is left to roll back; the restart supervisor may have been quicker."""
    first = spec(replicas=3, rollback=config(Parallelism=0, FailureAction="rollback"))
    paused_at = []
    for seed in range(6):
        calls = iter([healthy(0.1)] * 3)

        def old(_: Task, calls: Iterator[Behaviour] = calls) -> Behaviour:
            return next(calls, dies(1))

        swarm = Swarm(first, {"1": old, "2": dies(0.5)}, seed=seed)
        swarm.update(spec("2", update={"FailureAction": "rollback"}))
        swarm.wait_for_state("completed", "rollback_completed")
        if swarm.state == "completed":
            (paused, _, _), (completed, _, _) = swarm.statuses[-2:]
            assert swarm.states[-3:] == ["rollback_started", "rollback_paused", "completed"]
            assert completed - paused < 0.01
            paused_at.append(paused)
    assert paused_at


def test_a_second_failure_in_such_a_rollback_makes_it_a_paused_update_that_is_completed() -> None:
    """As on a real engine: four slots fail together, two are rolled back at once, in vain.

    So it is when the restart supervisor has replaced all four before the rollback is written.
    """
    first = spec(replicas=4, rollback=config(Parallelism=2, FailureAction="rollback", Monitor=4))
    given = {"FailureAction": "rollback", "MaxFailureRatio": 0.1, "Monitor": 9 * SECOND}
    for seed in range(20):
        known = iter([GOOD] * 4)

        def old(_: Task, known: Iterator[Behaviour] = known) -> Behaviour:
            return next(known, missing("1"))

        swarm = Swarm(first, {"1": old, "2": dies(4)}, seed=seed)
        swarm.update(spec("2", 4, update=given, restart={"Delay": 20 * SECOND}))
        swarm.wait_for_state("completed", "rollback_completed")
        if "paused" in swarm.states:
            break
    assert swarm.states[1:] == ["rollback_started", "rollback_paused", "paused", "completed"]
    (_, _, second), (_, _, third) = swarm.statuses[2:4]
    assert second.startswith("rollback paused due to")
    assert third.startswith("rollback paused due to")
    assert second != third


def test_an_automatic_rollback_to_nothing_stays_where_it_is() -> None:
    """Without a previous spec swarmkit gives up silently, and the status is never settled."""
    swarm = Swarm(spec(), {"2": dies(1)})
    swarm.update(spec("2", update=AUTO))
    swarm.wait(0.1)
    swarm.service.previous_spec = None
    swarm.wait(300)
    assert swarm.state == "updating"


# ---- waiting --------------------------------------------------------------------------------


def test_rolled_back_from_a_spec_that_finds_no_node_a_slot_waits_for_a_minute() -> None:
    """The task that is pending never ends, and the new one waits for it as for any other."""
    nowhere = {"Placement": {"Constraints": ["node.labels.ssd == yes"]}}
    swarm = Swarm(spec(replicas=1))
    swarm.update(spec("2", 1, template=nowhere))
    swarm.wait(5)
    swarm.forget()
    swarm.rollback()
    swarm.wait_for(lambda: swarm.running == {"1": 1})
    assert swarm.now == pytest.approx(60.4, abs=0.3)
    swarm.wait_for_state("rollback_completed")
