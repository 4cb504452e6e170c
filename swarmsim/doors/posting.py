"""docker-py on an engine that is asked by messages (`posted`), however those get there."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import docker
import requests

from swarmsim.doors.inprocess import Client, pieces, response

#: Sends a message, and waits for its answer.
Post = Callable[[str], str]


def client(post: Post) -> docker.DockerClient:
    """Return a client of docker-py whose requests go out as messages."""
    return Client(lambda request: response(_Exchange(post, request)))


class _Exchange:
    """A request and its answer."""

    def __init__(self, post: Post, request: requests.PreparedRequest) -> None:
        self._post = post
        asked = {"method": request.method, "target": request.path_url}
        body = b64encode(b"".join(pieces(request.body))).decode()
        said = self._ask({**asked, "headers": dict(request.headers), "body": body})
        while not said["status"]:  # the engine has not begun yet
            said = self._ask({"more": said["stream"]})
        self._number, self._over = said["stream"], said["over"]
        self.status, self.headers = said["status"], said["headers"]
        self.streaming, self.content = said["streaming"], b64decode(said["data"])

    def next_piece(self) -> bytes:
        """Wait for the next piece of a stream; nothing at its end."""
        piece = b""
        while not (piece or self._over):
            said = self._ask({"more": self._number})
            piece, self._over = b64decode(said.get("data", "")), said.get("over", True)
        return piece

    def close(self) -> None:
        """End the stream."""
        if not self._over:
            self._over = True
            self._ask({"close": self._number})

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        return dict(json.loads(self._post(json.dumps(message))))
