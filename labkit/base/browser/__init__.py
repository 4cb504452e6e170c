"""How Python in a browser, where it runs in a worker, asks what is outside of that worker.

JupyterLite's service worker passes on what is posted to `api/drive` over a BroadcastChannel. The
engine (`site/engine/engine.js`) or the kernel's page (`site/extension`) answers.
"""

import json
import sys
import time
from typing import Any

#: What to do when a page's engine has stopped answering: it never comes back.
START_ANOTHER = "run this notebook's first cell. It starts another engine, with an empty swarm."
#: Seconds that were spent waiting for answers, in all. In a browser, clocks of processor time
#: count them, too.
waited = [0.0]


def is_here() -> bool:
    """Whether this Python is a browser's."""
    return sys.platform == "emscripten"


def ask(whom: str, message: str, limit: float) -> str:
    """Send a message to `whom`, and wait for the answer, at most `limit` seconds.

    Raises `OSError`.
    """
    import js
    from pyodide.ffi import JsException

    site = js.URL.new(js.location.href.partition("extensions/")[0])
    request: Any = js.XMLHttpRequest.new()
    # the service worker ends it then: WebKit keeps to no time limit of a worker's request
    request.open("POST", f"{site.href}api/drive/labkit?seconds={limit}", False)
    request.timeout = limit * 1000
    address = {"browsingContextId": f"{whom} {site.pathname}", "data": message}
    began = time.monotonic()
    try:
        request.send(json.dumps(address))
        return str(json.loads(request.responseText))
    except (JsException, ValueError) as problem:
        raise ConnectionError(f"nothing in this page answers: {problem}") from None
    finally:
        waited[0] += time.monotonic() - began
