"""What goes wrong with an image, in Docker's words."""

from __future__ import annotations

import json


class ImageProblem(Exception):
    """Something the engine will not do with an image: an HTTP status and Docker's message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class BadDockerfile(ImageProblem):
    """A Dockerfile that cannot be read; said before a step of it is taken."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class StepFailed(ImageProblem):
    """A step of a build that failed; said in the stream of the build."""

    def __init__(self, message: str) -> None:
        super().__init__(500, message)


def quoted(text: str) -> str:
    """Return text as Go's `%q` writes it."""
    return json.dumps(text, ensure_ascii=False)
