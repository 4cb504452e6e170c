"""Task states as numbers, so that "further than running" is a comparison. Pure.

From swarmkit's api/types.proto: a task's observed state only ever grows.
"""

from swarmsim.go.states import TASK_STATES

NAMES = TASK_STATES
(
    NEW,
    PENDING,
    ASSIGNED,
    ACCEPTED,
    PREPARING,
    READY,
    STARTING,
    RUNNING,
    COMPLETE,
    SHUTDOWN,
    FAILED,
    REJECTED,
    REMOVE,
    ORPHANED,
) = range(len(TASK_STATES))
