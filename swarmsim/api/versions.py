"""The versions of the Engine API that are spoken here."""

from __future__ import annotations

API_VERSION = "1.41"
MIN_API_VERSION = "1.24"


def older(version: str, than: str) -> bool:
    """Whether one version is older than another."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    found = [int(part or 0) for part in version.split(".")]
    while len(found) > 1 and not found[-1]:
        found.pop()  # 1.41.0 is 1.41
    return found
