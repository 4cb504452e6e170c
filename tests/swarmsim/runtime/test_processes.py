"""Tasks of the simulated engine do what their code does."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from labkit.base import settings
from swarmsim.engine.swarm import Blob
from tests.claims import each_claim
from tests.swarmsim.tasks import WELL_BEHAVED, Lab, lab
from tests.waiting import until

WORKER = settings.lesson_files() / "dockercoins" / "worker"
SECOND = 10**9
#: Only there it can be seen from outside which signals a process handles.
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def it(tmp_path) -> Iterator[Lab]:
    with lab(tmp_path) as made:
        yield made


# ---- what it ends with ---------------------------------------------------------------


def test_the_broken_worker_fails_with_its_own_exit_code_and_traceback(it):
    """The worker of the lesson, all of whose imports were removed."""
    source = (WORKER / "worker.py").read_text().splitlines(keepends=True)
    broken = "".join(line for line in source if not line.startswith(("import", "from")))

    dockerfile = (WORKER / "Dockerfile").read_text().replace("resp.py ", "")
    it.build("worker:bugged", {"worker.py": broken}, dockerfile)
    task = it.state(it.service("worker:bugged"), "failed")
    log = it.log(task)

    assert (task.exit_code, task.error) == (1, "task: non-zero exit (1)")
    assert log.startswith('Traceback (most recent call last):\n  File "/app/worker.py", line ')
    assert "\nNameError: name 'os' is not defined" in log


@pytest.mark.parametrize(
    ("program", "state", "code"),
    [
        ("pass", "complete", 0),
        ("import sys; sys.exit(3)", "failed", 3),
        ("import ctypes; ctypes.string_at(0)", "failed", 139),
    ],
)
@pytest.mark.parametrize("has_pidfd", [True, False])
def test_an_exit_code_is_the_processes_own(it, monkeypatch, program, state, code, has_pidfd):
    """Also where the system does not tell of an end by a file descriptor, as on macOS."""
    if not has_pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    it.image("x:1", program)
    assert it.state(it.service("x:1"), state).exit_code == code


@each_claim(__file__, "no_commands", "command", "error")
def test_what_cannot_be_started_fails_before_it_runs(it, command, error):
    """The message is Docker's own, whole."""
    it.image("x:1", "")
    task = it.state(it.service("x:1", Command=command), "failed")

    assert task.message == "starting"
    assert task.error == (
        "starting container failed: failed to create shim task: OCI runtime create failed: "
        f"runc create failed: unable to start container process: {error}"
    )


def test_a_script_without_a_first_line_counts_as_started(it, tmp_path):
    it.image("x:1", "echo hi", "")
    (tmp_path / "x_1" / "main.py").chmod(0o755)
    it.build("x:1", {}, 'FROM python:3\nCOPY . /app\nCMD ["/app/main.py"]\n')
    task = it.state(it.service("x:1"), "failed")

    assert (task.message, task.exit_code) == ("started", 1)
    assert it.log(task) == "exec /app/main.py: exec format error\n"


@pytest.mark.parametrize("image", ["nosuch:1", "nosuch", "lab/nosuch@sha256:" + "0" * 64])
def test_an_image_that_is_nowhere_is_rejected(it, image):
    shown = image if ":" in image else f"{image}:latest"
    assert it.state(it.service(image), "rejected").error == f"No such image: {shown}"


# ---- how it stops --------------------------------------------------------------------


def _stopped(it: Lab, **container: Any) -> tuple[float, int | None, str]:
    """Run a service's task, remove it by an update to none; seconds, exit code, state."""
    service = it.service("x:1", **container)
    task = it.state(service, "running")
    it.until(lambda: "ready" in it.log(task), "the program to be ready")
    spec = {**service.spec, "Mode": {"Replicated": {"Replicas": 1}}}
    spec["TaskTemplate"] = {**spec["TaskTemplate"], "ForceUpdate": 1}
    begun = time.monotonic()
    it.inside(lambda: it.engine.cluster.update_service(service.id, service.version, spec))
    it.until(lambda: not task.pid, "the process to end")
    took = time.monotonic() - begun
    it.until(lambda: task.ended, "the task to have ended")
    return took, task.exit_code, task.state


