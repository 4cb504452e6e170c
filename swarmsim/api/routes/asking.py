"""What several routes ask of a request in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from swarmsim.api.http import Call
from swarmsim.go import values
from swarmsim.go.errors import ApiError, rpc
from swarmsim.model import Refused

T = TypeVar("T")

_LARGEST_VERSION = 1 << 64


def go_bool(call: Call, name: str, sentence: str = "") -> bool:
    """A query parameter as Go's `strconv.ParseBool` reads it; absent is false."""
    value = call.query.get(name, "")
    if value == "":
        return False
    found = values.truth(value)
    if found is None:
        because = f'strconv.ParseBool: parsing "{value}": invalid syntax'
        raise ApiError(400, sentence or f"invalid value for {name}: {value}: {because}")
    return found


def version(call: Call, kind: str, *, explained: bool = True) -> int:
    """The `version` of the object that an update is meant for."""
    value = call.query.get("version", "")
    if value.isascii() and value.isdigit() and int(value) < _LARGEST_VERSION:
        return int(value)
    if not explained:
        raise ApiError(400, f"invalid {kind} version")
    out_of_range = value.isascii() and value.isdigit()
    why = "value out of range" if out_of_range else "invalid syntax"
    message = f"invalid {kind} version '{value}': strconv.ParseUint: parsing \"{value}\": {why}"
    raise ApiError(400, message)


def api_version(call: Call) -> tuple[int, ...]:
    """The version of the API that the client speaks."""
    return tuple(int(part or 0) for part in call.version.split("."))


def asked(function: Callable[[], T]) -> T:
    """Ask the cluster for something; what it refuses is answered in swarmkit's words."""
    try:
        return function()
    except Refused as refusal:
        raise rpc(refusal.code, refusal.message) from None
