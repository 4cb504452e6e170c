"""A hub with a room, and a learner who is stuck and then leaves the server alone."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.hub.hubs import Hub
from tests.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.timeout(900)]
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


def begin(hub: Hub, name: str) -> dict[str, str]:
    """Start somebody's server; return the variables that what runs in it has."""
    get(hub, f"hub/api/users/{name}/server", b"{}")
    until(lambda: servers(hub, name).get("", {}).get("ready"), f"{name}'s server", 240, every=1)
    (server,) = (pid for pid, words in hub.left(name) if "labkit lab" in " ".join(words))
    return psutil.Process(server).environ()


def test_an_instructor_sees_who_is_stuck_and_what_is_idle_is_stopped(tmp_path: Path) -> None:
    hub, room = Hub(tmp_path, "none"), tmp_path / "room"
    room.mkdir()
    (tmp_path / "instructors.txt").write_text("barbara\n")
    with (tmp_path / "jupyterhub_config.py").open("a") as configuration:
        configuration.write(ASKED)
    with hub:
        ada, barbara = begin(hub, "ada"), begin(hub, "barbara")

        def stuck(**more: bool) -> None:
            code = f"import labkit; labkit.stuck({EXERCISE!r}, **{more})"
            subprocess.run([sys.executable, "-c", code], env=ada, check=True)

        assert "LABKIT_CLASS" not in barbara or not barbara["LABKIT_CLASS"]
        stuck()
        words = [str(Path(sys.executable).with_name("labkit")), "class", str(room), "--serve"]
        with subprocess.Popen(words, env=barbara, stdout=subprocess.PIPE, text=True) as page:
            assert page.stdout
            path = page.stdout.readline().split()[-1].removeprefix("/")
            assert path.startswith("user/barbara/proxy/")
            assert STUCK in get(hub, path)
            stuck(over=True)
            assert STUCK not in get(hub, path)
            page.terminate()
        until(lambda: hub.left() == [], "idle servers to be stopped, and all that they ran", 240)
        assert servers(hub, "ada") == {}
