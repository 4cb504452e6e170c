"""An engine as the suite sees it: docker-py, the plain API, the command line, and images."""

import contextlib
import json
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import docker

from tests.swarmsim.raw import archive_of

ACTOR = Path(__file__).parent / "actor"
#: Nobody's on Docker Hub, where a name has four letters at least: no engine can pull it.
REPOSITORY = "lab/actor"
#: Where the simulated engine says its own time; a real one lives by the wall clock.
CLOCK = "Labkit-Time"


def seconds(number: float) -> int:
    """Return so many seconds in nanoseconds, as the Engine API has durations."""
    return int(number * 1_000_000_000)


def moment(text: str) -> float:
    """Return a time that an engine wrote, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def tag_of(act: str) -> str:
    """Return the tag of the image that acts so: `exit 1 after 2` is `exit-1-after-2`."""
    return re.sub(r"[^a-z0-9.]+", "-", act.lower()).strip("-") or "serve"


@dataclass(frozen=True)
class Answer:
    """What an engine answered to one request."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def message(self) -> str:
        """The engine's words, if it refused."""
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else ""


@dataclass(frozen=True)
class Ran:
    """What a command of the docker command line printed, and its exit status."""

    out: str
    err: str
    status: int


#: The version of the API in which both engines are asked.
VERSION = "1.41"


class Engine:
    """One engine, and what is needed to play scenarios on it."""

    def __init__(self, name: str, url: str, *, base_image: str, speed: float = 1) -> None:
        self.name = name
        self.url = url
        #: How many of the engine's seconds go by in one of ours.
        self.speed = speed
        self.client = docker.DockerClient(base_url=url, timeout=60, max_pool_size=20)
        self.client.api.trust_env = False  # a socket has no proxy
        self._base_image = base_image
        self._built: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of all connections."""
        self.client.close()

    # ---- the API -------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        api_version: str = VERSION,
        **params: Any,
    ) -> Answer:
        """Send one request; `raw` is a body that need not be JSON, the version may be empty."""
        api = self.client.api
        given = {
            key: json.dumps(value) if isinstance(value, dict) else value
            for key, value in params.items()
        }
        response = api.request(
            method,
            api.base_url + (f"/v{api_version}" if api_version else "") + path,
            params=given,
            data=json.dumps(body).encode() if raw is None and body is not None else raw,
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        found: Any = response.content.decode("utf-8", "replace")
        with contextlib.suppress(ValueError):  # some answers are text, or several lines of JSON
            found = json.loads(found)
        return Answer(response.status_code, found, dict(response.headers))

    def get(self, path: str, **params: Any) -> Any:
        """Return what a path holds; it must be there."""
        answer = self.call("GET", path, **params)
        assert answer.status == 200, (path, params, answer)
        return answer.body

    def now(self) -> float:
        """Return the engine's time, in seconds since 1970."""
        return self.time_of(self.call("GET", "/_ping"))

    @staticmethod
    def time_of(answer: Answer) -> float:
        """Return the engine's time as an answer carries it."""
        said = answer.headers.get(CLOCK)
        return moment(said) if said else time.time()

    # ---- the docker command line ---------------------------------------------------

    def docker(self, *words: str, **environment: str) -> Ran:
        """Run a docker command to its end, as a script would: its output is no terminal."""
        done = subprocess.run(
            ["docker", *words],
            env={
                **os.environ,
                "DOCKER_HOST": self.url,
                "DOCKER_API_VERSION": VERSION,
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Ran(done.stdout, done.stderr, done.returncode)

    # ---- images --------------------------------------------------------------------

    def image(self, act: str = "") -> str:
        """Return the name of an image that acts so (see `actor/actor.py`); it is built once."""
        name = f"{REPOSITORY}:{tag_of(act)}"
        with self._lock:
            built = self._built.get(name)
            mine = built is None
            if built is None:
                built = self._built[name] = threading.Event()
        if mine:
            try:
                self._build(name, act)
            finally:
                built.set()
        assert built.wait(60), f"{name} was not built"
        return name

    def _build(self, name: str, act: str) -> None:
        files = {file: (ACTOR / file).read_bytes() for file in ("Dockerfile", "actor.py")}
        answer = self.call(
            "POST",
            "/build",
            raw=archive_of(files),  # without times, so that the cache is used
            t=name,
            rm="1",
            buildargs={"PYTHON_IMAGE": self._base_image, "ACT": act},
            labels={"labkit.conformance": "actor"},
        )
        assert answer.status == 200, answer
        assert '"error' not in answer.body, answer.body