def test_a_process_that_handles_the_signal_stops_at_once(it):
    it.image("x:1", WELL_BEHAVED)
    took, code, state = _stopped(it, StopGracePeriod=30 * SECOND)
    assert (code, state) == (0, "shutdown")
    assert took < 10


@on_linux
@pytest.mark.parametrize(
    "program",
    [
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n",
        "",  # the first process of a container gets no signal that it has no function for
    ],
)
def test_a_process_that_does_not_gets_its_whole_grace_and_is_killed(it, program):
    program += "import time\nprint('ready', flush=True)\ntime.sleep(60)\n"
    it.image("x:1", program)
    took, code, state = _stopped(it, StopGracePeriod=SECOND)
    assert (code, state) == (137, "shutdown")
    assert took >= 1


def test_the_stop_signal_is_the_services_or_else_the_images(it):
    program = (
        "import signal, sys, time\n"
        "for n in (signal.SIGHUP, signal.SIGUSR1):\n"
        "    signal.signal(n, lambda n, _: sys.exit(int(n)))\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )

    it.image("x:1", program, 'STOPSIGNAL SIGHUP\nCMD ["python", "main.py"]\n')

    assert _stopped(it)[1] == signal.SIGHUP
    assert _stopped(it, name="other", StopSignal="USR1")[1] == signal.SIGUSR1


def test_what_a_process_has_started_ends_with_it(it):
    program = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '300'])\n"
        "print(child.pid, flush=True)\n"
    )

    it.image("x:1", program)
    task = it.state(it.service("x:1"), "complete")
    child = int(it.log(task))

    until(lambda: not _is_there(child), "the child to be gone", seconds=5)


def _is_there(pid: int) -> bool:
    """Whether a process runs: one that nobody has waited for yet does not."""
    with suppress(OSError):
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_an_engine_that_is_killed_leaves_no_process(tmp_path):
    script = (
        "import pathlib, sys, time\n"
        "from tests.swarmsim.tasks import WELL_BEHAVED, lab\n"
        "with lab(pathlib.Path(sys.argv[1])) as it:\n"
        "    it.image('x:1', WELL_BEHAVED)\n"
        "    service = it.service('x:1', replicas=2)\n"
        "    it.until(lambda: sum(t.pid > 0 for t in it.tasks(service)) == 2, 'tasks')\n"
        "    print(*[t.pid for t in it.tasks(service)], flush=True)\n"
        "    time.sleep(60)\n"
    )
    engine = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.SOURCE,
    )
    with engine:
        assert engine.stdout
        pids = [int(word) for word in engine.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(_is_there, pids))
        engine.kill()
    until(lambda: not any(map(_is_there, pids)), "the tasks to be gone", seconds=5)


def test_an_engine_that_stops_reads_nothing_of_tasks_that_it_has_ended(it):
    complaints = []
    on_loop = lambda: asyncio.get_running_loop().set_exception_handler(  # noqa: E731
        lambda _, context: complaints.append(context)
    )
    it.inside(on_loop)
    it.image("x:1", WELL_BEHAVED)
    pid = it.state(it.service("x:1"), "running").pid

    it.inside(it.engine.close)
    it.until(lambda: not _is_there(pid), "its process to be gone")
    it.run(asyncio.sleep(0))  # the loop gets to hear of the end only now

    assert not complaints


# ---- what it finds -------------------------------------------------------------------


