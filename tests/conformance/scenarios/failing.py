"""What counts as a failure of an update, when it is noticed, and what it leads to."""

from itertools import pairwise

from tests.conformance.engines import REPOSITORY
from tests.conformance.play import BROKEN, NEW, OLD, Play, config, restart, tag
from tests.conformance.scenario import scenario

#: Crashes soon, and is seen to run before.
SOON = "exit 1 after 0.5"
#: Takes long enough to stop for the failure of another task to be seen meanwhile.
SLOWLY = "stop after 6"
MISSING = f"{REPOSITORY}:missing"


@scenario(lasts=36, ahead=True)
def a_paused_update_goes_on_by_restarts(play: Play) -> None:
    """Two slots are hit before the pause; an old task that dies later comes back as a new one."""
    old = "exit 1 after 24; stop after 3"
    play.running(old, replicas=3, task=restart(delay=1))
    play.update(SOON)

    status = play.ends("paused")
    assert status.message.startswith("update paused due to failure or early termination of task ")
    failed = status.message.split()[-1]
    assert failed in {task.id for task in play.on(SOON)}
    assert status.completed is None
    assert play.slots_on(SOON) == 2
    (left,) = [task for task in play.on(old) if task.last.desired == "running"]
    play.until(lambda: left.ended, "the old task that was left to die by itself")
    play.until(
        lambda: any(task.slot == left.slot and task.over for task in play.on(SOON)),
        "its slot to fail on the new image",
    )
    assert play.status.state == "paused"


def _paused_with_a_slot_in_hand(play: Play) -> None:
    """Pause an update of three slots while the second one's old task takes its time to stop."""
    play.running(SLOWLY, replicas=3, task=restart(delay=1), UpdateConfig=config(monitor=6))
    play.update(SOON)
    play.ends("paused")
    assert play.slots_on(SOON) == 2


