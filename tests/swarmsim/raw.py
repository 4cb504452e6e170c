"""A small HTTP client over a unix socket, which also sends what no good client would."""

from __future__ import annotations

import http.client
import io
import json
import socket
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.json["message"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Raw:
    """Sends requests to an engine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(
        self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request. A body that is neither bytes nor None is sent as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if sent is None else {"Content-Type": "application/json"}
        connection = _Connection(self._path)
        try:
            connection.request(method, target, sent, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, target: str, **query: Any) -> Reply:
        """Send a GET; a query value that is a dict is sent as JSON."""
        return self.send("GET", with_query(target, query))

    def post(self, target: str, body: Any = None, **query: Any) -> Reply:
        """Send a POST."""
        return self.send("POST", with_query(target, query), body)

    def delete(self, target: str, **query: Any) -> Reply:
        """Send a DELETE."""
        return self.send("DELETE", with_query(target, query))


def with_query(target: str, query: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    values = {key: json.dumps(it) if isinstance(it, dict) else it for key, it in query.items()}
    return f"{target}?{urlencode(values)}" if values else target


def archive_of(files: dict[str, bytes]) -> bytes:
    """Return an uncompressed tar archive."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()
