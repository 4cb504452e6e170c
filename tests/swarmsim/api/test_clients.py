"""The clients that learners use: the docker command line and docker-py, unchanged."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import pytest
from docker.types import EndpointSpec, Resources, RestartPolicy, ServiceMode, UpdateConfig

from tests.swarmsim.conftest import Served, serve
from tests.swarmsim.raw import Raw
from tests.waiting import until

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
    assert "API version:      1.41 (minimum version 1.24)" in cli("version")


def test_a_service_is_created_and_converges(cli: Cli, served: Served):
    printed = cli("service", "create", "--name", "web", "--replicas", "2", "acts/web:1.0")

    assert "overall progress: 2 out of 2 tasks" in printed
    assert "verify: Service " in printed
    assert "image acts/web:1.0 could not be accessed on a registry to record" in printed
    header, *rows = table(cli("service", "ps", "web", "--no-trunc"))
    assert header == "ID NAME IMAGE NODE|DESIRED STATE|CURRENT STATE|ERROR|PORTS".replace(
        " ", "|", 3
    ).split("|")
    assert [(row[1], row[2], row[3], row[4]) for row in rows] == [
        (f"web.{slot}", "acts/web:1.0", served.engine.hostname, "Running") for slot in (1, 2)
    ]


def test_a_broken_update_is_rolled_back_in_dockers_words(cli: Cli):
    cli("service", "create", "-q", "--name", "web", "--replicas", "2", "acts/web:1.0")
    words = ["--image", "acts/fail:1s", "--update-failure-action", "rollback"]
    printed = cli("service", "update", *words, "web")
    shown = cli("service", "inspect", "--pretty", "web")

    failed = "rollback: update rolled back due to failure or early termination of task "
    assert failed in printed
    assert "overall progress: rolling back update: 2 out of 2 tasks" in printed
    assert "State:\t\trollback_completed" in shown
    assert "Image:\t\tacts/web:1.0" in shown
    assert '"task: non-zero exit (1)"' in cli("service", "ps", "web")


def test_a_paused_update_ends_with_its_message(cli: Cli):
    cli("service", "create", "-q", "--name", "web", "acts/web:1.0")
    printed = cli("service", "update", "--image", "missing/web:2", "web", fails=True)

    assert "service update paused: update paused due to failure or early termination" in printed


def test_scaling_and_rolling_back(cli: Cli):
    cli("service", "create", "-q", "--name", "web", "acts/web:1.0")
    scaled = cli("service", "scale", "web=3")
    rolled = cli("service", "rollback", "web")

    assert "web scaled to 3" in scaled
    assert "overall progress: 3 out of 3 tasks" in scaled
    assert "verify: Service web converged" in rolled
    [_, row] = table(cli("service", "ls"))
    assert row[1:4] == ["web", "replicated", "1/1"]


def test_a_stack_is_deployed_listed_and_removed(cli: Cli, tmp_path: Path):
    file = tmp_path / "compose.yml"
    file.write_text("""
services:
  web:
    image: acts/web:1.0
    ports: ["8090:80"]
    configs: [settings]
    deploy: {replicas: 2}
configs:
  settings: {file: ./compose.yml}
