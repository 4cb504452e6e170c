"""What the docker command line shows of the engine itself, and the program that runs it."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import pytest
from click.testing import CliRunner

from swarmsim.__main__ import main
from tests.swarmsim.conftest import Served, serve

Cli = Callable[..., str]


@pytest.fixture
def served() -> Iterator[Served]:
    """An engine that is not too fast for a command line that looks every 200 ms."""
    yield from serve(speed=10)


@pytest.fixture
def cli(served: Served) -> Cli:
    """Run the docker command line; what it prints, and what it complains of, is returned."""
    if shutil.which("docker") is None:
        pytest.skip("needs the docker command line")

    def run(*words: str, fails: bool = False) -> str:
        environment = {**os.environ, "DOCKER_HOST": served.url, "NO_COLOR": "1"}
        environment.pop("DOCKER_CONTEXT", None)
        done = subprocess.run(
            ["docker", *words], capture_output=True, text=True, env=environment, timeout=60
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def table(text: str) -> list[list[str]]:
    """The rows of a table, cut at two blanks or more."""
    lines = [line.rstrip() for line in text.splitlines()]
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


# ---- the command line ----------------------------------------------------------------


def test_info_and_version_say_what_it_is(cli: Cli):
    assert "Operating System: swarmsim simulated engine" in cli("info")
    assert "Server: swarmsim simulated engine" in cli("version")
    assert "API version:      1.52 (minimum version 1.24)" in cli("version")


def test_nodes_are_listed_and_drained(cli: Cli, served: Served):
    name = served.engine.hostname
    [_, row] = table(cli("node", "ls"))
    cli("node", "update", "--availability", "drain", "--label-add", "a=b", name)
    [_, drained] = table(cli("node", "ls", "--filter", "node.label=a=b"))

    assert row[-5:] == [name, "Ready", "Active", "Leader", served.engine.version]
    assert "Drain" in drained
    demoted = cli("node", "demote", name, fails=True)
    assert "attempting to demote the last manager of the swarm" in demoted


def test_the_swarm_is_left_only_by_force(cli: Cli):
    assert "docker swarm join --token SWMTKN-1-" in cli("swarm", "join-token", "worker")
    assert "Removing the last manager erases all current state" in cli("swarm", "leave", fails=True)
    assert "Node left the swarm." in cli("swarm", "leave", "--force")
    assert "This node is not a swarm manager." in cli("service", "ls", fails=True)
    assert "is now a manager" in cli("swarm", "init")


# ---- the program ---------------------------------------------------------------------


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path that is short enough for a socket."""
    with TemporaryDirectory() as path:
        yield Path(path)


def started(path: Path, *words: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "swarmsim", "--socket", str(path), *words]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("swarmsim simulated engine ready on unix://"), line
    return process


def ended(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    code = process.wait(20)
    process.stdout.close()
    return code


def test_the_program_says_when_it_is_ready_and_ends_cleanly(folder: Path):
    path = folder / "s"
    process = started(path, "--speed", "20", "--nodes", "2", "--data", str(folder / "data"))
    with closing(docker.DockerClient(f"unix://{path}")) as client:
        info = client.info()
    mode = stat.S_IMODE(path.stat().st_mode)
    code = ended(process)

    assert (info["Swarm"]["Nodes"], mode) == (2, 0o600)
    assert "swarmsim.speed=20" in info["Labels"]
    assert (code, path.exists()) == (0, False)


def test_a_socket_in_use_is_refused_and_one_that_was_left_is_replaced(folder: Path):
    path = folder / "s"
    first = started(path, "--no-swarm")
    second = subprocess.run(
        [sys.executable, "-m", "swarmsim", "--socket", str(path)], capture_output=True, text=True
    )
    first.kill()
    first.wait()
    first.stdout.close()
    left_behind = path.exists()
    third = started(path)

    assert second.returncode == 1
    assert f"An engine answers on {path} already." in second.stderr
    assert left_behind
    assert ended(third) == 0


@pytest.mark.parametrize("words", [["--speed", "0"], ["--speed", "fast"], ["--nodes", "0"]])
def test_wrong_usage_is_said(words: list[str], folder: Path):
    done = CliRunner().invoke(main, ["--socket", str(folder / "s"), *words])
    assert done.exit_code == 2
    assert "Invalid value" in done.stderr
