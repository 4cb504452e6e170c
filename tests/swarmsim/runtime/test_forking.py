"""A task that is forked is what it would be in a Python of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swarmsim.runtime.processes.machine import forking, spawning
from swarmsim.runtime.processes.machine.forking import FORKS
from swarmsim.runtime.processes.running import Launch
from tests.claims import claims

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="tasks are not forked here")
PROGRAMS = claims(__file__, "programs")
SHIM = str(Path(forking.__file__).parents[1] / "shim")

Start = Callable[[Launch, int, int], forking.Forked | subprocess.Popen[bytes] | None]


def launch(folder: Path, *words: str, **env: str) -> Launch:
    common = {"PYTHONPATH": SHIM, "LANG": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC+3"}
    return Launch([sys.executable, *words], folder, common | env, print, print)


def ran(start: Start, what: Launch) -> tuple[str, str, int]:
    """What a process writes, and to standard error, and the code that it ends with."""
    (output, writes), (errors, writes_errors) = os.pipe(), os.pipe()
    process = start(what, writes, writes_errors)
    assert process, "it was not forked"
    os.close(writes)
    os.close(writes_errors)
    with os.fdopen(output, "rb") as out, os.fdopen(errors, "rb") as err:
        return out.read().decode(), err.read().decode(), process.wait()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_a_forked_task_writes_and_ends_as_in_a_new_python(tmp_path, program, unbuffered):
    (tmp_path / "main.py").write_text(program, encoding="latin-1")
    if "mine" in program:
        (tmp_path / "json.py").write_text("mine = 'my own'\n")
    what = launch(tmp_path, "main.py", "word", PYTHONUNBUFFERED=unbuffered)
    assert ran(FORKS.start, what) == ran(spawning._new, what)


def test_a_probe_is_forked_as_well(tmp_path):
    what = launch(tmp_path, "-c", "import sys; print(sys.argv, sys.path[0]); 1 / 0", "-x")
    assert ran(FORKS.start, what) == ran(spawning._new, what)


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (["-m", "this"], {}),
        (["main.py"], {"PYTHONPATH": f"{SHIM}:/lib"}),
        (["main.py"], {"PYTHONOPTIMIZE": "1"}),
        (["main.py"], {"LC_ALL": "C"}),
        (["main.py"], {"TOO_LONG": "x" * (1 << 20)}),
    ],
)
def test_what_would_differ_in_a_fork_gets_a_new_python(tmp_path, words, env):
    assert FORKS.start(launch(tmp_path, *words, **env), 1, 2) is None


def test_a_task_starts_although_the_python_that_is_forked_was_killed(tmp_path):
    what = launch(tmp_path, "-c", "print(1)")
    ran(FORKS.start, what)
    assert FORKS._process
    FORKS._process.kill()
    FORKS._process.wait()
    assert ran(FORKS.start, what) == ("1\n", "", 0)


def test_nothing_that_is_loaded_ahead_keeps_a_function_that_the_shim_replaces():
    """Such a module would not find the task's names, ports and files."""
    program = (
        "import os, sys\nbefore = {*sys.modules, 'sitecustomize', 'socket', '_socket'}\n"
        "import socket, sitecustomize as shim, warm\n"
        "named = [getattr(os, each) for each in (*shim._OF_ONE_PATH, *shim._OF_TWO_PATHS)]\n"
        "named += [open, os.uname, socket.getaddrinfo, socket.gethostbyname, socket.gethostname]\n"
        "print([(name, key) for name in sys.modules.keys() - before\n"
        "       if sys.modules[name] not in warm._KEEPING_OPEN\n"
        "       for key, value in vars(sys.modules[name]).items()\n"
        "       if any(value is each for each in named)])\n"
    )
    words = [sys.executable, "-c", program]
    found = subprocess.run(words, capture_output=True, text=True, cwd=SHIM, check=True)

    assert found.stdout == "[]\n"
