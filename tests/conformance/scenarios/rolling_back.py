"""Rollbacks: which spec, which config, which slots, and what happens if they fail."""

from typing import Any

from tests.conformance.play import NEW, OLD, Play, config, restart
from tests.conformance.scenario import scenario
from tests.conformance.scenarios.failing import MISSING, SLOWLY, SOON


@scenario(lasts=16, ahead=True)
def an_automatic_rollback_obeys_the_old_specs_config(play: Play) -> None:
    """It begins at the second failure of four, and all slots are taken back at once.

    The rollback config that came with the failing update has no say in it.
    """
    play.running(
        replicas=4,
        task=restart(delay=20),
        RollbackConfig=config(parallelism=0, monitor=play.visible(2)),
    )
    play.update(
        "slot 1,2: exit 1 after 3*slot",
        UpdateConfig=config(parallelism=None, monitor=15, action="rollback", ratio=0.3),
        RollbackConfig=config(delay=5, monitor=50),
    )
    started = play.ends("rollback_started")
    status = play.ends("rollback_completed")

    assert started.started == status.started, "the rollback has no start of its own"
    failed = next(task.slot for task in play.tasks if started.message.endswith(task.id))
    assert failed == 2
    # Slot 2 may be given back by its restart, and not by the rollback: which of the two comes
    # first is chance, and a restart waits for its delay.
    slots = play.by_slot()
    back = [slots[slot][-1] for slot in (1, 3, 4)]
    assert all(task.image == play.engine.image(OLD) for task in back)
    created = [task.created for task in back]
    play.took("between the first and the last", max(created) - min(created), about=0, late=0.5)
    assert status.completed is not None
    play.took(
        "monitored", status.completed - max(task.ran_at or 0 for task in back), play.visible(2)
    )
    play.leave_out("slots")
    assert "PreviousSpec" not in play.service
    answer = play.rollback()
    play.tell("another rollback", [answer.status, answer.message])
    assert answer.status == 400
    assert answer.message == (
        f"rpc error: code = FailedPrecondition desc = service {play.id} "
        "does not have a previous spec"
    )


@scenario(lasts=15)
def a_rollback_by_hand_takes_back_only_what_was_switched(play: Play) -> None:
    """The slot that the paused update had not come to keeps its task."""
    play.running(
        SLOWLY, replicas=3, task=restart(delay=20), RollbackConfig=config(parallelism=0, monitor=1)
    )
    before = {task.slot: task.id for task in play.tasks}
    play.update(SOON)
    play.ends("paused")
    assert play.slots_on(SOON) == 2
    play.until(lambda: all(task.ended for task in play.on(SOON)[:2]), "both to fail")
    assert play.rollback().status == 200

    play.ends("rollback_completed")
    assert {task.slot for task in play.tasks if task.running} == {1, 2, 3}
    kept = [task for task in play.tasks if task.running and before[task.slot] == task.id]
    assert len(kept) == 1


@scenario(lasts=12)
def a_second_rollback_by_hand_rolls_forward(play: Play) -> None:
    """Each swaps the spec and the previous one."""
    quick = config(monitor=1)
    play.running(UpdateConfig=quick, RollbackConfig=quick)
    play.update(NEW)
    play.ends("completed")
    for image in (OLD, NEW):
        last = play.status
        assert play.rollback().status == 200
        play.until(lambda: play.status.started != last.started, "a rollback to start")  # noqa: B023
        play.ends("rollback_completed")
        assert play.tasks[-1].running
        assert play.tasks[-1].image == play.engine.image(image)


def _back_to_a_missing_image(play: Play, back: dict[str, Any]) -> None:
    """Roll back to an image that is not there, of two slots one that runs on the new image."""
    play.create(image=MISSING, replicas=2, task=restart(delay=60), RollbackConfig=back)
    # a restart that comes after the update would give its slot the new image, unwatched
    play.until(lambda: len(play.tasks) == 4, "both slots to be rejected, and to wait again")
    play.update(
        "slot 1: exit 1 after 1",
        UpdateConfig=config(parallelism=None, monitor=12, action="rollback"),
    )


@scenario(lasts=9)
def a_rollback_that_fails_is_paused(play: Play) -> None:
    """Its message says "update paused"."""
    _back_to_a_missing_image(play, config(parallelism=None, monitor=2))

    play.ends("rollback_paused")


