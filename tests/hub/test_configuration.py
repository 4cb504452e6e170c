"""What `deploy/jupyterhub/jupyterhub_config.py` asks of JupyterHub."""

import asyncio
import os
import runpy
import socket
import stat
import sys
from contextlib import closing
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock

import pytest
from tornado.web import HTTPError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from labkit.base.errors import LabError, NoEngine
from labkit.swarm.client import Swarm

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "jupyterhub"


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what the configuration says in an empty folder, with no Docker engine about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Swarm, "at", no_engine)

    def configure(isolation: str = "none") -> Config:
        monkeypatch.setenv("LABKIT_HUB_ISOLATION", isolation)
        return PyFileConfigLoader("jupyterhub_config.py", str(FOLDER)).load_config()

    return configure


def no_engine():
    raise NoEngine("an engine.", "none answers.")


def test_it_listens_on_this_machine_alone(configured):
    assert configured().JupyterHub.bind_url.startswith("http://127.0.0.1:")


@pytest.mark.filterwarnings("ignore:.*jupyterhub.utils:DeprecationWarning")  # hashauthenticator
def test_a_port_in_use_is_named_unless_the_proxy_before_has_it(configured, monkeypatch, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("LABKIT_HUB_PORT", str(port))
        configured()
        refuse = runpy.run_path(str(FOLDER / "hub.py"))["_refuse_ports_in_use"]

        with pytest.raises(LabError, match=f"port {port} is in use"):
            refuse()
        (tmp_path / "jupyterhub-proxy.pid").write_text(str(os.getpid()))
        refuse()


def test_who_is_on_no_list_has_no_way_in(configured, tmp_path):
    assert configured().Authenticator.allowed_users == set()
    (tmp_path / "learners.txt").write_text("ada\n\n grace \n")
    (tmp_path / "instructors.txt").write_text("barbara\n")

    assert configured().Authenticator.allowed_users == {"ada", "grace", "barbara"}


def test_what_passwords_are_made_of_is_drawn_once_and_for_the_hub_alone(configured, tmp_path):
    first, again = (configured().HashAuthenticator.secret_key for _ in range(2))

    assert first == again
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "passwords.key").stat().st_mode) == 0o600


def test_an_instructor_may_not_enter_the_servers_of_learners(configured, tmp_path):
    (tmp_path / "instructors.txt").write_text("barbara\n")
    found = configured()
    (role,) = (each for each in found.JupyterHub.load_roles if each["name"] == "instructor")

    assert role["users"] == ["barbara"]
    assert not [scope for scope in role["scopes"] if scope.startswith(("access", "admin:"))]
    assert "admin_users" not in found.Authenticator


