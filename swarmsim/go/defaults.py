"""Swarm's defaults for what a service's spec leaves out (swarmkit's `api/defaults/service.go`).

Durations are nanoseconds, as everywhere in the Engine API.
"""

from typing import Any

_SECOND = 10**9

#: An update config, or a rollback config, that is absent. In one that is there an absent
#: parallelism is 0, all slots at once; absent or empty words and monitors are these.
UPDATE_CONFIG: dict[str, Any] = {
    "Parallelism": 1,
    "Delay": 0,
    "FailureAction": "pause",
    "Monitor": 5 * _SECOND,
    "MaxFailureRatio": 0.0,
    "Order": "stop-first",
}
RESTART_CONDITION = "any"
RESTART_DELAY = 5 * _SECOND
STOP_GRACE_PERIOD = 10 * _SECOND


def update_config(config: dict[str, Any] | Any) -> dict[str, Any]:
    """Fill in an update config or a rollback config of the API; `None` is one that is absent."""
    if config is None:
        return UPDATE_CONFIG
    given = {key: value for key, value in config.items() if value}
    return {**UPDATE_CONFIG, "Parallelism": 0, **given}
