"""The simulated engine runs where there are no threads, processes, sockets or event loops.

All of those are used at its edges alone; the rest is imported here without them. labkit needs
more, and runs where a browser's Python does: without threads, and without some packages.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDGES = (
    *("swarmsim.doors", "swarmsim.__main__"),
    *("swarmsim.runtime.processes", "swarmsim.runtime.turns"),
)
BLOCKED = (
    *("threading", "subprocess", "multiprocessing", "concurrent", "asyncio", "selectors"),
    *("socket", "ssl", "fcntl", "pwd", "resource", "psutil", "tornado", "docker", "requests"),
)
#: What is not for a browser: its servers, and what draws or computes with the packages below.
EDGES_OF_LABKIT = (
    *("labkit.cli.doctor", "labkit.views.live.server"),
    *("labkit.lessons.room.serving", "labkit.recordings.frames", "labkit.views.static.figures"),
)
#: What Pyodide's Python lacks, and the packages that it has to do without here.
NOT_IN_A_BROWSER = (
    *("pwd", "grp", "resource", "readline", "syslog", "curses", "dbm", "venv", "ensurepip"),
    *("tornado", "psutil", "pandas", "numpy", "plotly", "jupyterlab", "jupyter_server", "nbformat"),
)
#: Refuses the modules of the first argument, and then runs what the others say.
BLOCKER = """
import sys
blocked = set(sys.argv[1].split())
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
exec(sys.argv[2])
"""
#: A service, an update that fails and its rollback, without docker-py.
RUN = """
from swarmsim import Behaviour, Engine
engine = Engine(behaviour={"web:2": Behaviour(exits_after="1s", exit_code=1)})
spec = {"Name": "web", "Labels": {}, "Mode": {"Replicated": {"Replicas": 2}}, "TaskTemplate":
        {"ContainerSpec": {"Image": "web:1"}}, "UpdateConfig": {"FailureAction": "rollback"}}
service = engine.cluster.create_service(spec)
engine.advance("10s")
new = {**spec, "TaskTemplate": {"ContainerSpec": {"Image": "web:2"}}}
engine.cluster.update_service(service.id, service.version, new)
engine.advance("1m")
print(service.update_status.state)
"""


#: An update, watched and waited for, where no thread can be started.
WATCHED = """
import threading
def refuse(_): raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
from labkit.base import jobs
jobs.in_turns = True
from labkit.api import doing
from labkit.swarm.client import Swarm
from swarmsim import Engine
engine = Engine(speed=5)
doing._current = Swarm(engine.client(), "unix://in-process")
engine.client().services.create("web:1", name="web", labels={"labkit.lab": "true"})
import labkit
view, sent = labkit.watch("web", path="{path}"), []
view.send = lambda message, **_: sent.append(message)
labkit.update("web", image="web:2")
view.wait(timeout=60)
print(view.ended, view.recording.service.image, any("moves" in each for each in sent))
"""


def inner(package: str, edges: tuple[str, ...]) -> list[str]:
    """The modules of a package that are not at its edges."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in ROOT.glob(f"{package}/**/*.py"))
    names = (".".join(path.parts).removesuffix(".__init__") for path in paths)
    return sorted(
        name for name in names if not any(f"{name}.".startswith(f"{edge}.") for edge in edges)
    )


def run_without(blocked: tuple[str, ...], code: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", BLOCKER, " ".join(blocked), code]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(
    ("package", "edges", "blocked"),
    [("swarmsim", EDGES, BLOCKED), ("labkit", EDGES_OF_LABKIT, NOT_IN_A_BROWSER)],
)
def test_all_but_the_edges_is_imported_without(package, edges, blocked):
    modules = inner(package, edges)
    assert len(modules) > 80
    ran = run_without(blocked, f"import {', '.join(modules)}")
    assert ran.returncode == 0, ran.stderr


def test_an_engine_runs_without_them():
    assert run_without(BLOCKED, RUN).stdout == "rollback_completed\n"


def test_an_update_is_watched_where_no_thread_can_be_started(tmp_path: Path):
    ran = run_without(NOT_IN_A_BROWSER, WATCHED.replace("{path}", str(tmp_path / "web.jsonl")))
    assert ran.stdout.splitlines()[-1:] == ["True web:2 True"], ran.stderr


@pytest.mark.parametrize(
    "edge", ["swarmsim.doors.server", "swarmsim.doors.inprocess", "swarmsim.runtime.processes"]
)
def test_an_edge_is_not_imported_without_them(edge: str):
    """So the blocker blocks."""
    assert "is blocked" in run_without(BLOCKED, f"import {edge}").stderr