def test_the_environment_is_the_images_and_the_services_and_not_the_engines(it, monkeypatch):
    monkeypatch.setenv("OF_THE_ENGINE", "x")

    it.image(
        "x:1",
        "import json, os; print(json.dumps([dict(os.environ), os.uname().nodename]))",
        'ENV A=1 B=2 APP=/app/main.py\nCMD ["python", "main.py"]\n',
    )
    env = ["B=3", "SLOT={{.Task.Slot}}", "NAME={{.Service.Name}}"]
    task = it.state(it.service("x:1", Env=env, Hostname="box"), "complete")

    env, hostname = json.loads(it.log(task))
    assert hostname == env["HOSTNAME"] == "box"
    assert {name: env[name] for name in ("A", "B", "SLOT", "NAME")} == {
        "A": "1",
        "B": "3",
        "SLOT": "1",
        "NAME": "web",
    }
    assert env["APP"] == "/app/main.py"  # led into the folder, and shown as in a container
    assert "OF_THE_ENGINE" not in env


@each_claim(__file__, "commands", "of_image", "of_service", "said")
def test_a_command_is_the_images_or_the_services(it, of_image, of_service, said):
    it.image("x:1", "text", of_image)
    task = it.state(it.service("x:1", **of_service), "complete")
    assert it.log(task).strip() == said


def test_python_finds_what_the_image_and_the_service_bring_by_absolute_paths(it):
    program = (
        "import os, pathlib\n"
        "print(open('/run/secrets/password').read())\n"
        "print(pathlib.Path('/etc/app.conf').read_text())\n"
        "print(os.listdir('/data'), os.path.exists('/nowhere/x'))\n"
        "pathlib.Path('/data/new').write_text('kept')\n"
    )

    cluster = it.engine.cluster
    for kept, its_id, data in (
        (it.engine.secrets, "s1", b"secret"),
        (it.engine.configs, "c1", b"config"),
    ):
        kept[its_id] = Blob(
            id=its_id, version=1, created_at=cluster.now, updated_at=cluster.now,
            spec={"Name": its_id, "Data": data},
        )  # fmt: skip
    it.image("x:1", program)
    given: dict[str, Any] = {
        "Secrets": [{"SecretID": "s1", "File": {"Name": "password"}}],
        "Configs": [{"ConfigID": "c1", "File": {"Name": "/etc/app.conf"}}],
        "Mounts": [{"Type": "volume", "Source": "shared", "Target": "/data"}],
    }
    logs = []
    for name in ("one", "two"):
        task = it.state(it.service("x:1", name, **given), "complete")
        logs.append(it.log(task))
    first, second = logs

    assert first == "secret\nconfig\n[] False\n"
    assert second == "secret\nconfig\n['new'] False\n", "a volume is shared by its name"


def test_each_task_has_files_of_its_own(it):
    program = "f = open('main.py', 'a'); print(f.tell()); f.write('#')"
    it.image("x:1", program)
    logs = [it.log(it.state(it.service("x:1", name), "complete")) for name in ("a", "b")]
    assert logs == [f"{len(program)}\n"] * 2


def test_a_path_with_blanks_in_it_is_no_trouble(tmp_path):
    with lab(tmp_path / "a path; with 'all' $sorts") as it:
        it.image("x:1", "text", "CMD cat /app/main.py")
        task = it.state(it.service("x:1"), "complete")
        assert it.log(task) == "text"


def test_a_task_that_writes_without_end_holds_nobody_up(it):
    it.image("x:1", "while True: print('x' * 60)")
    it.image("y:1", "print('done')")
    noisy = it.state(it.service("x:1", "noisy"), "running")
    it.until(lambda: len(it.log(noisy)) > 50_000, "noise")
    it.state(it.service("y:1", "quiet"), "complete", 10)


# ---- how it is found -----------------------------------------------------------------