@scenario(lasts=12)
def a_rollback_of_a_rollback_is_paused_and_then_completed(play: Play) -> None:
    """An oddity of the engine: "rollback" is accepted as what a failing rollback shall do."""
    _back_to_a_missing_image(play, config(parallelism=None, monitor=2, action="rollback"))

    play.ends("completed")
    states = ["updating", "rollback_started", "rollback_paused", "completed"]
    play.until(lambda: play.states == states, "it to be paused in between")
    play.leave_out("statuses")  # looks miss the pause: it may last for less than a millisecond


@scenario(lasts=9)
def a_rollback_may_continue_through_failures(play: Play) -> None:
    """Then it is completed, whatever becomes of its tasks."""
    _back_to_a_missing_image(play, config(parallelism=None, monitor=1, action="continue"))

    play.ends("rollback_completed")


@scenario(lasts=3)
def every_post_becomes_the_previous_spec(play: Play) -> None:
    """A label or a scale makes a rollback go back to before that, replicas included."""

    def previous() -> list[Any]:
        spec = play.service["PreviousSpec"]
        return [
            spec["TaskTemplate"]["ContainerSpec"]["Image"],
            spec["Mode"]["Replicated"]["Replicas"],
        ]

    old, new = play.engine.image(OLD), play.engine.image(NEW)
    play.create(replicas=0)
    assert "PreviousSpec" not in play.service
    play.update(NEW)
    assert previous() == [old, 0]
    play.update(Labels={**play.service["Spec"]["Labels"], "another": "label"})
    assert previous() == [new, 0]
    play.update(replicas=1, task={"Placement": {"Constraints": ["node.labels.nowhere==yes"]}})
    assert previous() == [new, 0]
    assert play.rollback().status == 200
    assert previous() == [new, 1]
    assert play.service["Spec"]["Mode"]["Replicated"]["Replicas"] == 0
    play.leave_out("slots")


@scenario(lasts=20)
def an_update_in_the_middle_of_a_rollback_takes_its_place(play: Play) -> None:
    """The rollback is given up where it is, and its spec is the update's previous one."""
    back = config(delay=30, monitor=1)
    play.running(replicas=3, task=restart(delay=40), RollbackConfig=back)
    # were they all to fail, a busy machine might leave nothing to roll back
    play.update(
        f"slot 1: {SOON}", UpdateConfig=config(parallelism=0, monitor=10, action="rollback")
    )
    play.ends("rollback_started")
    play.until(lambda: any(task.running for task in play.on(OLD)), "a slot to be back")
    play.update(NEW, UpdateConfig=config(parallelism=0, monitor=1))
    play.ends("completed")

    play.tell("states", play.states)
    previous = play.service["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    play.tell("previous", previous)
    assert previous == play.engine.image(OLD)
    assert sum(task.running for task in play.on(NEW)) == 3
    play.leave_out("slots", "statuses")


@scenario(lasts=10)
def a_rollback_by_hand_in_mid_update_spares_what_was_not_switched(play: Play) -> None:
    """The update's delay is cut short."""
    play.running(replicas=3, RollbackConfig=config(parallelism=0, monitor=1))
    before = {task.id for task in play.tasks}
    play.update(NEW, UpdateConfig=config(delay=60))
    play.until(lambda: any(task.running for task in play.on(NEW)), "the first new task")
    assert play.rollback().status == 200
    status = play.ends("rollback_completed")

    play.tell("kept", len(before & {task.id for task in play.tasks if task.running}))
    play.tell("message", status.message)
    play.tell("states", play.states)
    assert play.slots_on(NEW) == 1
    play.leave_out("slots", "statuses")


@scenario(lasts=10)
def all_slots_may_fail_with_a_ratio_of_one(play: Play) -> None:
    """Three of three are no more than all, so that nothing is rolled back."""
    play.running(replicas=3, task=restart("none"))
    play.update(
        "exit 1 after 1",
        UpdateConfig=config(parallelism=0, monitor=4, action="rollback", ratio=1),
    )
    play.ends("completed")
    play.tell("states", play.states)
    assert all(task.ended for task in play.tasks)


@scenario(lasts=9)
def a_rollback_may_start_first_where_its_update_did_not(play: Play) -> None:
    """The order is each config's own: on the way back there are never fewer replicas."""
    play.running(replicas=2, RollbackConfig=config(parallelism=0, monitor=1, order="start-first"))
    play.update(NEW, UpdateConfig=config(parallelism=0, monitor=1))
    play.ends("completed")
    seen = len(play.counts)
    assert play.rollback().status == 200
    play.ends("rollback_completed")
    play.settle()
    fewest = min(running for running, _ in play.counts[seen - 1 :])
    play.tell("fewest", fewest)
    assert fewest == 2
