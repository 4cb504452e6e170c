"""Rollbacks: by whose config, to which spec, of which slots, and how they can fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from swarmsim.model import SECOND, Behaviour, Refused, Task
from tests.swarmsim.model.swarms import GOOD, Swarm, config, dies, healthy, missing, spec, tag_of
from tests.swarmsim.model.test_updating import tag_of_spec

AUTO = config(FailureAction="rollback")


def test_a_rollback_goes_by_the_config_of_the_spec_that_comes_back() -> None:
    """Probe e3: three slots at once, six seconds; what the failing spec says is ignored."""
    old = spec("1", 6, rollback=config(Parallelism=3, Monitor=6))
    new = spec(
        "2",
        6,
        update=config(Parallelism=2, FailureAction="rollback", MaxFailureRatio=0.3, Monitor=4),
        rollback=config(Monitor=1),
    )
    swarm = Swarm(old, {"2": dies(1)})
    swarm.update(new)
    began = swarm.wait_for_state("rollback_started")
    message = swarm.message
    ids = {task.id for _, task, state, _ in swarm.writes if state == "failed"}
    assert message.startswith("update rolled back due to failure or early termination of task ")
    assert message.rpartition(" ")[2] in ids
    done = swarm.wait_for_state("rollback_completed")
    assert swarm.message == "rollback completed"
    assert swarm.states == ["updating", "rollback_started", "rollback_completed"]
    assert swarm.running == {"1": 6}
    assert done - began > 6
    assert swarm.service.spec is old
    assert swarm.service.previous_spec is None


def test_its_status_keeps_the_time_at_which_the_update_began() -> None:
    swarm = Swarm(spec(), {"2": dies(1)})
    swarm.update(spec("2", update=AUTO))
    swarm.wait_for_state("updating")
    began = swarm.service.update_status
    swarm.wait_for_state("rollback_completed")
    ended = swarm.service.update_status
    assert began
    assert ended
    assert ended.started_at == began.started_at
    assert ended.completed_at == swarm.cluster.now


def test_after_an_automatic_rollback_there_is_no_way_back() -> None:
    swarm = Swarm(spec(), {"2": dies(1)})
    swarm.update(spec("2", update=AUTO))
    swarm.wait_for_state("rollback_completed")
    with pytest.raises(Refused) as refusal:
        swarm.rollback()
    assert refusal.value.code == "FailedPrecondition"
    assert refusal.value.message == f"service {swarm.service.id} does not have a previous spec"


def test_only_the_slots_that_have_the_new_spec_are_rolled_back() -> None:
    """Probe e2: after a pause in the second slot, two slots are touched by a rollback."""
    swarm = Swarm(spec(replicas=4), {"2": dies(1)})
    swarm.update(spec("2", 4))
    swarm.wait_for_state("paused")
    swarm.wait(20)
    untouched = {task.id for task in swarm.current if tag_of(task) == "1"}
    swarm.forget()
    swarm.rollback()
    swarm.wait_for_state("rollback_completed")
    assert swarm.statuses[0][1:] == ("rollback_started", "manually requested rollback")
    assert untouched < {task.id for task in swarm.current}
    assert len(swarm.made("1")) == 2
    assert swarm.running == {"1": 4}


def test_a_second_rollback_by_hand_rolls_forward() -> None:
    swarm = Swarm(spec())
    swarm.update(spec("2"))
    swarm.wait_for_state("completed")
    for tag in ("1", "2", "1"):
        swarm.rollback()
        swarm.wait_for_state("rollback_completed")
        assert swarm.running == {tag: 3}


def test_a_rollback_brings_back_the_number_of_replicas() -> None:
    swarm = Swarm(spec())
    swarm.update(spec("2", 5))
    swarm.wait_for_state("completed")
    swarm.rollback()
    swarm.wait_for_state("rollback_completed")
    swarm.wait(10)
    assert swarm.running == {"1": 3}


def test_the_previous_spec_is_that_of_the_last_update_even_if_that_was_cut_short() -> None:
    swarm = Swarm(spec())
    swarm.update(spec("2"))
    swarm.wait(3)
    swarm.update(spec("3"))
    assert tag_of_spec(swarm.service.previous_spec) == "2"
    swarm.rollback()
    swarm.wait_for_state("rollback_completed")
    assert swarm.running == {"2": 3}


def test_a_rollback_without_a_previous_spec_is_refused() -> None:
    swarm = Swarm(spec())
    with pytest.raises(Refused, match="does not have a previous spec"):
        swarm.rollback()


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


def gone_again(action: str) -> tuple[Swarm, float]:
    """An update that fails, and by now what it goes back to cannot be had either."""
    known = {"1": 3}

    def old(_: Task) -> Behaviour:
        known["1"] -= 1
        return missing("1") if known["1"] < 0 else healthy(0.1)

    first = spec(rollback=config(FailureAction=action, Monitor=4))
    swarm = Swarm(first, {"1": old, "2": dies(3)})
    swarm.update(spec("2", update=config(FailureAction="rollback", MaxFailureRatio=0.5)))
    return swarm, swarm.wait_for_state("rollback_started")


def test_a_rollback_that_fails_is_paused_and_calls_itself_an_update() -> None:
    """Probe e11."""
    swarm, _ = gone_again("pause")
    swarm.wait_for_state("rollback_paused")
    assert swarm.message.startswith("update paused due to failure or early termination of task ")
    swarm.wait(100)
    assert swarm.state == "rollback_paused"


def test_a_rollback_whose_failure_would_roll_back_is_paused_and_then_completed() -> None:
    """Probe e11: an oddity of swarmkit, and it says that the *update* is completed."""
    swarm, _ = gone_again("rollback")
    swarm.wait_for_state("rollback_paused")
    message = swarm.message
    swarm.wait_for_state("completed")
    assert message.startswith("rollback paused due to failure or early termination of task ")
    assert swarm.message == "update completed"
    assert "rollback_completed" not in swarm.states


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


def test_a_rollback_that_goes_on_is_completed() -> None:
    swarm, _ = gone_again("continue")
    swarm.wait_for_state("rollback_completed")


def test_an_automatic_rollback_to_nothing_stays_where_it_is() -> None:
    """Without a previous spec swarmkit gives up silently, and the status is never settled."""
    swarm = Swarm(spec(), {"2": dies(1)})
    swarm.update(spec("2", update=AUTO))
    swarm.wait(0.1)
    swarm.service.previous_spec = None
    swarm.wait(300)
    assert swarm.state == "updating"


# ---- what is said of rollbacks, and is not so ------------------------------------------------


def test_rollback_monitor_and_ratio_do_not_decide_when_an_update_is_rolled_back() -> None:
    """Probe e13: an image whose process dies after eight seconds is simply completed."""
    wanted = spec("2", 5, rollback=config(Monitor=20, MaxFailureRatio=0.2))
    swarm = Swarm(spec(replicas=5), {"2": dies(8)})
    # each worker is done with a slot two seconds later: nothing dies before the last ones
    wanted["UpdateConfig"] = {"Parallelism": 0}
    swarm.update(wanted)
    done = swarm.wait_for_state("completed")
    assert done - swarm.times("2", "running")[-1] == pytest.approx(5, abs=0.001)
    swarm.wait(60)
    assert swarm.state == "completed"


def test_without_a_failure_action_an_early_crash_is_paused_not_rolled_back() -> None:
    wanted = spec("2", 5, rollback=config(Monitor=20, MaxFailureRatio=0.2))
    swarm = Swarm(spec(replicas=5), {"2": dies(1)})
    swarm.update(wanted)
    swarm.wait_for_state("paused")
    swarm.wait(60)
    assert swarm.state == "paused"


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
