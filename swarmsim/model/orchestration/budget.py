"""How many failures an update tolerates, as swarmkit's updater counts them. Pure."""

import struct


def exceeds(failures: int, slots: int, ratio: float) -> bool:
    """Whether so many failures trigger the failure action.

    Computed in 32 bits, as swarmkit's manager/orchestrator/update/updater.go does.
    """
    return _float32(failures / slots) > _float32(ratio)


def tolerated(slots: int, ratio: float) -> int:
    """Return the most failures that do not trigger the action; one more does."""
    most = min(slots, int(ratio * slots) + 1)
    while exceeds(most, slots, ratio):
        most -= 1
    return most


def _float32(number: float) -> float:
    return float(struct.unpack("f", struct.pack("f", number))[0])