SERVER = (
    "import http.server, os, signal, socket, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.end_headers()\n"
    "        self.wfile.write(socket.gethostname().encode())\n"
    "server = http.server.ThreadingHTTPServer(('', 80), Handler)\n"
    "print('ready', server.socket.getsockname()[1], flush=True)\n"
    "server.serve_forever()\n"
)
CLIENT = (
    "import asyncio, socket, urllib.request\n"
    "found = sorted({each[4][0] for each in socket.getaddrinfo('server', 80)})\n"
    "print(len(found), socket.gethostbyname('server') in found)\n"
    "print(sorted(socket.gethostbyname_ex('tasks.server')[2]))\n"
    "print(len({urllib.request.urlopen('http://server/').read() for _ in range(40)}))\n"
    "socket.create_connection(('alias', 80), 5).close()\n"
    "async def main():\n"
    "    reader, writer = await asyncio.open_connection('server', 80)\n"
    "    writer.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
    "    print((await reader.read()).split()[1].decode())\n"
    "    writer.close()\n"
    "    async def pong(reader, writer):\n"
    "        writer.write(b'pong'); writer.close()\n"
    "    server = await asyncio.start_server(pong, port=6379)\n"
    "    reader, writer = await asyncio.open_connection('localhost', 6379)\n"
    "    print((await reader.read()).decode()); writer.close(); server.close()\n"
    "asyncio.run(main())\n"
    "print(socket.socket().connect_ex(('server', 81)))\n"
)


@pytest.mark.parametrize("mode", ["dnsrr", "vip"])
def test_tasks_find_each_other_by_name_on_port_80_without_root(it, mode):
    net = it.network("net")
    it.image("server:1", SERVER)
    it.image("client:1", CLIENT)
    attached = {"Networks": [{"Target": net, "Aliases": ["alias"]}]}
    server = it.service(
        "server:1", "server", 2, template=attached, spec={"EndpointSpec": {"Mode": mode}}
    )
    it.until(lambda: sum("ready 80" in it.log(task) for task in it.tasks(server)) == 2, "servers")
    client = it.service("client:1", "client", template={"Networks": [{"Target": net}]})
    task = it.end(client)
    addresses = sorted(
        address.partition("/")[0]
        for each in it.tasks(server)
        for address in it.engine.allocator.addresses_of(each.id).values()
    )

    log = it.log(task)
    assert task.state == "complete", log
    count = "1 True" if mode == "vip" else "2 True"
    assert log.splitlines() == [count, str(addresses), "2", "200", "pong", "111"]


