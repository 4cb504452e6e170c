"""The simulated engine runs where there are no threads, processes, sockets or event loops.

All of those are used at its edges alone; the rest is imported here without them.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDGES = ("swarmsim.server", "swarmsim.runtime.processes", "swarmsim.inprocess", "swarmsim.__main__")
BLOCKED = (
    *("threading", "subprocess", "multiprocessing", "concurrent", "asyncio", "selectors"),
    *("socket", "ssl", "fcntl", "pwd", "resource", "psutil", "tornado", "docker", "requests"),
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


def inner() -> list[str]:
    """The modules of swarmsim that are not at its edges."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("swarmsim/**/*.py"))
    names = (".".join(path.parts).removesuffix(".__init__") for path in paths)
    return sorted(
        name for name in names if not any(f"{name}.".startswith(f"{edge}.") for edge in EDGES)
    )


def run_without(blocked: tuple[str, ...], code: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", BLOCKER, " ".join(blocked), code]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)


def test_all_but_the_edges_is_imported_without_threads_processes_and_sockets():
    assert len(inner()) > 80
    ran = run_without(BLOCKED, f"import {', '.join(inner())}")

    assert ran.returncode == 0, ran.stderr


def test_an_engine_runs_without_them():
    assert run_without(BLOCKED, RUN).stdout == "rollback_completed\n"


@pytest.mark.parametrize("edge", ["swarmsim.server.server", *EDGES[1:3]])
def test_an_edge_is_not_imported_without_them(edge: str):
    """So the blocker blocks."""
    assert "is blocked" in run_without(BLOCKED, f"import {edge}").stderr
