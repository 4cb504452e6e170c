"""A class at a hub, on this machine: `make bench-class ARGS="--learners 30"`.

Learners come all at once: each has a server started, loads JupyterLab's page, starts the
kernel of notebook 0 and runs its first cells, over the hub's own API and the websockets that a
browser uses. While nobody does anything, what all of it takes is measured over a minute. Then
some of them run notebook 1 up to the end of its update, beside the same update on Swarm
(`notebooks/recordings`).

Memory is PSS, from /proc: what processes share is divided between them.
"""

import argparse
import asyncio
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.report import p95
from labkit.recordings import story
from labkit.recordings.recording import Recording
from tests.waiting import until

_ROOT = Path(__file__).resolve().parents[1]
_DEPLOY = _ROOT / "deploy" / "jupyterhub"
_PROXY = _ROOT / "build" / "hub" / "node_modules"
_PORT = 8870
_URL = f"http://127.0.0.1:{_PORT}"
#: In the environment of each process of the class but the tasks, which are the engine's children.
_MARK = "LABKIT_BENCH_CLASS"
_CONFIGURATION = """
load_subconfig({configuration!r})
c.JupyterHub.services.append({{"name": "bench", "api_token": {token!r}}})
scopes = ["admin:servers", "read:users", "access:servers"]
c.JupyterHub.load_roles.append({{"name": "bench", "scopes": scopes, "services": ["bench"]}})
c.JupyterHub.concurrent_spawn_limit = {learners}
c.Spawner.environment[{mark!r}] = {token!r}
c.JupyterHub.log_level = "WARN"
c.JupyterHub.cleanup_servers = c.JupyterHub.cleanup_proxy = True
"""
_RECORDED = "01-rolling.jsonl"
_NOTEBOOKS = ("00-start-here.ipynb", "01-rolling-updates.ipynb")
#: The last cell of a notebook's first part: until there dockercoins is deployed.
_IN_THE_NOTEBOOK = "labkit.reset(0)"
#: The last cell of notebook 1 that is run, and what it is asked for in addition.
_UPDATED = "story.took("
_TOOK = "print(story.took(recording).total_seconds())"
#: What the browser of an open JupyterLab asks for, and how often, in seconds.
_POLLED = ("api/kernels", "api/sessions", "api/terminals", "api/contents?content=1")
_POLLED_EVERY = 10
#: Seconds: of the measurement, of one request, of a cell, and until applications sleep.
_MINUTE, _ANSWER, _CELL, _ASLEEP = 60, 180, 400, 60

AsyncHTTPClient.configure(None, max_clients=500)


