"""The restart policy, and how many tasks of a slot are remembered."""

from tests.conformance.engines import seconds
from tests.conformance.play import BROKEN, Play, config, restart
from tests.conformance.scenario import scenario
from tests.conformance.scenarios.failing import SOON

#: Crashes as the first task of its slot; the second one goes on.
ONCE = "start 1: exit 1 after 1"


def listed(play: Play) -> int:
    """The number of tasks that the engine has now."""
    return sum(task.gone_at is None for task in play.tasks)


@scenario(lasts=12)
def two_attempts_are_three_tasks(play: Play) -> None:
    """Then the slot is left as it is, and a scale does not fill it.

    A first deploy is no update: it is not rolled back, and has no update status.
    """
    play.create(
        SOON,
        task=restart("on-failure", 0.5, MaxAttempts=2),
        UpdateConfig=config(parallelism=None, action="rollback"),
    )
    play.until(lambda: [t.ended for t in play.tasks] == [True] * 3, "three tasks to fail")
    play.watch(1.5)
    assert len(play.tasks) == 3
    assert play.counts[-1] == (0, 1)
    play.update(replicas=2)

    play.until(lambda: [t.ended for t in play.tasks] == [True] * 6, "three more")
    assert {slot: len(tasks) for slot, tasks in play.by_slot().items()} == {1: 3, 2: 3}
    assert play.status.state == ""


@scenario(lasts=16, ahead=True)
def attempts_are_counted_within_the_window(play: Play) -> None:
    """A restart longer ago than the window is forgotten: one attempt is enough for ever."""
    policy = restart("any", 2, MaxAttempts=1, Window=seconds(2))
    play.create("exit 1 after 1", task=policy)

    play.until(lambda: len(play.tasks) >= 4, "a fourth task")


@scenario(lasts=5)
def a_good_end_is_not_restarted_on_failure(play: Play) -> None:
    """`on-failure` leaves a task alone that ended with code 0."""
    play.create("exit 0 after 0.5", task=restart("on-failure", 0))

    play.until(lambda: play.tasks and play.tasks[0].over, "its end")
    play.watch(1)
    assert len(play.tasks) == 1
    play.tell("state", [play.tasks[0].last.state, play.tasks[0].last.message])
    play.tell("desired", play.tasks[0].last.desired)


@scenario(lasts=5)
def nothing_is_restarted_with_none(play: Play) -> None:
    """A crash is the end of the slot."""
    play.create(SOON, task=restart("none"))

    play.until(lambda: play.tasks and play.tasks[0].over, "its end")
    play.watch(1)
    assert len(play.tasks) == 1
    task = play.tasks[0].last
    play.tell("task", [task.desired, task.state, task.message, task.error])
    assert (task.message, task.error) == ("started", "task: non-zero exit (1)")


@scenario(lasts=4)
def a_command_that_is_not_there_cannot_be_started(play: Play) -> None:
    """The task fails before it has run, with what the container runtime says."""
    play.create(task=restart("none"), container={"Command": ["no-such-program"]})

    play.until(lambda: play.tasks and play.tasks[0].over, "its end")
    task = play.tasks[0].last
    play.tell("task", [task.desired, task.state, task.message])
    play.leave_out("slots")  # they have the rest of the error, which runc and Docker word anew
    assert (task.state, task.message) == ("failed", "starting")
    assert task.error.startswith("starting container failed: ")
    assert 'exec: "no-such-program": executable file not found in $PATH' in task.error


@scenario(lasts=14, ahead=True)
def the_next_task_is_ready_during_the_restart_delay(play: Play) -> None:
    """It is made at once, prepared, and started when the delay is over."""
    delay = play.visible(8)
    play.create(ONCE, task=restart(delay=delay), container=play.counted())
    play.until(lambda: len(play.tasks) == 2, "a second task")
    first, second = play.tasks
    play.took("until the next one is made", second.created - first.ended_at, about=0)
    play.until(lambda: second.started_at, "it to start")

    waited = [sight.desired for sight in second.sights if sight.state == "ready"]
    assert waited[0] == "ready"
    assert second.started_at is not None
    play.took("from the end to the next start", second.started_at - first.ended_at, delay)


@scenario(lasts=10)
def the_restart_delay_is_five_seconds_if_nothing_is_said(play: Play) -> None:
    """As it is without a restart policy."""
    play.create(ONCE, container=play.counted())
    play.until(lambda: len(play.tasks) == 2 and play.tasks[1].started_at, "a second task to start")
    first, second = play.tasks
    assert second.started_at is not None
    took = second.started_at - first.ended_at
    play.took("from the end to the next start", took, about=5, late=2)  # a container is made, too


@scenario(lasts=14)
def five_tasks_of_a_slot_are_remembered(play: Play) -> None:
    """The one that runs is among them."""
    play.create(BROKEN, task=restart(delay=0))
    play.until(lambda: len(play.tasks) >= 7, "seven tasks")
    play.update(task=restart("none"), replicas=1)  # so that the loop comes to rest
    play.until(lambda: all(t.ended or t.gone_at for t in play.tasks), "the last to end")

    play.until(lambda: listed(play) == 5, "five to be left")
    left = [task for task in play.tasks if task.gone_at is None]
    assert left == play.tasks[-5:]
    play.leave_out("slots")  # where in the loop it was stopped


@scenario(lasts=16)
def as_many_tasks_are_remembered_as_there_are_attempts(play: Play) -> None:
    """A limit of attempts makes the history longer: one more than there are attempts."""
    play.create(BROKEN, task=restart("any", 0, MaxAttempts=6))
    play.until(lambda: [t.ended for t in play.tasks] == [True] * 7, "seven tasks to fail")

    play.watch(1)
    assert listed(play) == 7
