"""The versions of the Engine API that are spoken here."""

from __future__ import annotations

from swarmsim.go.errors import ApiError

API_VERSION = "1.41"
MIN_API_VERSION = "1.24"


def require(version: str) -> None:
    """Raise what the engine answers to a client of a version that it does not speak."""
    if _numbers(API_VERSION) < _numbers(version):
        message = (
            f"client version {version} is too new. Maximum supported API version is {API_VERSION}"
        )
        raise ApiError(400, message)
    if _numbers(version) < _numbers(MIN_API_VERSION):
        message = (
            f"client version {version} is too old. Minimum supported API version is "
            f"{MIN_API_VERSION}, please upgrade your client to a newer version"
        )
        raise ApiError(400, message)


def _numbers(version: str) -> list[int]:
    found = [int(part or 0) for part in version.split(".")]
    while len(found) > 1 and not found[-1]:
        found.pop()  # 1.41.0 is 1.41
    return found
