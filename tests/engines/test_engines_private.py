"""A private engine, for real: started, killed, started again, stopped.

It runs beside whatever engine there is; that neither notices the other is the point.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labkit import engines
from labkit.base.errors import NoEngine, NotAManager
from labkit.engines import membership, ports, state
from labkit.engines.private.private import PrivateEngine
from labkit.swarm.client import Swarm
from tests.waiting import until
from tests.whole.labs import free_ports

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab of its own, too deep for a socket beside its files."""
    folder = tmp_path_factory.mktemp("lab") / ("deep" * 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(folder))
        patch.delenv("LABKIT_ENGINE", raising=False)
        yield folder


@pytest.fixture(scope="module")
def private(home: Path) -> Iterator[PrivateEngine]:
    engine = PrivateEngine(home / ".labkit" / "engine")
    if why_not := engine.why_not():
        pytest.skip(why_not)
    yield engine
    engine.remove()


@pytest.fixture
def running(private: PrivateEngine) -> Swarm:
    return private.start()


def rules() -> list[str]:
    kept = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    return [line for line in kept.splitlines() if line.startswith("-A")]


def test_it_is_no_swarm_until_up_makes_it_one(running: Swarm):
    with pytest.raises(NotAManager, match="labkit up"):
        engines.connect("private")
    assert membership.ensure(running) is True
    assert membership.ensure(running) is False
    assert engines.connect("private").url == running.url


@pytest.mark.usefixtures("running")
def test_it_outlives_the_program_that_started_it(private: PrivateEngine):
    process = private.process()
    assert process is not None
    assert process.ppid() != os.getpid()
    assert os.getsid(process.pid) != os.getsid(0)


@pytest.mark.usefixtures("running")
def test_starting_it_twice_starts_one(private: PrivateEngine):
    first = private.process()
    private.start()
    assert private.process() == first


@pytest.mark.usefixtures("running")
def test_up_with_a_docker_host_that_does_not_answer_says_so(monkeypatch, capsys):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with state.locked():
        engine = engines.up()
    assert engine.kind == "private"
    assert "tcp://127.0.0.1:1 (DOCKER_HOST names it)" in capsys.readouterr().out


def test_after_it_was_killed_it_comes_up_with_its_swarm(private: PrivateEngine, running: Swarm):
    """A killed dockerd leaves its socket, its pid file and containerd behind."""
    membership.ensure(running)
    node = running.info()["Swarm"]["NodeID"]
    process = private.process()
    assert process is not None
    process.kill()
    until(lambda: private.process() is None, "the killed dockerd to be gone")
    assert private.connect() is None

    again = private.start()

    membership.ensure(again)
    assert again.info()["Swarm"]["NodeID"] == node


def test_a_pid_file_of_another_program_is_not_trusted(private: PrivateEngine):
    private.stop()
    (private.folder / "pid").write_text(str(os.getpid()))
    assert private.process() is None
    private.start()
    private.stop()
    assert psutil.pid_exists(os.getpid())


def test_when_it_cannot_start_the_end_of_its_log_is_shown(private: PrivateEngine):
    private.stop()
    data = private.folder / "data"
    data.rename(data.with_name("kept"))
    data.write_text("not a folder")
    try:
        with pytest.raises(NoEngine) as caught:
            private.start()
    finally:
        data.unlink()
        data.with_name("kept").rename(data)

    assert private.log.read_text().splitlines()[-1] in caught.value.docker_says
    assert str(data) in caught.value.docker_says


def test_what_a_removed_stack_published_leads_nowhere(private: PrivateEngine, running: Swarm):
    membership.ensure(running)
    (port,) = free_ports(1)
    private.network.forward([port])
    engines.lead_ports(running)
    assert not ports.in_use(port)


@pytest.mark.usefixtures("running")
def test_stopping_leaves_no_process_mount_namespace_or_rule(private: PrivateEngine):
    (port,) = free_ports(1)
    private.network.forward([port])
    assert ports.in_use(port), "though nothing listens where it leads"
    name = private.network.name
    assert any(name in rule for rule in rules())

    private.stop()
    private.stop()

    assert private.process() is None
    assert not any(name in rule or name.upper() in rule for rule in rules())
    assert not Path("/run/netns", name).exists()
    mounted = Path("/proc/self/mounts").read_text()
    assert str(private.folder) not in mounted
    assert name not in mounted


@pytest.mark.parametrize(
    "tear",
    [
        "ip link del {name}",
        "ip link set {name} down",
        "ip -n {name} route del default",
        "ip netns del {name}",
        "ip netns del {name}; touch /run/netns/{name}",  # as far as a killed `ip netns add` comes
        "iptables -t nat -D OUTPUT -d 127.0.0.0/8 -j {chain}; iptables -t nat -F {chain}",
        "iptables -D FORWARD -i {name} -j ACCEPT; ip link del {name}; ip netns del {name}",
    ],
)
@pytest.mark.usefixtures("running")
def test_a_network_that_was_torn_down_is_mended_by_up_and_removed_by_down(private, tear):
    names = {"name": private.network.name, "chain": private.network.name.upper()}
    address = private._config.read_text()
    assert private.network.is_whole(private.process().pid)

    subprocess.run(tear.format(**names), shell=True, check=True)
    assert not private.network.is_whole(private.process().pid)
    private.start()
    assert private.network.is_whole(private.process().pid)
    assert f"labkit.address={private.network._address().ip + 1}" in address

    subprocess.run(tear.format(**names), shell=True, check=True)
    private.network.remove()
    assert not any(name in rule for rule in rules() for name in names.values())
    assert not Path("/run/netns", private.network.name).exists()
    assert not Path("/sys/class/net", private.network.name).exists()
    private.network.ensure(private.process().pid)  # which runs on in it


def test_it_leaves_the_rules_of_other_engines_alone(private: PrivateEngine):
    private.stop()
    before = rules()
    private.start()
    membership.ensure(private.start())

    assert [rule for rule in rules() if private.network.name not in rule.lower()] == [
        rule for rule in before if private.network.name not in rule.lower()
    ]