def test_without_docker_and_root_it_does_not_start_unasked(configured, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(SystemExit, match="LABKIT_HUB_ISOLATION=none"):
        configured("")


def test_without_docker_learners_are_users_of_the_machine(configured, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found = configured("")

    assert found.JupyterHub.spawner_class == "localprocess"
    assert found.JupyterHub.authenticator_class == "pam"
    assert found.LocalProcessSpawner.popen_kwargs == {"umask": 0o077}


@pytest.mark.parametrize("isolation", ["users", "none"])
def test_an_engine_that_outlives_the_server_is_stopped_after_it(configured, monkeypatch, isolation):
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert configured(isolation).Spawner.post_stop_hook.__name__ == "stop_engine"


def test_with_docker_each_has_a_container_that_can_do_little_and_files_that_stay(
    configured, monkeypatch
):
    engine = fake_engine("engine")
    monkeypatch.setattr(Swarm, "at", lambda: engine)
    found = configured("")
    limits = found.DockerSpawner.extra_host_config

    assert found.JupyterHub.spawner_class == "docker"
    assert found.JupyterHub.hub_ip == "127.0.0.1"
    assert (limits["cap_drop"], limits["security_opt"]) == (["ALL"], ["no-new-privileges"])
    assert found.Spawner.mem_limit
    assert found.DockerSpawner.remove
    assert found.DockerSpawner.volumes == {"labkit-class-{username}": "/home/learner"}
    assert engine.client.networks.create.call_args.kwargs["options"] == {
        "com.docker.network.bridge.enable_icc": "false"
    }


def test_what_runs_on_a_simulated_engine_is_not_in_a_container(configured, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Swarm, "at", lambda: fake_engine("simulated"))

    assert configured("").JupyterHub.spawner_class == "localprocess"


def test_a_kernel_of_a_class_comes_without_the_debugger(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:8888")
    monkeypatch.setitem(sys.modules, "debugpy", MagicMock())
    runpy.run_module("labkit.cli.jupyter.ipython_kernel_config")
    assert sys.modules["debugpy"] is None


def test_servers_start_in_turn(configured, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    hook = configured().Spawner.pre_spawn_hook

    async def start() -> None:
        servers = [MagicMock(pending="spawn") for _ in range(3)]
        turns = [asyncio.create_task(hook(each)) for each in servers]
        await asyncio.wait(turns[:2])
        assert not turns[2].done(), "two start for each processor"
        servers[0].pending = None  # it runs, or has failed
        async with asyncio.timeout(5):
            await turns[2]
        servers[1].pending = servers[2].pending = None
        await asyncio.gather(*(each.turn for each in servers))

    asyncio.run(start())


def test_a_learner_is_told_why_there_is_no_server(configured):
    hook = configured().Spawner.pre_spawn_hook
    server = MagicMock(pending=None, start=AsyncMock(side_effect=OSError("no space left")))

    async def start() -> None:
        await hook(server)
        await server.start()

    with pytest.raises(HTTPError) as failed:
        asyncio.run(start())
    assert "no space left" in vars(failed.value)["jupyterhub_message"]


# ---- the room ----------------------------------------------------------------------


def server_of(name: str) -> MagicMock:
    server = MagicMock(volumes={"labkit-class-{username}": "/home/learner"}, pending=None)
    server.user.name = name
    return server


def test_the_room_is_off_until_there_is_its_folder(configured, tmp_path):
    assert "LABKIT_CLASS" not in configured().Spawner.environment
    (tmp_path / "room").mkdir()
    (tmp_path / "instructors.txt").write_text("barbara\n")
    noted = configured().Spawner.environment["LABKIT_CLASS"]

    assert noted(server_of("ada")) == str(tmp_path / "room")
    assert noted(server_of("barbara")) == "", "who teaches is not in the room"


def test_a_container_has_a_part_of_the_room_that_no_login_names(configured, tmp_path, monkeypatch):
    monkeypatch.setattr(Swarm, "at", lambda: fake_engine("engine"))
    (tmp_path / "room").mkdir()
    (tmp_path / "instructors.txt").write_text("barbara\n")
    found = configured("")
    ada, again, grace, barbara = map(server_of, ("ada", "ada", "grace", "barbara"))
    for server in (ada, again, grace, barbara):
        prepare(found, server)
    (mine,), (theirs,) = ([*each.volumes][1:] for each in (ada, grace))

    assert ada.volumes == again.volumes
    assert ada.volumes[mine] == {"bind": "/room", "mode": "rw"}
    assert found.Spawner.environment["LABKIT_CLASS"](ada) == "/room"
    assert Path(mine).parent == Path(theirs).parent == tmp_path / "room"
    assert mine != theirs
    assert "ada" not in Path(mine).name
    assert barbara.volumes[str(tmp_path / "room")] == {"bind": "/room", "mode": "ro"}


def prepare(found: Config, server: MagicMock) -> None:
    async def start() -> None:
        await found.Spawner.pre_spawn_hook(server)
        await server.turn

    asyncio.run(start())


def fake_engine(provenance: str) -> MagicMock:
    """An engine that has no network for the class yet."""
    engine = MagicMock(provenance=provenance, url="unix:///run/docker.sock")
    engine.info.return_value = {"OperatingSystem": "Debian"}
    engine.labels.return_value = {}
    engine.client.networks.list.return_value = []
    made = engine.client.networks.create.return_value
    made.attrs = {"IPAM": {"Config": [{"Gateway": "127.0.0.1"}]}}
    return engine


def test_services_have_no_room(configured, tmp_path):
    (tmp_path / "room").mkdir()
    environment = configured("services").Spawner.environment

    assert "LABKIT_CLASS" not in environment, "its folder is on one machine only"
