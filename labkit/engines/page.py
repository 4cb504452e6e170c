"""The engine of a site: in a worker of the browser, asked by requests that block.

A kernel in a browser is a worker as well, and may wait for a request. What it posts to
`api/drive`, JupyterLite's service worker passes on over a BroadcastChannel, and the engine's
worker answers what is addressed to it (`site/engine/engine.js`).
"""

from __future__ import annotations

import json
import sys
import time
from functools import cache
from typing import Any

from labkit.base import jobs
from labkit.base.errors import NoEngine
from labkit.base.waiting import poll
from labkit.swarm.client import Swarm

URL = "page://engine"
#: What labkit prints whenever this engine is used.
WHAT_IT_IS = (
    "This is labkit's simulated engine, not Docker. It runs in this browser.",
    "- Simulated: the swarm, with its nodes and networks, its rules, and how long things take.",
    "- Not here yet: the code of your images. A task runs, and does nothing, until it is stopped.",
    "- For all of it: labkit on a machine of yours.",
)
#: It begins when the page does, and takes so many seconds to load at most.
_LOADS_SECONDS = 120
#: Answers come within ten seconds (`swarmsim.posted`).
_LIMIT_SECONDS = 30
#: Seconds below which it takes as long to ask.
_SHORT = 0.01


def is_here() -> bool:
    """Whether this Python is a browser's."""
    return sys.platform == "emscripten"


@cache
def connect() -> Swarm:
    """Return a connection, once the engine answers; from then on jobs go on while it is asked.

    Raises `NoEngine`.
    """
    from swarmsim.posting import client

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


def _idle(seconds: float) -> None:
    """Let time pass: to sleep would keep a processor busy in a browser."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > _SHORT:
        _post(json.dumps({"wait": left}))


def _post(message: str, limit: float = _LIMIT_SECONDS) -> str:
    """Send a message to the engine, and wait for its answer. Raises `OSError`."""
    import js  # type: ignore[import-not-found]  # Pyodide's
    from pyodide.ffi import JsException  # type: ignore[import-not-found]

    site = js.URL.new(js.location.href.partition("extensions/")[0])
    request: Any = js.XMLHttpRequest.new()
    request.open("POST", f"{site.href}api/drive/labkit", False)
    request.timeout = limit * 1000
    address = {"browsingContextId": f"labkit {site.pathname}", "data": message}
    try:
        request.send(json.dumps(address))
        return str(json.loads(request.responseText))
    except (JsException, ValueError) as problem:
        raise ConnectionError(f"the engine of this page does not answer: {problem}") from None
