"""A small HTTP client of an engine, which also sends what no good client would."""

import io
import json
import tarfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import docker


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


class Raw:
    """Sends requests to an engine, by the way that docker-py has into it."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._api = client.api

    def send(
        self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request. A body that is neither bytes nor None is sent as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if sent is None else {"Content-Type": "application/json"}
        answer = self._api.request(
            method, self._api.base_url + target, data=sent, headers={**kind, **(headers or {})}
        )
        return Reply(answer.status_code, dict(answer.headers), answer.content)

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
