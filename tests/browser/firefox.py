"""Firefox as Debian has it, by WebDriver BiDi over a websocket: Playwright does not drive it."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import websocket

from tests.browser.lab import ARTIFACTS
from tests.waiting import until
from tests.whole.labs import free_ports

#: Seconds that a browser has for what it is asked.
_LIMIT = 240


class Tab:
    """A browser with one page."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket, self._numbers = socket, count(1)
        self._ask("session.new", capabilities={})
        # the first tab never has the focus, without which JupyterLab has no current notebook
        self._page = {"context": self._ask("browsingContext.create", type="tab")["context"]}
        self._ask(
            "browsingContext.setViewport", viewport={"width": 1280, "height": 900}, **self._page
        )

    def open(self, url: str) -> None:
        """Open a page; what it loads by itself need not be there."""
        self._ask("browsingContext.navigate", url=url, wait="interactive", **self._page)

    def run(self, script: str) -> Any:
        """Return what the body of an async function returns in the page; raise what it raises."""
        ran = f"(async () => {{ {script} }})().then((it) => JSON.stringify(it ?? null))"
        said = self._ask("script.evaluate", expression=ran, target=self._page, awaitPromise=True)
        if "exceptionDetails" in said:
            raise AssertionError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def picture(self) -> str:
        """Return what the page looks like, as PNG in base64."""
        return str(self._ask("browsingContext.captureScreenshot", **self._page)["data"])

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (said := json.loads(self._socket.recv())).get("id") != number:
            pass
        if said["type"] == "error":
            raise AssertionError(f"{said['error']}: {said['message']}")
        return said["result"]


def wait_for(tab: Tab, condition: str) -> Any:
    """Wait until an expression holds in the page, and return its value."""
    return until(lambda: tab.run(f"return {condition}"), condition, _LIMIT, every=0.5)


def screenshot(tab: Tab, name: str) -> None:
    """Keep a picture of the page."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    (ARTIFACTS / f"{name}.png").write_bytes(base64.b64decode(tab.picture()))


@contextmanager
def firefox(folder: Path) -> Iterator[Tab]:
    """Firefox, with a profile of its own."""
    (folder / "profile").mkdir()
    (port,) = free_ports(1)
    words = ["firefox-esr", "--headless", "--no-remote", "--profile", str(folder / "profile")]

    def connect() -> websocket.WebSocket | None:
        try:
            address = f"ws://127.0.0.1:{port}/session"
            return websocket.create_connection(address, _LIMIT, suppress_origin=True)
        except OSError:
            return None

    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [*words, "--remote-debugging-port", str(port)],
            env=os.environ | {"HOME": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            socket = until(connect, "Firefox to answer", _LIMIT, every=0.5)
            assert socket
            yield Tab(socket)
            socket.close()
        finally:
            process.terminate()
            process.wait()
