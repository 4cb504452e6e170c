"""The parts of which a task's process is made, each by itself."""

import errno
import socket
import sys
from itertools import count
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from swarmsim.model import Task
from swarmsim.runtime import plan
from swarmsim.runtime.kinds import HORIZON, Acting, Kind, Life
from swarmsim.runtime.plan import Healthcheck
from swarmsim.runtime.probing import Health
from swarmsim.runtime.processes.place import output, programs
from swarmsim.runtime.processes.place.folders import COPIED_UP_TO, Folder, mount_all
from swarmsim.runtime.processes.place.names import Attachments, Names, port_of
from swarmsim.runtime.processes.shim import sitecustomize
from tests.claims import each_claim

SECOND = 10**9


# ---- the rule of the clock -----------------------------------------------------------


def test_of_an_unknown_kind_it_is_open_what_a_process_will_do_until_the_horizon():
    life = Life(Kind(), started_at=100)
    assert life.undecided(100)
    assert life.undecided(100 + HORIZON - 0.1)
    assert not life.undecided(100 + HORIZON)


def test_a_kind_that_ended_is_waited_for_and_somewhat_longer():
    kind = Kind()
    ended = Life(kind, started_at=0)
    ended.exited(20, 3)
    assert not ended.undecided(20)
    life = Life(kind, started_at=0)
    assert life.undecided(29)
    assert not life.undecided(31)
    assert (kind.exits_after, kind.exit_code) == (20, 3)


def test_a_process_that_ended_after_an_hour_makes_nobody_wait_an_hour():
    kind = Kind()
    Life(kind, started_at=0).exited(3600, 1)
    assert kind.exits_after is None


def test_a_kind_that_goes_on_is_not_waited_for_unless_an_update_looks_longer():
    kind = Kind()
    assert not Life(kind, started_at=0).undecided(HORIZON)
    assert not Life(kind, started_at=50).undecided(50)
    assert Life(kind, started_at=50, horizon=21).undecided(60)


def test_a_stop_is_waited_for_unless_its_kind_takes_no_notice():
    kind = Kind(survived=HORIZON)
    life = Life(kind, started_at=0)
    life.stop_asked(20)
    assert life.undecided(29)
    life.killed(30)
    life.exited(30, 137)
    assert kind.ignores_stop
    other = Life(kind, started_at=20)
    other.stop_asked(40)
    assert not other.undecided(40)
    other.exited(41, 0)
    assert not kind.ignores_stop, "it does after all"


def test_being_killed_at_once_says_nothing_about_a_kind():
    kind = Kind()
    life = Life(kind, started_at=0)
    life.stop_asked(20)
    life.killed(20.1)
    life.exited(20.2, 137)
    assert not kind.ignores_stop
    assert kind.exits_after is None


def test_while_a_probe_runs_time_is_real():
    life = Life(Kind(survived=HORIZON), started_at=0)
    assert not life.undecided(20)
    life.probing = True
    assert life.undecided(20)


# ---- those that act ------------------------------------------------------------------


class Agenda:
    """A clock whose hands are moved."""

    def __init__(self) -> None:
        self.now = 0
        self._due: list = []
        self._order = count()

    def after(self, length, act):
        self.at(self.now + length, act)

    def at(self, moment, act):
        self._due.append((moment, next(self._order), act))

    def run_until(self, moment):
        while self._due and (due := min(self._due))[0] <= moment:
            self._due.remove(due)
            self.now = max(self.now, due[0])
            due[2]()
        self.now = moment


def acting(kind: Kind) -> tuple[Acting, Agenda, list]:
    agenda = Agenda()
    seen: list[tuple] = []
    process = Acting(
        kind,
        agenda.after,
        lambda is_error, data: seen.append((agenda.now, is_error, data)),
        lambda code: seen.append((agenda.now, code)),
    )
    return process, agenda, seen


