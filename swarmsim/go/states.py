"""The words of the Engine API for the states of tasks and updates.

From swarmkit's api/types.proto and moby's api/types/swarm/service.go.
"""

from typing import Literal

UpdateState = Literal[
    "updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"
]
#: An update in one of these goes no further by itself.
SETTLED_UPDATE_STATES = frozenset({"paused", "completed", "rollback_paused", "rollback_completed"})

#: Task states in the order in which a task passes them; it never goes back.
TASK_STATES = (
    "new",
    "pending",
    "assigned",
    "accepted",
    "preparing",
    "ready",
    "starting",
    "running",
    "complete",
    "shutdown",
    "failed",
    "rejected",
    "remove",
    "orphaned",
)
#: A task in one of these has ended.
TERMINAL_STATES = frozenset(TASK_STATES[TASK_STATES.index("complete") :])