@scenario(lasts=34)
def a_paused_update_is_resumed_by_an_empty_one(play: Play) -> None:
    """The same spec again makes a new update, and makes the bad spec the previous one."""
    _paused_with_a_slot_in_hand(play)
    first = play.status
    play.until(
        lambda: all(any(task.ran_at for task in tasks) for tasks in play.on_by_slot(SOON)),
        "the slot that was in hand",
    )
    play.watch(0.5)
    play.update()
    play.until(
        lambda: play.status.state == "paused" and play.status.started != first.started,
        "a second pause",
    )

    assert play.slots_on(SOON) == 3
    image = play.service["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    assert image == play.engine.image(SOON)


@scenario(lasts=22)
def an_empty_update_is_lost_while_a_slot_is_still_in_hand(play: Play) -> None:
    """The updater that was paused has not ended, and takes no notice of the spec it knows."""
    _paused_with_a_slot_in_hand(play)
    play.update()

    play.until(
        lambda: all(any(task.ran_at for task in tasks) for tasks in play.on_by_slot(SOON)),
        "the slot that was in hand",
    )
    play.watch(3)
    assert play.status.state == ""
    assert play.slots_on(SOON) == 2


@scenario(lasts=12)
def with_continue_failures_are_not_watched(play: Play) -> None:
    """The update is completed, whatever becomes of its tasks."""
    play.running(
        replicas=2, task=restart(delay=1), UpdateConfig=config(monitor=1, action="continue")
    )
    play.update(BROKEN)

    play.ends("completed")
    assert play.slots_on(BROKEN) == 2
    play.until(
        lambda: all(any(task.ended for task in tasks) for tasks in play.on_by_slot(BROKEN)),
        "both to have failed",
    )


@scenario(lasts=8)
def to_end_with_code_nought_is_a_failure_too(play: Play) -> None:
    """An update is paused by a task that ends early, however well it ends."""
    play.running(task=restart(delay=2))
    play.update("exit 0 after 0.5")

    play.ends("paused")


def _a_fifth_fails(play: Play, ratio: float) -> None:
    play.running(
        replicas=5,
        task=restart(delay=3),
        UpdateConfig=config(parallelism=0, monitor=10, ratio=ratio),
    )
    play.update("slot 1: exit 1 after 0")


@scenario(lasts=21)
def a_failure_ratio_that_is_reached_is_not_exceeded(play: Play) -> None:
    """One slot of five is no more than 0.2, as 32-bit floats have it."""
    _a_fifth_fails(play, 0.2)

    play.ends("completed")


@scenario(lasts=12)
def a_failure_ratio_that_is_exceeded_pauses(play: Play) -> None:
    """One slot of five is more than 0.19."""
    _a_fifth_fails(play, 0.19)

    play.ends("paused")


@scenario(lasts=14)
def a_slot_counts_once_however_often_it_fails(play: Play) -> None:
    """What the restart policy puts in the place of a failed task is no part of the update."""
    play.running(
        replicas=2,
        task=restart(delay=0.5),
        UpdateConfig=config(parallelism=0, monitor=8, ratio=0.5),
    )
    play.update("slot 1: exit 1 after 0.5")

    play.ends("completed")
    play.until(lambda: sum(task.ended for task in play.by_slot()[1]) >= 3, "two failures of it")


@scenario(lasts=10)
def a_failure_is_not_taken_back_by_a_restart_that_works(play: Play) -> None:
    """The update is paused, though in the end the replica runs on the new image."""
    new = "start 2: exit 1 after 0.5"
    play.running(
        "start 1: print first",
        task=restart(delay=0.5),
        UpdateConfig=config(monitor=8),
        container=play.counted(),
    )
    play.update(new)

    play.ends("paused")
    play.until(lambda: play.tasks[-1].running, "the replica")
    assert [task.exit_code for task in play.on(new)] == [1, None]


_LATE = "slot 2,3: stop after 8"
_ONE_BREAKS = "slot 1: exit 1 after 0"


def _one_of_three_breaks(play: Play, parallelism: int, delay: float) -> None:
    play.running(
        _LATE,
        replicas=3,
        task=restart(delay=2),
        UpdateConfig=config(parallelism=parallelism, delay=delay, monitor=4, action="rollback"),
    )
    play.update(_ONE_BREAKS)


@scenario(lasts=19)
def a_failure_is_missed_while_all_slots_are_in_hand(play: Play) -> None:
    """It is looked at when the slowest slot is done, and by then is older than the window."""
    _one_of_three_breaks(play, 0, 2)

    play.ends("completed")


@scenario(lasts=30)
def the_same_failure_is_seen_one_slot_at_a_time(play: Play) -> None:
    """With a parallelism of one the same update is rolled back."""
    # in the delay it must have failed, or the next slot is in hand and this goes as above; on a
    # busy machine a container that ends at once takes seconds
    _one_of_three_breaks(play, 1, 3.5)

    play.ends("rollback_completed")
    # how many slots had their turn before slot 1 is chance; if none, the rollback is over
    # before anybody has seen it begin
    play.leave_out("slots", "statuses")
    assert all(tasks[-1].image == play.engine.image(_LATE) for tasks in play.by_slot().values())


@scenario(lasts=16, ahead=True)
def a_death_after_the_monitor_window_changes_nothing(play: Play) -> None:
    """Nor do a rollback's own monitor and ratio: they do not say when an update is rolled back."""
    play.running(
        task=restart(delay=1),
        UpdateConfig=config(monitor=1, action="rollback"),
        RollbackConfig=config(parallelism=None, monitor=20, ratio=0.2),
    )
    play.update("exit 1 after 5")

    play.ends("completed")
    play.until(lambda: len([task for task in play.tasks if task.ended]) >= 3, "a crash loop")
    assert play.status.state == "completed"


@scenario(lasts=14)
def an_image_that_cannot_be_had_is_rejected_again_and_again(play: Play) -> None:
    """All old tasks are stopped for it, the update is paused, and each delay brings one more."""
    play.running(replicas=2, task=restart(delay=2), UpdateConfig={})
    play.update(image=MISSING)

    play.ends("paused")

    play.until(
        lambda: all(len(tasks) > 4 for tasks in play.by_slot().values()),
        "four rejected tasks in each slot",
    )
    tasks = [task for task in play.by_slot()[1] if task.image == MISSING]
    # the second is made and tried while the first one waits for the old task to stop
    cycles = [later.created - earlier.created for earlier, later in pairwise(tasks[2:])]
    play.took("the quickest cycle", min(cycles), about=2)
    play.tell("error", next(t.last.error for t in play.tasks if t.last.state == "rejected"))
    play.tell("message", next(t.last.message for t in play.tasks if t.last.state == "rejected"))
    assert {tag(task.image) for task in play.tasks if task.ended} == {"print-old", "missing"}


@scenario(lasts=10)
def start_first_keeps_the_old_task_if_the_new_one_cannot_start(play: Play) -> None:
    """A slot then has two tasks, and the update is paused."""
    play.running(task=restart(delay=20), UpdateConfig=config(monitor=6, order="start-first"))
    play.update(image=MISSING)

    play.ends("paused")
    play.watch(1)
    assert [task.running for task in play.on(OLD)] == [True]


@scenario(lasts=10)
def start_first_is_no_shield_against_a_crash(play: Play) -> None:
    """A task that runs for a moment has taken the old one's place."""
    play.running(
        replicas=2, task=restart(delay=20), UpdateConfig=config(monitor=6, order="start-first")
    )
    play.update(SOON)

    play.ends("paused")
    play.until(lambda: all(task.ended for task in play.on(OLD)), "both old tasks to be gone")


@scenario(lasts=15)
def slots_that_have_ended_for_good_can_be_updated(play: Play) -> None:
    """Without restarts a crash leaves its slot empty, until an update fills it."""
    play.running(replicas=2, task=restart("none"), UpdateConfig=config(monitor=6))
    play.update(SOON)
    play.ends("paused")
    play.until(lambda: play.counts[-1] == (0, 2), "no replica")
    play.update(NEW, UpdateConfig=config(monitor=1))

    play.ends("completed")
    assert sum(task.running for task in play.tasks) == 2
