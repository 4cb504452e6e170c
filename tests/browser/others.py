"""Firefox and WebKit as Debian has them, which Playwright does not drive.

Firefox takes WebDriver BiDi, messages over a websocket; WebKit takes WebDriver, requests over HTTP.
"""

import base64
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import websocket

from tests.browser.lab import ARTIFACTS
from tests.waiting import until
from tests.whole.labs import free_ports

#: Seconds that a browser has for what it is asked.
_LIMIT = 240


class Tab(Protocol):
    """A browser with one page."""

    name: str

    def open(self, url: str) -> None:
        """Open a page; what it loads by itself need not be there."""

    def run(self, script: str) -> Any:
        """Return what the body of an async function returns in the page; raise what it raises."""

    def evaluate(self, function: str, given: Any = None) -> Any:
        """Return what a function returns in the page, as Playwright's pages do."""
        return self.run(f"return await ({function})({json.dumps(given)})")

    def picture(self) -> str:
        """Return what the page looks like, as PNG in base64."""


def wait_for(tab: Tab, condition: str) -> Any:
    """Wait until an expression holds in the page, and return its value."""
    return until(lambda: tab.run(f"return {condition}"), condition, _LIMIT, every=0.5)


def screenshot(tab: Tab, name: str) -> None:
    """Keep a picture of the page."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    (ARTIFACTS / f"{name}-{tab.name}.png").write_bytes(base64.b64decode(tab.picture()))


class _Firefox(Tab):
    name = "firefox"

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket, self._numbers = socket, count(1)
        self._ask("session.new", capabilities={})
        # the first tab never has the focus, without which JupyterLab has no current notebook
        self._page = {"context": self._ask("browsingContext.create", type="tab")["context"]}
        self._ask(
            "browsingContext.setViewport", viewport={"width": 1280, "height": 900}, **self._page
        )

    def open(self, url: str) -> None:
        self._ask("browsingContext.navigate", url=url, wait="interactive", **self._page)

    def run(self, script: str) -> Any:
        ran = f"(async () => {{ {script} }})().then((it) => JSON.stringify(it ?? null))"
        said = self._ask("script.evaluate", expression=ran, target=self._page, awaitPromise=True)
        if "exceptionDetails" in said:
            raise AssertionError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def picture(self) -> str:
        return str(self._ask("browsingContext.captureScreenshot", **self._page)["data"])

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (said := json.loads(self._socket.recv())).get("id") != number:
            pass
        if said["type"] == "error":
            raise AssertionError(f"{said['error']}: {said['message']}")
        return said["result"]


@contextmanager
def firefox(folder: Path, **preferences: Any) -> Iterator[Tab]:
    """Firefox, with a profile of its own."""
    profile, (port,) = folder / "profile", free_ports(1)
    profile.mkdir()
    set_by = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items())
    (profile / "user.js").write_text("\n".join(set_by))
    words = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile)]

    def connect() -> websocket.WebSocket | None:
        try:
            address = f"ws://127.0.0.1:{port}/session"
            return websocket.create_connection(address, _LIMIT, suppress_origin=True)
        except OSError:
            return None

    with _running(folder, *words, "--remote-debugging-port", str(port)):
        socket = until(connect, "Firefox to answer", _LIMIT, every=0.5)
        assert socket
        yield _Firefox(socket)
        socket.close()


class _WebKit(Tab):
    name = "webkit"

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        until(self._answers, "WebKitWebDriver to answer", _LIMIT, every=0.5)
        (browser,) = Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser")
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        began = self._ask("/session", {"capabilities": {"alwaysMatch": wanted}})
        self._url += f"/session/{began['sessionId']}"
        self._ask("/timeouts", {"script": _LIMIT * 1000, "pageLoad": _LIMIT * 1000})
        self._ask("/window/rect", {"width": 1280, "height": 900})

    def open(self, url: str) -> None:
        self._ask("/url", {"url": url})

    def run(self, script: str) -> Any:
        then = "(it) => done({ it }), (why) => done({ why: String(why) })"
        ran = f"const done = arguments[0]; (async () => {{ {script} }})().then({then})"
        said = self._ask("/execute/async", {"script": ran, "args": []})
        if "why" in said:
            raise AssertionError(said["why"])
        return said.get("it")

    def picture(self) -> str:
        return str(self._ask("/screenshot"))

    def close(self) -> None:
        """End the browser."""
        self._ask("", method="DELETE")

    def _answers(self) -> bool:
        try:
            self._ask("/status")
        except OSError:
            return False
        return True

    def _ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=_LIMIT + 10) as answer:
            return json.load(answer)["value"]


@contextmanager
def webkit(folder: Path) -> Iterator[Tab]:
    """WebKitGTK's own small browser. It has windows only, so they go to a display of memory."""
    (port,) = free_ports(1)
    display = f":{port}"
    # its best compiler, and compositing without a GPU, would each take as much time as Python
    fast = {"JSC_useOMGJIT": "0", "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
    with (
        _running(folder, "Xvfb", display, "-screen", "0", "1280x900x24", "-nolisten", "tcp"),
        _running(folder, "WebKitWebDriver", f"--port={port}", DISPLAY=display, **fast),
        closing(_WebKit(port)) as tab,
    ):
        yield tab


@contextmanager
def _running(folder: Path, *words: str, **environment: str) -> Iterator[None]:
    with (folder / f"{words[0]}.log").open("wb") as log:
        own = os.environ | {"HOME": str(folder)} | environment
        process = subprocess.Popen(words, env=own, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait()
