"""What goes wrong with a build, in Docker's words."""

from __future__ import annotations

import json

from swarmsim.go.errors import ApiError


class BadDockerfile(ApiError):
    """A Dockerfile that cannot be read: said before a step of it is taken."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class StepFailed(ApiError):
    """A step of a build that failed: said in the stream of the build."""

    def __init__(self, message: str) -> None:
        super().__init__(500, message)


def quoted(text: str) -> str:
    """Return text as Go's `%q` writes it."""
    return json.dumps(text, ensure_ascii=False)
