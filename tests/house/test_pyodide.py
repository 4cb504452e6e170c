"""labkit and its engine run in Pyodide, which is what Python is in a browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: An update is watched, fails, and is rolled back; the engine is asked as a site's is.
WATCHED = """
import labkit
from labkit.api import doing
from labkit.swarm.client import Swarm
from swarmsim import Behaviour, Engine
engine = Engine(speed=10, behaviour={"web:2": Behaviour(exits_after="1s", exit_code=1)})
doing._current = Swarm(engine.client(), "unix://in-process")
labels, careful = {"labkit.lab": "true"}, {"FailureAction": "rollback"}
engine.client().services.create("web:1", name="web", labels=labels, update_config=careful)
view, sent = labkit.watch("web", path="/tmp/web.jsonl"), []
view.send = lambda message, **_: sent.append(message)
labkit.update("web", image="web:2")
print(view.wait(timeout=120))
print("moved:", any("moves" in each for each in sent))
"""


@pytest.mark.long
def test_an_update_is_watched_and_rolled_back_in_pyodide(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("pyodide")
    # node and npm are in the environment
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    subprocess.run([sys.executable, ROOT / "site" / "packages.py", folder], check=True)
    script = ROOT / "tests" / "house" / "pyodide.mjs"
    ran = subprocess.run(
        ["node", script, f"{folder}/", "labkit"],
        input=WATCHED,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert "The update has settled" in said[-2]
    assert said[-1] == "moved: True"
