"""The engine of a site: in a worker of the browser, asked by requests that block.

How a request gets there is in `labkit.base.browser`.
"""

from __future__ import annotations

import contextlib
import json
import time
from base64 import b64decode, b64encode
from functools import cache

from labkit.base import browser, echo, jobs
from labkit.base.errors import NoEngine
from labkit.swarm.client import Swarm
from labkit.swarm.client.refusals import no_engine
from labkit.swarm.client.wire import Answer

URL = "page://engine"
#: What labkit prints whenever this engine is used.
WHAT_IT_IS = (
    "This is labkit's simulated engine, not Docker. It runs in this browser.",
    "- Simulated: the swarm, with its nodes and networks, its rules, and how long things take.",
    "- Real: the code of your images. It runs in this browser, without a container.",
    "- Not here: a terminal, and the web page of dockercoins. Where a notebook has you type a "
    "command, its next cell does the same.",
)
#: In place of what is real there, in a browser that has no JSPI (`swarmsim.doors.in_browser`).
NOTHING_RUNS = (
    "- Acted: the code of your images. This browser cannot run it (Chrome, Edge and Firefox can); "
    "each task does what is known of its image, and nothing makes hashes."
)
_ENDED = (
    "The engine of this page does not answer. Another one takes its place, with an empty swarm: "
    "what ran before is gone. This notebook's first cell deploys the application again."
)
#: Seconds that the engine, which starts with the page, may take to load.
_LOADS_SECONDS = 120
#: Answers come within ten seconds (`swarmsim.doors.posted`).
_LIMIT_SECONDS = 30
#: The limit while it is silent: each job asks it in turn, and the waits would add up.
_LIMIT_OF_SILENT = 12
_is_silent = False
#: Seconds of a wait that is too short to be worth a request.
_SHORT = 0.01


def connect() -> Swarm:
    """Return a connection, once the engine answers; in place of one that has ended, start another.

    Raises `NoEngine`.
    """
    was_here = bool(_swarm.cache_info().currsize)
    if _silence(_LIMIT_SECONDS if was_here else _LOADS_SECONDS):
        echo.warn(_ENDED)
        with contextlib.suppress(OSError):
            browser.ask("new engine", f"labkit {time.time()}", 5)
        if why := _silence(_LOADS_SECONDS):
            raise NoEngine(
                "the engine of this page to answer.",
                f"{why}.",
                "close every tab of this site, and open it again.",
            )
    return _swarm()


def has_ended(swarm: Swarm) -> bool:
    """Whether a swarm was this page's, whose engine is now silent; it may be busy, too."""
    return swarm.url == URL and bool(_silence(0))


def _silence(seconds: float) -> str:
    """Wait so long for the engine to answer. Return why it does not, or `""`."""
    why = ""
    for _ in jobs.poll(seconds, 0):
        try:
            return str(json.loads(_post(json.dumps({"wait": 0}), 5)).get("problem", ""))
        except OSError as problem:  # what was sent before it listened is lost
            why = str(problem)
    return why


@cache
def _swarm() -> Swarm:
    """Return the connection; from now on jobs go on while the engine is asked."""
    from swarmsim.doors.posting import client

    jobs.idle = _idle
    time.sleep = jobs.sleep  # type: ignore[assignment] # so that a view moves while a cell sleeps, too
    return Swarm(client(_post), URL)


class Published:
    """A port that tasks publish, asked as `labkit.swarm.client.wire.Connection` asks one."""

    host = "localhost"

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, target: str, body: bytes | None, timeout: float) -> Answer:
        """Send a request. `timeout` is in seconds. Raises `OSError`."""
        asked = {"port": self.port, "method": method, "target": target, "seconds": timeout}
        asked["body"] = b64encode(body or b"").decode()
        said = json.loads(_post(json.dumps(asked)))
        if "problem" in said:
            raise ConnectionError(said["problem"])
        return Answer(said["status"], b64decode(said["data"]), None)

    def close(self) -> None:
        """Do nothing: no connection is kept."""


def _idle(seconds: float) -> None:
    """Let time pass: to sleep would keep a processor busy in a browser."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > _SHORT:
        try:
            _post(json.dumps({"wait": left}))
        except OSError as problem:
            raise no_engine(URL, problem) from None


def _post(message: str, limit: float = _LIMIT_SECONDS) -> str:
    global _is_silent
    limit, _is_silent = min(limit, _LIMIT_OF_SILENT if _is_silent else limit), True
    said = browser.ask("labkit", message, limit)
    _is_silent = False
    return said