""")
    deployed = cli("stack", "deploy", "-d=false", "-c", str(file), "dc")
    again = cli("stack", "deploy", "-c", str(file), "dc")
    services = table(cli("stack", "services", "dc"))
    removed = cli("stack", "rm", "dc")

    for line in ("network dc_default", "config dc_settings", "service dc_web"):
        assert f"Creating {line}" in deployed
    assert "Updating service dc_web (id: " in again
    assert services[1][1:] == ["dc_web", "replicated", "2/2", "acts/web:1.0", "*:8090->80/tcp"]
    assert removed.splitlines() == [
        "Removing service dc_web",
        "Removing config dc_settings",
        "Removing network dc_default",
    ]
    until(lambda: "dc_" not in cli("network", "ls"), "the end of its network")


def test_logs_name_the_task_and_the_node(cli: Cli, served: Served, raw: Raw):
    cli("service", "create", "-q", "--name", "web", "acts/web:1.0")
    [task] = raw.get("/tasks").json
    lines = sorted(cli("service", "logs", "web").splitlines())
    container = cli("ps", "-q").strip()

    prefix = f"web.1.{task['ID'][:12]}@{served.engine.hostname}    | "
    assert lines == [f"{prefix}a warning", f"{prefix}hello from 1"]
    assert sorted(cli("logs", container).splitlines()) == ["a warning", "hello from 1"]


def test_nodes_are_listed_and_drained(cli: Cli, served: Served):
    name = served.engine.hostname
    [_, row] = table(cli("node", "ls"))
    cli("node", "update", "--availability", "drain", "--label-add", "a=b", name)
    [_, drained] = table(cli("node", "ls", "--filter", "node.label=a=b"))

    assert row[-5:] == [name, "Ready", "Active", "Leader", "20.10.24"]
    assert "Drain" in drained
    demoted = cli("node", "demote", name, fails=True)
    assert "attempting to demote the last manager of the swarm" in demoted


def test_the_swarm_is_left_only_by_force(cli: Cli):
    assert "docker swarm join --token SWMTKN-1-" in cli("swarm", "join-token", "worker")
    assert "Removing the last manager erases all current state" in cli("swarm", "leave", fails=True)
    assert "Node left the swarm." in cli("swarm", "leave", "--force")
    assert "This node is not a swarm manager." in cli("service", "ls", fails=True)
    assert "is now a manager" in cli("swarm", "init")


def test_no_such_service(cli: Cli):
    assert "no such service: nope" in cli("service", "ps", "nope", fails=True)
    assert "service nope not found" in cli("service", "rm", "nope", fails=True)


# ---- docker-py -----------------------------------------------------------------------


def test_docker_py_makes_scales_and_removes_a_service(client: docker.DockerClient):
    service = client.services.create(
        "acts/web:1.0",
        name="web",
        mode=ServiceMode("replicated", 2),
        resources=Resources(mem_limit=1 << 30),
        restart_policy=RestartPolicy("any", delay=10**9),
        update_config=UpdateConfig(parallelism=1, failure_action="pause"),
        endpoint_spec=EndpointSpec(ports={8090: 80}),  # type: ignore[dict-item]
        labels={"a": "b"},
    )
    until(lambda: len(service.tasks({"desired-state": "running"})) == 2, "two tasks")
    until(lambda: service.reload() or "Ports" in service.attrs["Endpoint"], "its port")
    assert service.scale(3)
    until(lambda: len(service.tasks({"desired-state": "running"})) == 3, "three tasks")

    [listed] = client.services.list(filters={"label": "a=b"}, status=True)
    assert listed.name == "web"
    assert b"".join(service.logs(stdout=True)).count(b"hello from") >= 2

    service.remove()
    with pytest.raises(docker.errors.NotFound, match=r"service \w+ not found"):
        service.reload()


def test_docker_py_makes_configs_secrets_and_reads_nodes(client: docker.DockerClient):
    config = client.configs.create(name="c", data=b"hi")
    secret = client.secrets.create(name="s", data=b"hi")

    assert client.configs.get(config.id).attrs["Spec"]["Data"] == "aGk="
    assert "Data" not in client.secrets.get(secret.id).attrs["Spec"]
    assert client.nodes.list()[0].attrs["Spec"]["Role"] == "manager"
    assert client.swarm.attrs["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"] == 5


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
    info = Raw(path).get("/info").json
    mode = stat.S_IMODE(path.stat().st_mode)
    code = ended(process)

    assert (info["Swarm"]["Nodes"], mode) == (2, 0o600)
    assert "swarmsim.speed=20" in info["Labels"]
    assert (code, path.exists()) == (0, False)


def test_a_socket_in_use_is_refused_and_one_that_was_left_is_replaced(folder: Path):
    path = folder / "s"
    first = started(path, "--no-swarm")
    second = subprocess.run(
        [sys.executable, "-m", "swarmsim", "--socket", str(path)],
        capture_output=True,
        text=True,
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
    program = [sys.executable, "-m", "swarmsim", "--socket", str(folder / "s"), *words]
    done = subprocess.run(program, capture_output=True, text=True)

    assert done.returncode == 2
    assert "Invalid value" in done.stderr