def test_a_task_is_found_only_by_those_on_a_network_of_its_own(it):
    lookup = "import socket\ntry: socket.gethostbyname('server.')\nexcept OSError: pass\n"
    lookup += "import os; print(sorted(os.listdir(os.environ['SWARMSIM_TASK'])))\n"
    lookup += "from sitecustomize import Task\n"
    lookup += "print(Task(os.environ['SWARMSIM_TASK']).named('server'))\n"

    mine, other = it.network("mine"), it.network("other")
    it.image("server:1", SERVER)
    it.image("client:1", lookup)
    server = it.service("server:1", "server", template={"Networks": [{"Target": mine}]})
    it.state(server, "running")
    found = []
    for name, net in (("a", mine), ("b", other)):
        client = it.service("client:1", name, template={"Networks": [{"Target": net}]})
        task = it.state(client, "complete")
        found.append(it.log(task).splitlines()[-1])

    assert found[0].startswith("['10.")
    assert found[1] == "[]"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _get(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer.decode().rpartition("\r\n")[2]


@pytest.mark.parametrize("mode", ["host", "ingress"])
def test_a_published_port_answers_on_this_machine(tmp_path, mode):
    port = free_port()
    ports = {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": port, "PublishMode": mode}
    replicas = 1 if mode == "host" else 2
    with lab(tmp_path) as it:
        it.image("server:1", SERVER)
        published = {"EndpointSpec": {"Ports": [ports]}}
        service = it.service("server:1", replicas=replicas, spec=published)
        ready = lambda: sum("ready" in it.log(task) for task in it.tasks(service))  # noqa: E731
        it.until(lambda: ready() == replicas, "the servers")
        answered = {it.run(_get(port)) for _ in range(6)}

        assert answered == {task.container_id[:12] for task in it.tasks(service)}
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "given back when the engine ends"


def test_a_port_that_somebody_else_has_is_said_in_dockers_words(it):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ports = {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": port, "PublishMode": "host"}

        it.image("server:1", SERVER)
        service = it.service("server:1", spec={"EndpointSpec": {"Ports": [ports]}})
        error = it.state(service, "failed").error

    assert error.startswith(
        "starting container failed: driver failed programming external connectivity on endpoint "
        "web.1."
    )
    assert error.endswith(f"listen tcp4 0.0.0.0:{port}: bind: address already in use")


# ---- health --------------------------------------------------------------------------


def _check(test: list[str], **more: int) -> dict[str, object]:
    return {"Test": test, "Interval": SECOND // 2, "Retries": 2, **more}


def test_a_healthy_probe_makes_a_task_run(it):
    check = _check(["CMD", "python", "-c", "import os; os.stat('/app/main.py')"])
    it.image("x:1", WELL_BEHAVED)
    service = it.service("x:1", Healthcheck=check)
    task = it.state(service, "starting")
    begun = it.until(lambda: task.pid and it.engine.now, "its process")
    it.state(service, "running")
    health = it.engine.runtime.health(task.id)

    first = (task.status_at - begun) / SECOND
    assert 0.4 < first < 30, "the first probe comes an interval after the start"
    assert health["Status"] == "healthy"
    assert health["Log"][-1]["ExitCode"] == 0


@each_claim(__file__, "probes", "test", "code", "output")
def test_probes_that_fail_make_a_task_fail(it, test, code, output):
    it.image("x:1", WELL_BEHAVED)
    check = _check(test, Timeout=SECOND)
    task = it.end(it.service("x:1", Healthcheck=check, StopGracePeriod=SECOND))
    health = it.engine.runtime.health(task.id)

    assert task.exit_code == 0, "it was asked to stop, and did"
    assert health["Status"] == "unhealthy"
    assert health["FailingStreak"] == 2
    assert (health["Log"][-1]["ExitCode"], health["Log"][-1]["Output"]) == (code, output)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_a_probe_that_is_no_python_finds_the_tasks_own_port(it):
    check = _check(["CMD-SHELL", "curl -fsS http://localhost/ || exit 1"], Retries=20)
    it.image("server:1", SERVER)
    it.state(it.service("server:1", Healthcheck=check), "running")


# ---- many ----------------------------------------------------------------------------


def test_beyond_so_many_processes_tasks_do_what_others_of_their_kind_did(tmp_path):
    with lab(tmp_path, most=1) as it:
        it.image("x:1", "import time; print('said', flush=True); time.sleep(0.5); exit(4)")
        it.image("long:1", WELL_BEHAVED)
        first = it.state(it.service("x:1", "first"), "failed")
        it.inside(lambda: it.engine.runtime.remove(first))
        it.state(it.service("long:1", "long"), "running")
        acted = it.state(it.service("x:1", "acted"), "failed")

        note, *said = it.log(acted).splitlines()
    assert (acted.exit_code, acted.pid) == (4, 0)
    assert note.startswith("swarmsim: there are processes enough; this task only acts")
    assert said == ["said"]


# ---- the clock -----------------------------------------------------------------------


@pytest.mark.parametrize("time_before", ["unknown", "known"])
def test_at_any_speed_a_process_fails_at_the_age_that_it_has(it, time_before):
    """Also where another of its kind was seen before."""
    it.image("x:1", "import time; time.sleep(1); exit(3)")
    if time_before == "known":
        it.state(it.service("x:1", "first"), "failed")
    task = it.state(it.service("x:1", "web"), "running")
    begun, started = time.monotonic(), it.engine.now
    it.until(lambda: not task.pid, "its end")

    lived = (it.engine.now - started) / SECOND
    assert lived == pytest.approx(time.monotonic() - begun, abs=1)


def test_what_is_known_to_go_on_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("swarmsim.runtime.processes.driver.HORIZON", 1.0)
    with lab(tmp_path, speed=100) as it:
        it.image("x:1", WELL_BEHAVED)
        it.state(it.service("x:1", "first"), "running")
        it.until(lambda: not it.engine.runtime.awaiting(), "to know it")
        it.state(it.service("x:1", "second"), "running")
        begun, at = time.monotonic(), it.engine.now
        it.until(lambda: it.engine.now > at + 60 * SECOND, "a minute", 30)

    assert time.monotonic() - begun < 10
