"""What a task's state and desired state mean together, on a time line. Pure."""

from typing import Literal

from labkit.recordings.values import Task

Stage = Literal["waiting", "starting", "running", "stopping", "lost", "failed", "ended"]

#: States in which a task ended against its will.
_FAILED = ("failed", "rejected", "orphaned")
_TOLD_TO_GO = ("shutdown", "remove")


def stage(task: Task) -> Stage:
    """Return where a task is between its making and its end.

    `waiting` is a task that may be prepared and not started: its desired state is still
    `ready`, until the old task of its slot has stopped (stop-first), or until the restart
    delay is over. `stopping` has been told to go and has not ended yet. `lost` is on a node
    that is down. From swarmkit's update/updater.go and restart/restart.go.
    """
    if task.state in _FAILED:
        return "failed"
    if task.ended:
        return "ended"
    if task.lost:
        return "lost"
    if task.desired_state in _TOLD_TO_GO:
        return "stopping"
    if task.running:
        return "running"
    return "waiting" if task.desired_state == "ready" else "starting"
