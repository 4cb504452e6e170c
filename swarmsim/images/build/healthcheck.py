"""HEALTHCHECK, as a Dockerfile has it, turned into what an image's config has. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from swarmsim.go import durations, errors
from swarmsim.go.gojson import quoted
from swarmsim.images.build import words

_DURATIONS = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}
_SHORTEST = 10**6


def read(flags: Mapping[str, str], rest: str) -> dict[str, Any]:
    """Return the config's `Healthcheck`. Raises `ValueError` in Docker's words."""
    kind, _, command = rest.partition(" ")
    command = command.strip()
    if kind.upper() == "NONE":
        if command:
            raise ValueError("HEALTHCHECK NONE takes no arguments")
        return {"Test": ["NONE"]}
    if kind.upper() != "CMD":
        raise ValueError(f"Unknown type {quoted(kind.upper())} in HEALTHCHECK (try CMD)")
    arguments = words.json_strings(command)
    if not (command if arguments is None else arguments):
        raise ValueError("Missing command after HEALTHCHECK CMD")
    found: dict[str, Any] = {
        "Test": ["CMD-SHELL", command] if arguments is None else ["CMD", *arguments]
    }
    for flag, key in _DURATIONS.items():
        if length := _duration(flag, flags.get(flag, "")):
            found[key] = length
    if retries := _retries(flags.get("retries", "")):
        found["Retries"] = retries
    return found


def _duration(flag: str, text: str) -> int:
    if not text:
        return 0
    try:
        length = durations.to_nanoseconds(text)
    except errors.BadValue:
        what = "missing unit in" if re.fullmatch(r"[0-9.]+", text) else "invalid"
        raise ValueError(f"time: {what} duration {quoted(text)}") from None
    if length and length < _SHORTEST:
        raise ValueError(f'Interval "{flag}" cannot be less than 1ms')
    return length


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    if int(text) < 1:
        raise ValueError(f"--retries must be at least 1 (not {int(text)})")
    return int(text)
