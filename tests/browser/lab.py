"""JupyterLab in a real browser: a server on loopback, and a notebook in a page.

Everything the page asks for outside this machine is refused and noted.
It is the browser that refuses it: were each request asked about here, nothing would be cached.
"""

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Error, Page, Request

from tests.waiting import until
from tests.whole.labs import free_ports

_CHECKOUT = Path(__file__).resolve().parents[2]
_LOOPBACK = {"127.0.0.1", "localhost"}
#: Of a browser that finds no other machine.
REFUSE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
_GATE = "go-on"
#: Goes on when the test says so (`Notebook.release`), or has failed.
BLOCK = f"""
import pathlib, time
for _ in range(6000):
    if pathlib.Path({_GATE!r}).exists():
        break
    time.sleep(0.05)
"""
#: Where screenshots go.
ARTIFACTS = Path(os.environ.get("LABKIT_ARTIFACTS") or _CHECKOUT / "build" / "artifacts")


class Lab:
    """A JupyterLab of its own: a folder, a port, a token, settings that ask nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        (self.port,) = free_ports(1)
        self.log = folder / "jupyter.log"

    def __enter__(self) -> Self:
        settings = self.folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = {**os.environ, "PYTHONPATH": str(_CHECKOUT)}
        environment |= {name: str(self.folder / place) for name, place in own.items()}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
                    *("--ip=127.0.0.1", f"--port={self.port}", f"--notebook-dir={self.folder}"),
                    *(f"--IdentityProvider.token={self.token}", "--expose-app-in-browser"),
                    "--LabApp.extension_manager=readonly",
                ],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._answers, "JupyterLab to answer", 60, every=0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:  # it takes no notice while a kernel is just starting
            self.process.kill()
            self.process.wait()

    def write(self, cells: list[str]) -> str:
        """Write a notebook with the given code cells, and return its name."""
        name = f"{secrets.token_hex(4)}.ipynb"
        (self.folder / name).write_text(json.dumps(_notebook(cells)))
        return name

    def end_kernels(self) -> None:
        """End every kernel: its page has closed, but it would record and send all the same."""
        with urllib.request.urlopen(self.url("api/kernels"), timeout=60) as answer:
            kernels = json.load(answer)
        for each in kernels:
            url = self.url(f"api/kernels/{each['id']}")
            urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=60).close()

    def url(self, path: str) -> str:
        """Return the address of a path of this server, token included."""
        return f"http://127.0.0.1:{self.port}/{path}?token={self.token}"

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(self.log.read_text())
        try:
            with urllib.request.urlopen(self.url("api/status"), timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Notebook:
    """A notebook with the given code cells, open in a page, its kernel idle."""

    def __init__(self, lab: Lab, page: Page, cells: list[str] | str) -> None:
        """`cells` may also be the name of a notebook that exists."""
        self.lab, self.page = lab, page
        (lab.folder / _GATE).unlink(missing_ok=True)
        self.name = cells if isinstance(cells, str) else lab.write(cells)
        if page.url.startswith(lab.url("lab").partition("?")[0]):
            self._to_front()  # to load JupyterLab anew takes four seconds of a processor
            self._wait_for_kernel()
        else:
            self.open()

    def open(self, *, kernel: bool = True) -> None:
        """Open it, or reload it, in the page; without a `kernel` none is started."""
        self.page.goto(self.lab.url(f"lab/tree/{self.name}") + "&reset")
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        # on a busy machine JupyterLab's launcher may have come after it, and in front of it
        self._to_front()
        if kernel:
            self._wait_for_kernel()

    def _to_front(self) -> None:
        # whose value is the widget, which takes seconds to be made JSON of
        opens = "(path) => jupyterapp.commands.execute('docmanager:open', { path }).then(() => {})"
        self.page.evaluate(opens, self.name)

    def _wait_for_kernel(self) -> None:
        # a cell that is run before the session is ready is silently not run
        ready = f"""() => {_PANEL}?.sessionContext?.isReady
            && {_KERNEL}?.connectionStatus === "connected"
            && ["idle", "busy"].includes({_KERNEL}.status)
            && window.jupyterapp.commands.isEnabled("notebook:run-cell")"""
        self.page.wait_for_function(ready, timeout=60_000)

    def run(self, cell: int) -> None:
        """Run a cell; returns at once."""
        self.page.evaluate(
            f"""(cell) => {{
                const panel = {_PANEL};
                panel.content.activeCellIndex = cell;
                window.jupyterapp.commands.execute("notebook:run-cell");
            }}""",
            cell,
        )

    def block(self, cell: int) -> None:
        """Run a cell that ends with `BLOCK`, and wait until it blocks the kernel."""
        (self.lab.folder / _GATE).unlink(missing_ok=True)
        self.run(cell)
        until(self.busy, "the cell to block")

    def release(self) -> None:
        """Let the cell go on that ends with `BLOCK`, and wait until it has ended."""
        (self.lab.folder / _GATE).touch()
        self._wait_for_kernel()  # in a page that has been reloaded meanwhile
        until(lambda: not self.busy(), "the cell that blocked to end")

    def busy(self) -> bool:
        """Whether the kernel is running a cell."""
        return bool(self.page.evaluate(f"() => {_KERNEL}.status === 'busy'"))

    def answer_in_turn(self) -> None:
        """Have clicks wait for the cell that runs, as with a kernel that has no subshells."""
        self.page.evaluate(
            f"() => void Object.assign({_KERNEL}, {{ commsOverSubshells: 'disabled' }})"
        )

    def save(self) -> dict[str, Any]:
        """Save it, and return what is in the file."""
        self.page.evaluate(f"() => {_PANEL}.context.save()")
        saved: dict[str, Any] = json.loads((self.lab.folder / self.name).read_text())
        return saved

    def has_kept(self, cell: int) -> bool:
        """Whether the file has outputs of a cell; the number of its run may be missing yet."""
        try:
            kept = json.loads((self.lab.folder / self.name).read_text())
        except json.JSONDecodeError:  # it is being written
            return False
        return bool(kept["cells"][cell]["outputs"])

    def restart_kernel(self) -> None:
        """Restart its kernel, which then knows of nothing."""
        self.page.evaluate(f"() => {_KERNEL}.restart()")
        self._wait_for_kernel()

    def end_kernel(self) -> None:
        """Shut its kernel down."""
        self.page.evaluate(f"() => {_PANEL}.sessionContext.shutdown()")


@contextmanager
def new_page(context: BrowserContext, *forgiven: str) -> Iterator[Page]:
    """A page that may ask this machine only; at its end, a request to any other is a failure.

    So is an error in it, but for those with words that are `forgiven` where labkit has no part.
    """
    opened = context.new_page()
    with watched(opened, *forgiven):
        yield opened
        opened.close()


@contextmanager
def watched(page: Page, *forgiven: str) -> Iterator[None]:
    """Fail in the end if the page has asked another machine, or had an error: see `new_page`."""
    outside = note_outside(page)
    problems: list[str] = []

    def note(problem: Error) -> None:
        # JupyterLab's own list of cells is late for a notebook that has just been hidden
        known = any(words in problem.message for words in ("(reading 'observe')", *forgiven))
        if not known or "labkit" in (problem.stack or ""):
            problems.append(problem.stack or problem.message)

    page.on("pageerror", note)
    yield
    page.remove_listener("pageerror", note)

    assert not outside, outside
    assert not problems, problems


def note_outside(page: Page) -> list[str]:
    """Return the list in which every request that leaves this machine is noted."""
    outside: list[str] = []

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "file") and address.hostname not in _LOOPBACK:
            outside.append(request.url)

    page.on("request", note)
    return outside


def screenshot(page: Page, name: str) -> None:
    """Save a picture of the page if `LABKIT_ARTIFACTS` is set; taking one is slow."""
    if "LABKIT_ARTIFACTS" in os.environ:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{name}.png")


_PANEL = "window.jupyterapp.shell.currentWidget"
_KERNEL = f"{_PANEL}?.sessionContext?.session?.kernel"


def _notebook(cells: list[str]) -> dict[str, Any]:
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell{number}",
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
