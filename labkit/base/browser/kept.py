"""The learner's files in a browser: in the kernel's memory, and kept by its page.

A kernel's memory is as fast as a disk, and gone with the kernel. JupyterLite's drive stays, and
has what its editor shows; but each step on it takes some 10 ms, a file is written there when it
is closed, and one that was deleted meanwhile blocks the kernel for ever. So the page
(`site/extension`) is asked in turns for what others have changed there, and given what has changed
here: at the latest after a second, and before and after each cell. In the same answer come the
clicks of a person while a cell runs, which JupyterLite itself holds back until it has ended.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labkit.base import browser, echo, jobs, settings

#: What is kept: a folder here, and its name on the drive.
_FOLDERS = ((".labkit", ".labkit"), ("lab/dockercoins", "dockercoins"))
#: Seconds between two questions: while a cell waits for a person or a swarm, and between cells.
_SOON, _LATER = 0.2, 1
#: Seconds between two times that files are given to the page; a recording is given whole.
_GIVEN_EVERY = 1
_LIMIT_SECONDS = 30
#: Filled in: for how long, and the reason.
_NOT_ANSWERED = "Your files and your progress are kept in memory only{}: {}"
_UNTIL = " until the page answers again"
#: With what the page says, as where the browser has no room left.
_NOT_STORED = (
    "Your browser does not store your files and your progress ({}). They are lost when the kernel "
    "ends. Make room: delete what other sites have stored, or free some of the disk. labkit tries "
    "again every second."
)


def begin() -> None:
    """Take what the page has kept, and have it keep what changes from now on."""
    try:
        from pyodide_kernel import kernel_instance  # type: ignore[import-not-found]
    except ImportError:  # a browser's Python without a notebook
        return
    _Page(kernel_instance).begin()


class _Page:
    def __init__(self, kernel: Any) -> None:
        self._address = f"page {kernel._parent_header['header']['session']}"  # noqa: SLF001
        self._kernel, self._events = kernel, kernel.interpreter.events
        self._receive = kernel.comm_manager.comm_msg
        kernel.comm_manager.comm_msg = self._receive_later
        self._received = set[str]()
        #: When each file was written last, and how long it was, when both sides had the same.
        self._same: dict[str, tuple[int, int]] = {}
        self._given_at = -float(_GIVEN_EVERY)
        self._in_a_cell, self._refused = True, False
        self._job = jobs.Job(self._steps(), "files")

    def begin(self) -> None:
        """Take everything, and go on beside the cells."""
        if self._exchange(everything=True):
            self._events.register("pre_run_cell", lambda *_: self._at_cell(begins=True))
            self._events.register("post_run_cell", lambda *_: self._at_cell(begins=False))
            self._job.start()

    def _steps(self) -> jobs.Steps:
        while True:  # a page that is busy may answer later
            self._exchange(give=time.monotonic() - self._given_at >= _GIVEN_EVERY)
            yield _SOON if self._in_a_cell else _LATER

    def _at_cell(self, *, begins: bool) -> None:
        self._in_a_cell = begins
        if self._job.alive:
            self._exchange()

    def _exchange(self, *, everything: bool = False, give: bool = True) -> bool:
        """Give and take; whether the page answers."""
        changed = dict(self._changed()) if give else {}
        put = {name: _content(path) for name, path in changed.items()}
        given = {name: _stamp(path) for name, path in changed.items()}
        try:
            message = json.dumps({"everything": everything, "put": put})
            answer = json.loads(browser.ask(self._address, message, _LIMIT_SECONDS))
        except OSError as problem:
            self._warn_once(_NOT_ANSWERED.format("" if everything else _UNTIL, problem))
            return False
        if said := answer.get("problem"):
            self._warn_once(_NOT_STORED.format(said))
            return True
        self._refused = False
        for name in given.keys() - answer["files"]:  # the page has kept those
            if stamp := given[name]:
                self._same[name] = stamp
            else:
                self._same.pop(name, None)
        if give:
            self._given_at = time.monotonic()
        for name, file in answer["files"].items():
            self._take(name, file, conflicts=name in changed)
        for message in answer["messages"]:
            self._answer(message)
        return True

    def _warn_once(self, said: str) -> None:
        if not self._refused:
            echo.warn(said)
        self._refused = True

    def _answer(self, message: dict[str, Any]) -> None:
        """Take a message that came here first; what it puts out is its own, not the cell's."""
        self._received.add(message["header"]["msg_id"])
        cell, self._kernel._parent_header = self._kernel._parent_header, message  # noqa: SLF001
        try:
            self._receive(None, None, message)
        except Exception:  # a widget's: as where a message comes the usual way
            logging.getLogger(__name__).exception("a message of the page")
        finally:
            self._kernel._parent_header = cell  # noqa: SLF001

    def _changed(self) -> Iterator[tuple[str, Path]]:
        """Yield what has changed here, and what is gone, with its name on the drive."""
        there = set()
        for here, name in _FOLDERS:
            top = settings.home() / here
            for folder, _, files in os.walk(top):
                for each in files:
                    path = Path(folder, each)
                    there.add(called := f"{name}/{path.relative_to(top)}")
                    if self._same.get(called) != _stamp(path):
                        yield called, path
        yield from ((name, _here(name)) for name in self._same.keys() - there)

    def _take(self, name: str, file: dict[str, Any] | None, *, conflicts: bool) -> None:
        """Take a file from the drive; one that both appended to keeps what both wrote."""
        path = _here(name)
        if file is None:
            for each in [each for each in self._same if f"{each}/".startswith(f"{name}/")]:
                del self._same[each]
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(True)
            return
        content = file["content"].encode()
        if conflicts and name.endswith(".jsonl"):
            path.write_bytes(content + path.read_bytes()[self._same.get(name, (0, 0))[1] :])
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (file["at"] / 1000,) * 2)
        self._same[name] = _stamp(path) or (0, 0)

    def _receive_later(self, stream: Any, ident: Any, message: Any) -> Any:
        """Take a message that JupyterLite has held back, unless it came here before."""
        key = message["header"]["msg_id"]
        if key not in self._received:
            return self._receive(stream, ident, message)
        self._received.discard(key)
        return None


def _here(name: str) -> Path:
    top, _, rest = name.partition("/")
    return settings.home() / next(here for here, kept in _FOLDERS if kept == top) / rest


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _content(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None
