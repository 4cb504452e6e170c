"""A hub with a room, and a learner who is stuck and then leaves the server alone."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.hub.hubs import ISOLATIONS, Hub, has_what_it_needs
from tests.waiting import until

# as what needs an engine, or the quick tests would take it along
pytestmark = [pytest.mark.hub, pytest.mark.engine, pytest.mark.timeout(900)]
TOKEN, EXERCISE, STUCK = "0" * 64, "half-the-time", "asks for help"
ASKED = f"""
c.JupyterHub.services[0]["command"][-1:] = ["--timeout=60", "--cull-every=5"]
c.JupyterHub.services.append({{"name": "asks", "api_token": "{TOKEN}"}})
may = {{"name": "asks", "scopes": ["admin:servers", "access:servers"], "services": ["asks"]}}
c.JupyterHub.load_roles.append(may)
"""


def get(hub: Hub, path: str, data: bytes | None = None) -> str:
    headers = {"Authorization": f"token {TOKEN}"}
    request = urllib.request.Request(hub.url(path), data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def servers(hub: Hub, name: str) -> dict[str, dict[str, bool]]:
    return json.loads(get(hub, f"hub/api/users/{name}"))["servers"]


class Seat:
    """The server of somebody, and what they type in its terminal."""

    def __init__(self, hub: Hub, name: str) -> None:
        get(hub, f"hub/api/users/{name}/server", b"{}")
        until(lambda: servers(hub, name).get("", {}).get("ready"), f"{name}'s server", 240, every=1)
        if hub.isolation == "containers":
            self._words, self._env = ["docker", "exec", f"labkit-class-{name}"], None
        else:
            (server,) = (pid for pid, words in hub.left(name) if "labkit lab" in " ".join(words))
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            self._words, self._env = ["env", f"PATH={path}"], psutil.Process(server).environ()

    def types(self, *words: str) -> subprocess.Popen[str]:
        """Start a command there."""
        command = [*self._words, *words]
        return subprocess.Popen(command, env=self._env, stdout=subprocess.PIPE, text=True)

    def is_stuck(self, **more: bool) -> None:
        code = f"import labkit; labkit.stuck({EXERCISE!r}, **{more})"
        with self.types("python", "-c", code) as done:
            assert done.wait() == 0


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_an_instructor_sees_who_is_stuck_and_what_is_idle_is_stopped(
    isolation: str, tmp_path: Path
) -> None:
    has_what_it_needs(isolation)
    hub, room = Hub(tmp_path, isolation), tmp_path / "room"
    room.mkdir()
    (tmp_path / "instructors.txt").write_text("barbara\n")
    with (tmp_path / "jupyterhub_config.py").open("a") as configuration:
        configuration.write(ASKED)
    with hub:
        ada, barbara = Seat(hub, "ada"), Seat(hub, "barbara")
        ada.is_stuck()
        seen = "/room" if isolation == "containers" else str(room)
        with barbara.types("labkit", "class", seen, "--serve") as page:
            assert page.stdout
            path = page.stdout.readline().split()[-1].removeprefix("/")
            assert path.startswith("user/barbara/proxy/")
            assert STUCK in get(hub, path)
            ada.is_stuck(over=True)
            assert STUCK not in get(hub, path)
            page.terminate()
        until(lambda: hub.left() == [], "idle servers to be stopped, and all that they ran", 240)
        assert servers(hub, "ada") == {}