def main() -> None:
    """Run the class, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classroom", description=__doc__)
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--updating", type=int, help="how many update at once; a third by default")
    parser.add_argument("--containers", action="store_true", help="each learner in a container")
    chosen = parser.parse_args()
    updating = max(1, chosen.learners // 3) if chosen.updating is None else chosen.updating
    with _hub(chosen.learners, chosen.containers) as token:
        asyncio.run(_teach(chosen.learners, updating, token))


async def _teach(learners: int, updating: int, token: str) -> None:
    cpus = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    print(f"{learners} learners at once, on {cpus}", flush=True)
    everybody = [_Learner(name, token) for name in _names(learners)]
    looking: list[asyncio.Task[None]] = []
    try:
        await _all(learner.arrive() for learner in everybody)
        for step in everybody[0].seconds:
            _figures(step, [each.seconds[step] for each in everybody])
        spent = _cpu(token)
        print(f"  processor time a learner until then: {sum(spent.values()) / learners:.1f} s")
        looking += [asyncio.create_task(each.look()) for each in everybody]
        await asyncio.sleep(_ASLEEP)
        await _measure_rest(learners, token)
        swarm = Recording.load(_ROOT / "notebooks" / "recordings" / _RECORDED)
        expected = story.took(swarm).total_seconds()
        took = await _all(each.update() for each in everybody[:updating])
        _figures(f"{updating} update at once, of {expected:.1f} s on Swarm", took)
        worst = max(abs(each / expected - 1) for each in took)
        print(f"  the furthest from Swarm: {100 * worst:.1f} % (wanted: 10)", flush=True)
    finally:
        for task in looking:
            task.cancel()
        await _all(each.leave() for each in everybody)


def _figures(what: str, seconds: Sequence[float]) -> None:
    last, middle = max(seconds), statistics.median(seconds)
    high = p95(seconds) if len(seconds) > 1 else last
    print(f"{what:56} {middle:6.1f} s  p95 {high:6.1f}  last {last:6.1f}", flush=True)


async def _all(given: Iterator[Awaitable[Any]] | Any) -> list[Any]:
    return list(await asyncio.gather(*given))


# ---- a learner ---------------------------------------------------------------------


class _Learner:
    """Somebody with a browser: asks the hub and the server of their own, as a page does."""

    def __init__(self, name: str, token: str) -> None:
        self._name = name
        self._headers = {"Authorization": f"token {token}"}
        self._socket: WebSocketClientConnection | None = None
        self._cells: list[str] = []
        self._session = uuid4().hex
        #: By what was reached: the seconds since they came.
        self.seconds: dict[str, float] = {}

    async def arrive(self) -> None:
        """Log in, and run the first part of notebook 0."""
        began = time.monotonic()

        def reached(what: str) -> None:
            self.seconds[what] = time.monotonic() - began

        await self._ask(f"/hub/api/users/{self._name}/server", "POST")
        while not (await self._ask(f"/hub/api/users/{self._name}"))["servers"].get("", {})["ready"]:
            await asyncio.sleep(0.5)
        reached("the server is started")
        await self._load_page()
        await self._open(_NOTEBOOKS[0])
        reached("the kernel answers (wanted: all within 180 s)")
        for code in self._up_to(_IN_THE_NOTEBOOK):
            await self._run(code)
        reached("in notebook 0, dockercoins runs (wanted: the last at 180 s)")
        await self._run("labkit.watch(step.worker)")  # and waits for what comes next

    async def look(self) -> None:
        """Have the page open: it asks the server for news, whether they look at it or not."""
        while True:
            for what in _POLLED:
                await self._ask(self._own(what))
            await asyncio.sleep(_POLLED_EVERY)

    async def update(self) -> float:
        """Run notebook 1 up to the end of its update; return the seconds that that took."""
        await self._open(_NOTEBOOKS[1])
        for code in self._up_to(_UPDATED):
            await self._run(code)
        return float(await self._run(_TOOK))

    async def leave(self) -> None:
        """Log out: the hub stops their server."""
        if self._socket is not None:
            self._socket.close()
        with suppress(Exception):  # they never had one
            await self._ask(f"/hub/api/users/{self._name}/server", "DELETE")

    # ---- their server ----------------------------------------------------------------

    def _own(self, path: str) -> str:
        return f"/user/{self._name}/{path}"

    async def _ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        request = HTTPRequest(
            _URL + path,
            method=method,
            headers=self._headers,
            body=json.dumps(body or {}) if method == "POST" else None,
            request_timeout=_ANSWER,
            connect_timeout=_ANSWER,
        )
        answer = (await AsyncHTTPClient().fetch(request)).body
        return json.loads(answer) if answer[:1] in (b"{", b"[") else answer

    async def _load_page(self) -> None:
        page = await self._ask(self._own(f"lab/tree/{_NOTEBOOKS[0]}"))
        for script in re.findall(rb'<script[^>]* src="([^"]+)"', page):
            await self._ask(script.decode())

    async def _open(self, notebook: str) -> None:
        """Open a notebook, and wait until its kernel answers."""
        content = (await self._ask(self._own(f"api/contents/{notebook}")))["content"]
        cells = [each for each in content["cells"] if each["cell_type"] == "code"]
        self._cells = [each["source"] for each in cells]
        wanted = {"path": notebook, "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        session = await self._ask(self._own("api/sessions"), "POST", wanted)
        address = self._own(f"api/kernels/{session['kernel']['id']}/channels")
        url = f"{_URL.replace('http', 'ws')}{address}?session_id={self._session}"
        request = HTTPRequest(
            url, headers=self._headers, connect_timeout=_ANSWER, request_timeout=_ANSWER
        )
        self._socket = await websocket_connect(request)
        await self._run("pass")

    def _up_to(self, last: str) -> list[str]:
        """Take the cells up to one that contains a text, and return them."""
        end = next(at for at, each in enumerate(self._cells, 1) if last in each)
        taken, self._cells = self._cells[:end], self._cells[end:]
        return taken

    async def _run(self, code: str) -> str:
        """Run a cell; return what it writes. Raises `RuntimeError` where it fails."""
        assert self._socket is not None
        header = {"msg_id": uuid4().hex, "msg_type": "execute_request", "session": self._session}
        header |= {"username": self._name, "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        await self._socket.write_message(json.dumps({**message, "channel": "shell"}))
        async with asyncio.timeout(_CELL):
            return await self._answer_to(header["msg_id"])

    async def _answer_to(self, asked: str) -> str:
        """Return what a cell writes, once the kernel is idle again."""
        assert self._socket is not None
        written = ""
        while (answer := await self._socket.read_message()) is not None:
            if isinstance(answer, bytes):  # data of a widget
                continue
            said = json.loads(answer)
            if said["parent_header"].get("msg_id") != asked:
                continue
            content = said["content"]
            written += content.get("text", "") if said["msg_type"] == "stream" else ""
            if said["msg_type"] == "error":
                raise RuntimeError(f"{self._name}: {content['ename']}: {content['evalue']}")
            if content.get("execution_state") == "idle":
                return written
        raise RuntimeError(f"{self._name}: the kernel is gone")


# ---- what it takes -----------------------------------------------------------------


async def _measure_rest(learners: int, token: str) -> None:
    """Print the processor time of a minute in which nobody does anything, and the memory."""
    before = _cpu(token)
    await asyncio.sleep(_MINUTE)
    after = _cpu(token)
    shares = {part: (after[part] - before[part]) / _MINUTE for part in after}
    memory: defaultdict[str, float] = defaultdict(float)
    for process, part in _processes(token):
        memory[part] += _pss(process)
    print(f"at rest, {learners} learners{'cores':>20}{'MB a learner (PSS)':>22}")
    for part, size in sorted(memory.items(), key=itemgetter(1), reverse=True):
        each = "" if part == "hub" else f"{size / learners:22.1f}"
        print(f"  {part:32} {shares.get(part, 0):12.3f}{each}", flush=True)
    own = sum(memory.values()) - memory["hub"] - memory["server"]
    total = sum(shares.values())
    print(f"  {'all (wanted: 0.5)':32} {total:12.3f}")
    print(f"  {'beside the server (wanted: 150)':32} {'':12}{own / learners:22.1f}", flush=True)


def _processes(token: str) -> Iterator[tuple[psutil.Process, str]]:
    """Yield each process of the class, and the part that it belongs to."""
    seen = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(_MARK) == token:
                for each in (process, *process.children(recursive=True)):
                    if each.pid not in seen:
                        seen.add(each.pid)
                        with suppress(psutil.Error):
                            yield each, _part(" ".join(each.cmdline()))


def _part(words: str) -> str:
    """Return what a process is of, by its command line."""
    parts = {
        "jupyterhub": ("jupyterhub", "configurable-http-proxy"),
        "kernel": ("ipykernel_launcher",),
        "engine": ("-m swarmsim", "keeper.sh"),
        "tasks": ("warm.py", "python -c"),
        "server": ("labkit lab", "bin/labkit"),
    }
    names = {"jupyterhub": "hub"}
    found = next((part for part, marks in parts.items() if any(it in words for it in marks)), "")
    return names.get(found, found) or "other"


def _cpu(token: str) -> defaultdict[str, float]:
    spent: defaultdict[str, float] = defaultdict(float)
    for process, part in _processes(token):
        with suppress(psutil.Error):
            times = process.cpu_times()
            spent[part] += times.user + times.system
    return spent


def _pss(process: psutil.Process) -> float:
    """Return the memory of a process in MB, of which shared pages count in proportion."""
    with suppress(OSError):
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        return int(text.split("\nPss:")[1].split()[0]) / 1024
    return 0


# ---- the hub -----------------------------------------------------------------------


def _names(learners: int) -> list[str]:
    return [f"learner{number:02}" for number in range(1, learners + 1)]


@contextmanager
def _hub(learners: int, containers: bool) -> Iterator[str]:
    """Run a hub in a folder that goes away; yield the token of its API."""
    token = secrets.token_hex(16)
    _PROXY.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="labkit-class-") as folder:
        where = Path(folder)
        (where / "node_modules").symlink_to(_PROXY)  # which come from npm, and stay
        (where / "learners.txt").write_text("\n".join(_names(learners)))
        configuration = str(_DEPLOY / "jupyterhub_config.py")
        (where / "jupyterhub_config.py").write_text(
            _CONFIGURATION.format(
                configuration=configuration, token=token, learners=learners, mark=_MARK
            )
        )
        env = {
            **os.environ,
            "LABKIT_HUB_PORT": str(_PORT),
            "LABKIT_HUB_ISOLATION": "containers" if containers else "none",
            _MARK: token,
        }
        words = [sys.executable, str(_DEPLOY / "hub.py"), "run"]
        with (where / "log").open("wb") as log:
            hub = subprocess.Popen(words, cwd=where, env=env, stdout=log, stderr=log)
        try:
            until(lambda: _answers() or hub.poll() is not None, "the hub to answer", 120)
            if hub.poll() is not None:
                raise SystemExit((where / "log").read_text())
            yield token
        finally:
            hub.terminate()
            hub.wait()
            _end_what_is_left(token)


def _end_what_is_left(token: str) -> None:
    """End what the hub has not ended, and say what that is."""
    left = [process for process, _ in _processes(token)]
    _, left = psutil.wait_procs(left, timeout=20)
    for process in left:
        with suppress(psutil.Error):
            print(f"left behind: {' '.join(process.cmdline())}", flush=True)
            process.kill()


def _answers() -> bool:
    """Whether the hub answers, and not only its proxy."""
    with suppress(OSError), closing(HTTPConnection("127.0.0.1", _PORT, timeout=5)) as hub:
        hub.request("GET", "/hub/api/")
        return hub.getresponse().status == 200
    return False


if __name__ == "__main__":
    main()
