"""How a task is stopped, and how long is waited for it."""

from tests.conformance.engines import seconds
from tests.conformance.play import NEW, Play, config
from tests.conformance.scenario import scenario
from tests.conformance.watching import TaskSeen

_CONFIG = config(monitor=1)


def stopped_in(task: TaskSeen) -> float:
    """How many seconds a task took to stop."""
    assert task.stopped_from is not None
    return task.ended_at - task.stopped_from


@scenario(lasts=16, ahead=True)
def who_ignores_sigterm_is_killed_after_ten_seconds(play: Play) -> None:
    """It ends as `shutdown` with code 137 and no error, and the next one starts then."""
    play.running("never stop", UpdateConfig=_CONFIG)
    play.update(NEW)

    play.ends("completed")
    old, new = play.tasks
    assert (old.last.state, old.last.message, old.last.error) == ("shutdown", "shutdown", "")
    assert old.exit_code == 137
    play.took("stop", stopped_in(old), about=10, late=3)
    assert new.started_at is not None
    play.took("from the end to the next start", new.started_at - old.ended_at, about=0.1, late=3)


@scenario(lasts=8, ahead=True)
def the_grace_period_is_the_services(play: Play) -> None:
    """Process 1 of a container ignores SIGTERM if it does not handle it; then SIGKILL comes."""
    play.running("no handler", UpdateConfig=_CONFIG, container={"StopGracePeriod": seconds(3)})
    play.update(NEW)

    play.ends("completed")
    old = play.tasks[0]
    assert old.exit_code == 137
    play.took("stop", stopped_in(old), about=3, late=3)


@scenario(lasts=8)
def a_slow_stop_is_waited_for(play: Play) -> None:
    """Whatever code it ends with, a task that was told to stop is `shutdown`, without an error."""
    play.running("stop after 2 with 3", UpdateConfig=_CONFIG)
    play.update(NEW)

    play.ends("completed")
    old = play.tasks[0]
    assert (old.last.state, old.last.error, old.exit_code) == ("shutdown", "", 3)
    play.took("stop", stopped_in(old), about=2, late=3)


@scenario(lasts=6, ahead=True)
def the_stop_signal_is_the_services(play: Play) -> None:
    """SIGKILL as the stop signal waits for nobody."""
    play.running("never stop", UpdateConfig=_CONFIG, container={"StopSignal": "SIGKILL"})
    play.update(NEW)

    play.ends("completed")
    old = play.tasks[0]
    assert (old.last.state, old.exit_code) == ("shutdown", 137)
    play.took("stop", stopped_in(old), about=0.2, late=3)


@scenario(lasts=76, ahead=True)
def an_old_task_is_waited_for_no_longer_than_a_minute(play: Play) -> None:
    """With a longer grace period the new task starts after 60 s, beside the old one."""
    play.running("never stop", UpdateConfig=_CONFIG, container={"StopGracePeriod": seconds(66)})
    play.update(NEW)

    # how long its container takes to start says something of the machine only
    new = play.until(lambda: next((t for t in play.on(NEW) if t.started_at), None), "it", 80)
    old = play.tasks[0]
    assert not old.ended
    assert old.stopped_from is not None
    assert new.started_at is not None
    play.took("until the new one starts", new.started_at - old.stopped_from, about=60, late=3)
    play.until(lambda: old.ended, "the old one to be killed")


@scenario(lasts=9)
def a_removed_services_tasks_go_when_they_have_stopped(play: Play) -> None:
    """The service is gone at once; its live task is to be removed, and vanishes at its end."""
    play.running("stop after 4")
    task = play.tasks[0]
    removed = play.engine.now()
    play.remove()

    assert play.engine.call("GET", f"/services/{play.id}").status == 404
    play.until(lambda: task.last.desired == "remove", "its task to be to remove")
    assert task.gone_at is None
    play.until(lambda: task.gone_at is not None, "its task to be gone")
    assert task.gone_at is not None
    play.took("until it is gone", task.gone_at - removed, about=4, late=3)