def test_who_acts_does_what_its_kind_did():
    kind = Kind(exits_after=2, exit_code=3, written=[(0.5, False, b"a"), (1, True, b"b")])
    _, agenda, seen = acting(kind)
    agenda.run_until(60 * SECOND)
    assert seen == [(SECOND // 2, False, b"a"), (SECOND, True, b"b"), (2 * SECOND, 3)]


def test_who_acts_stops_as_its_kind_did_and_can_be_killed():
    process, agenda, seen = acting(Kind(stops_after=1, stop_code=5))
    process.send(15)
    agenda.run_until(60 * SECOND)
    assert seen == [(SECOND, 5)]
    process, agenda, seen = acting(Kind(ignores_stop=True))
    process.send(15)
    agenda.run_until(60 * SECOND)
    assert seen == []
    process.kill()
    agenda.run_until(61 * SECOND)
    assert seen == [(60 * SECOND, 137)]


# ---- health --------------------------------------------------------------------------


class Probes:
    """A healthcheck whose probes end with the codes that it is given, one a probe."""

    def __init__(self, check: Healthcheck, codes: list[int], takes: int = 0) -> None:
        self.agenda = Agenda()
        self.said: list = []
        self.killed = 0
        self._codes = codes
        self._takes = takes
        self.health = Health(
            check,
            start=self._start,
            report=lambda status: self.said.append((self.agenda.now // SECOND, status)),
            call_at=self.agenda.at,
            clock=lambda: self.agenda.now,
        )
        self.health.begin()

    def kill(self) -> None:
        self.killed += 1

    def _start(self, _command, ended):
        code = self._codes.pop(0) if self._codes else 0
        self.agenda.after(self._takes, lambda: ended(code, b"said"))
        return self.kill


@each_claim(__file__, "health", "case")
def test_health_is_found_as_docker_finds_it(case):
    lengths = case.get("check", {})
    check = {key: of if key == "retries" else of * SECOND for key, of in lengths.items()}
    takes = case.get("takes", 0) * SECOND
    probes = Probes(Healthcheck(("x",), **check), [*case["codes"]], takes)
    probes.agenda.run_until(case["until"] * SECOND)
    assert probes.said == [tuple(each) for each in case["said"]]


def test_a_probe_that_takes_too_long_is_ended_and_has_failed():
    check = Healthcheck(("x",), interval=SECOND, timeout=2 * SECOND, retries=1)
    probes = Probes(check, [0], takes=60 * SECOND)
    probes.agenda.run_until(3 * SECOND)
    assert probes.said == [(3, "unhealthy")]
    assert probes.killed == 1
    assert probes.health.as_json()["Log"][0]["Output"] == "Health check exceeded timeout (2s)"


def test_only_the_last_five_results_are_kept():
    probes = Probes(Healthcheck(("x",), interval=SECOND), [])
    probes.agenda.run_until(20 * SECOND)
    shown = probes.health.as_json()
    assert (shown["Status"], shown["FailingStreak"], len(shown["Log"])) == ("healthy", 0, 5)
    assert shown["Log"][-1]["Start"] == "1970-01-01T00:00:20Z"


# ---- sockets -------------------------------------------------------------------------


def test_a_task_listens_on_all_addresses_where_there_is_no_ipv6(tmp_path: Path):
    """As in a container, whose loopback has no ::1."""
    bound = []

    def bind(_: socket.socket, address: tuple[str, int]) -> None:
        bound.append(address[0])
        if address[0] == "::1":
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    task = MagicMock(ports=str(tmp_path))
    with socket.socket(socket.AF_INET6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sitecustomize.Sockets(task).bind(bind, sock, ("::", 6379))
    assert bound == ["::1", "::"]


# ---- output --------------------------------------------------------------------------


def test_a_traceback_reads_as_in_a_container():
    seen: list[bytes] = []
    out = output.Output(Path("/lab/tasks/x/root"), seen.append)
    shim = Path(output.__file__).parents[1] / "shim" / "sitecustomize.py"
    text = (
        "Traceback (most recent call last):\n"
        '  File "/lab/tasks/x/root/app/worker.py", line 1, in <module>\n'
        "    connect()\n"
        f'  File "{shim}", line 9, in connect\n'
        "    raise Something\n"
        "    ^^^^^^^^^^^^^^^\n"
        '  File "/usr/lib/socket.py", line 3, in f\n'
        "    g()\n"
        "OSError: /lab/tasks/x/root\n"
    )
    for at in range(0, len(text), 7):  # a pipe cuts where it likes
        out.feed(text[at : at + 7].encode())
    out.feed(b"an end without a line break")
    out.close()
    assert b"".join(seen).decode() == (
        "Traceback (most recent call last):\n"
        '  File "/app/worker.py", line 1, in <module>\n'
        "    connect()\n"
        '  File "/usr/lib/socket.py", line 3, in f\n'
        "    g()\n"
        "OSError: \n"
        "an end without a line break"
    )


def test_a_line_without_an_end_does_not_stay_for_ever():
    seen: list[bytes] = []
    out = output.Output(Path("/x"), seen.append)
    out.feed(b"a" * 100_000)
    assert b"".join(seen) == b"a" * 100_000


# ---- folders -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path) -> Folder:
    files = tmp_path / "files"
    for name in ("app", "usr/bin", "etc", "tmp"):
        (files / name).mkdir(parents=True)
    (files / "app" / "main.py").write_text("text")
    (files / "app" / "big").write_bytes(bytes(COPIED_UP_TO + 1))
    (files / "usr" / "bin" / "own").write_text("#!/usr/bin/python3 -u\n")
    (files / "usr" / "bin" / "own").chmod(0o755)
    made = Folder(tmp_path / "task")
    made.make(files)
    return made


@each_claim(__file__, "paths", "text", "led")
def test_a_path_of_the_image_is_led_into_the_folder_and_one_of_the_system_is_not(folder, text, led):
    assert folder.rewrite_paths(text) == led.replace("ROOT", str(folder.root))


def test_large_files_are_not_copied(folder):
    assert (folder.root / "app" / "big").is_symlink()
    assert not (folder.root / "app" / "main.py").is_symlink()


def _mount(kind: str, source: Path, target: str) -> dict[str, str]:
    return {"Type": kind, "Source": str(source), "Destination": target}


def test_a_volume_gets_what_the_image_has_there_and_keeps_what_is_written(folder, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    assert mount_all(folder, [_mount("volume", volume, "/app")]) == ""
    (folder.root / "app" / "new").write_text("x")
    assert sorted(path.name for path in volume.iterdir()) == ["big", "main.py", "new"]


def test_what_is_bound_has_to_be_there(folder, tmp_path):
    assert mount_all(folder, [_mount("bind", tmp_path / "no", "/x")]) == (
        f'invalid mount config for type "bind": bind source path does not exist: {tmp_path / "no"}'
    )


def test_nothing_is_mounted_in_place_of_the_whole_task(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "task")
    folder.root.mkdir(parents=True)
    (folder.root / "of-the-image").touch()
    for target in ("/", "", "//", "/app/.."):
        assert mount_all(folder, [_mount("bind", tmp_path, target)]) == (
            'invalid mount config for type "bind": '
            "invalid specification: destination can't be '/'"
        )
    assert (folder.root / "of-the-image").exists()


def test_a_folder_of_this_machine_that_is_mounted_gets_nothing_of_the_image(tmp_path: Path) -> None:
    folder, source = Folder(tmp_path / "task"), tmp_path / "mine"
    (folder.root / "app").mkdir(parents=True)
    (folder.root / "app" / "of-the-image").touch()
    source.mkdir()
    mount_all(folder, [_mount("bind", source, "/app")])
    assert not list(source.iterdir())


# ---- programs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("python", "x.py"), [sys.executable, "x.py"]),
        (("python3.13",), [sys.executable]),
        (("/usr/local/bin/python3",), [sys.executable]),
        (("own", "a"), [sys.executable, "-u", "ROOT/usr/bin/own", "a"]),
        (("/usr/bin/own",), [sys.executable, "-u", "ROOT/usr/bin/own"]),
        (("/bin/sh", "-c", "x"), ["/bin/sh", "-c", "x"]),
    ],
)
def test_a_command_means_the_images_program_or_this_machines(folder, command, words):
    env = {"PATH": "/usr/local/bin:/usr/bin"}
    found = programs.find(command, folder, env, folder.root)
    assert found == [word.replace("ROOT", str(folder.root)) for word in words]


# ---- names ---------------------------------------------------------------------------


def test_an_address_may_be_a_tasks_and_a_services_by_turns(tmp_path):
    """Networks come and go, and their addresses are given out again."""
    names = Names(tmp_path / "names")
    task = Folder(tmp_path / "task")
    task.ports.mkdir(parents=True)
    leads = (("n", "vip", "10.0.1.2"),)
    behind = Attachments("host", {"n": "10.0.1.5"}, {"n": "10.0.1.2"}, leads)
    itself = Attachments("host", {"n": "10.0.1.2"}, {}, ())
    address = tmp_path / "names/addresses/10.0.1.2"

    names.add(behind)
    names.settle(task, itself)
    assert address.readlink() == task.ports
    names.add(behind)
    assert (address / "backends").read_text() == "10.0.1.5\n"
    names.leave(itself)

    assert not address.exists()


def test_names_come_and_go_with_their_tasks(tmp_path):
    names = Names(tmp_path / "names")
    places = []
    for number in (1, 2):
        task = Folder(tmp_path / f"task{number}")
        task.ports.mkdir(parents=True)
        address = f"10.0.1.{number}"
        leads = {"web": address, "tasks.web": address, "vip": "10.0.1.9"}
        named = tuple(("n", name, to) for name, to in leads.items())
        place = Attachments(f"host{number}", {"n": address}, {"n": "10.0.1.9"}, named)
        names.settle(task, place)
        names.add(place)
        places.append(place)
    network, addresses = tmp_path / "names/networks/n", tmp_path / "names/addresses"
    assert (network / "web").read_text() == "10.0.1.1\n10.0.1.2\n"
    assert (network / "vip").read_text() == "10.0.1.9\n"
    assert (addresses / "10.0.1.9/backends").read_text() == "10.0.1.1\n10.0.1.2\n"
    names.discard(places[0])
    names.leave(places[0])
    assert (network / "tasks.web").read_text() == "10.0.1.2\n"
    assert (addresses / "10.0.1.9/backends").read_text() == "10.0.1.2\n"
    assert not (addresses / "10.0.1.1").is_symlink()
    names.discard(places[1])
    assert not (network / "web").exists()
    assert list((addresses / "10.0.1.9").iterdir()) == [], "nothing stands behind it any more"
    (tmp_path / "task2/ports/tcp-80").write_text("127.0.0.1 40123\n")
    assert port_of(Folder(tmp_path / "task2"), 80) == ("127.0.0.1", 40123)
    assert port_of(Folder(tmp_path / "task2"), 81) is None


def test_the_slot_s_number_in_a_variable_makes_no_kind_of_its_own():
    """Ten workers that are told their slots are ten of one kind: what one does, all may do."""
    container = {"Env": ["SLOT={{.Task.Slot}}"]}
    plans = [
        plan.make(
            Task(
                id=f"t{slot}",
                service_id="s",
                service_name="w",
                service_labels={},
                slot=slot,
                node_id="n",
                spec={"ContainerSpec": container},
                endpoint_spec=None,
                spec_version=1,
                version=1,
                created_at=0,
                updated_at=0,
            ),
            "sha256:1",
            {"Cmd": ["python", "worker.py"]},
            None,
        )
        for slot in (1, 2)
    ]

    assert [each.env["SLOT"] for each in plans] == ["1", "2"]
    assert plans[0].kind == plans[1].kind
