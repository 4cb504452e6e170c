"""How a task is stopped, and how long is waited for it."""

from typing import Any

from tests.conformance.engines import seconds
from tests.conformance.play import NEW, Play, config
from tests.conformance.scenario import scenario
from tests.conformance.watching import TaskSeen

_CONFIG = config(monitor=1)
#: Seconds by which containers stop and start late on a busy machine: with it, the shorter
#: grace period here is still over before the ten seconds that it is without one.
_LATE = 6


def _stopped(play: Play, act: str, about: float, **container: Any) -> TaskSeen:
    """Replace the only task of a service, which takes so many seconds to stop; return it."""
    play.running(act, UpdateConfig=_CONFIG, container=container)
    play.update(NEW)

    play.ends("completed")
    old = play.tasks[0]
    assert old.stopped_from is not None
    play.took("stop", old.ended_at - old.stopped_from, about=about, late=_LATE)
    return old


@scenario(lasts=16, ahead=True)
def who_ignores_sigterm_is_killed_after_ten_seconds(play: Play) -> None:
    """It ends as `shutdown` with code 137 and no error, and the next one starts then."""
    old = _stopped(play, "never stop", 10)
    assert (old.last.state, old.last.message, old.last.error) == ("shutdown", "shutdown", "")
    assert old.exit_code == 137
    started = play.tasks[1].started_at
    assert started is not None
    play.took("from the end to the next start", started - old.ended_at, about=0.1, late=_LATE)


@scenario(lasts=8)
def the_grace_period_is_the_services(play: Play) -> None:
    """Process 1 of a container ignores SIGTERM if it does not handle it; then SIGKILL comes."""
    assert _stopped(play, "no handler", 3, StopGracePeriod=seconds(3)).exit_code == 137


@scenario(lasts=8)
def a_slow_stop_is_waited_for(play: Play) -> None:
    """Whatever code it ends with, a task that was told to stop is `shutdown`, without an error."""
    old = _stopped(play, "stop after 2 with 3", 2)
    assert (old.last.state, old.last.error, old.exit_code) == ("shutdown", "", 3)


@scenario(lasts=6)
def the_stop_signal_is_the_services(play: Play) -> None:
    """SIGKILL as the stop signal waits for nobody."""
    old = _stopped(play, "never stop", 0.2, StopSignal="SIGKILL")
    assert (old.last.state, old.exit_code) == ("shutdown", 137)


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
    play.took("until the new one starts", new.started_at - old.stopped_from, about=60, late=_LATE)
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
    play.took("until it is gone", task.gone_at - removed, about=4, late=_LATE)
