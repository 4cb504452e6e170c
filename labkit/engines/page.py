"""The engine of a site: in a worker of the browser, asked by requests that block.

How a request gets there is in `labkit.base.browser`.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from functools import cache

from labkit.base import browser, jobs
from labkit.base.errors import NoEngine
from labkit.base.waiting import poll
from labkit.swarm.client import Swarm
from labkit.swarm.wire import Answer

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
#: Seconds that the engine, which starts with the page, may take to load.
_LOADS_SECONDS = 120
#: Answers come within ten seconds (`swarmsim.doors.posted`).
_LIMIT_SECONDS = 30
#: Seconds of a wait that is too short to be worth a request.
_SHORT = 0.01


@cache
def connect() -> Swarm:
    """Return a connection, once the engine answers; from then on jobs go on while it is asked.

    Raises `NoEngine`.
    """
    from swarmsim.doors.posting import client

    for _ in poll(_LOADS_SECONDS, 0):
        try:
            _post(json.dumps({"wait": 0}), 5)
            break
        except OSError as problem:  # what was sent before it listened is lost
            why = problem
    else:
        raise NoEngine(
            "the engine of this page to answer.",
            f"{why}.",
            "close every tab of this site, and open it again.",
        )
    jobs.idle = _idle
    time.sleep = jobs.sleep  # type: ignore[assignment] # so that a view moves while a cell sleeps, too
    return Swarm(client(_post), URL)


class Published:
    """A port that tasks publish, asked as `labkit.swarm.wire.Connection` asks one."""

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
        _post(json.dumps({"wait": left}))


def _post(message: str, limit: float = _LIMIT_SECONDS) -> str:
    """Send a message to the engine, and wait for its answer. Raises `OSError`."""
    return browser.ask("labkit", message, limit)
