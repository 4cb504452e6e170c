"""A hub of its own in a folder, and a learner who sits in front of it with a browser."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Self

import docker
import psutil
import pytest
from playwright.sync_api import Page, expect

from labkit.base.errors import NoEngine
from labkit.swarm.client import Swarm
from tests.browser.lab import Lab
from tests.browser.test_lesson import Lesson
from tests.waiting import until
from tests.whole.labs import free_ports

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "jupyterhub" / "hub.py"
#: In milliseconds: a server that starts beside two others, on a busy machine.
START = 240_000
ISOLATIONS = ("none", "containers")
OWN = f"""
load_subconfig({str(SCRIPT.with_name("jupyterhub_config.py"))!r})
c.Spawner.args = ["--LabApp.expose_app_in_browser=True"]
c.Spawner.environment["LABKIT_SPEED"] = "4"
c.Spawner.poll_interval = 2
"""


def has_what_it_needs(isolation: str) -> None:
    """Build the image for containers, unless one is named; skip without an engine for them."""
    if isolation != "containers":
        return
    try:
        real = Swarm.at().provenance == "engine"
    except NoEngine:
        real = False
    if not real:
        pytest.skip("needs a real engine: containers are the engine's")
    if "LABKIT_HUB_IMAGE" not in os.environ:
        folder = ROOT / "build" / "hub"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, SCRIPT, "image"], cwd=folder, check=True)


class Hub:
    """A hub with three learners, which are kept apart by `isolation`."""

    def __init__(self, folder: Path, isolation: str) -> None:
        self.folder, self.isolation = folder, isolation
        (self.port,) = free_ports(1)
        self._env = os.environ | {
            "LABKIT_HUB_ISOLATION": isolation,
            "LABKIT_HUB_PORT": str(self.port),
            # `make hub` may have installed the proxy
            "PATH": f"{ROOT}/build/hub/node_modules/.bin:{os.environ['PATH']}",
        }
        (folder / "jupyterhub_config.py").write_text(OWN)
        (folder / "learners.txt").write_text("ada\ngrace\nedsger\n")
        lines = self._script("passwords").splitlines()
        self.passwords = dict(line.split() for line in lines)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the hub, and with it the servers of all."""
        self.stop()
        self.start("--JupyterHub.cleanup_servers=True", "--JupyterHub.cleanup_proxy=True")
        self.stop()

    def start(self, *arguments: str) -> None:
        """Start the hub, and wait until it answers."""
        words = [sys.executable, str(SCRIPT), "run", *arguments]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                words, cwd=self.folder, env=self._env, stdout=log, stderr=log
            )
        until(self._answers, "the hub to answer", 120, every=0.2)

    def stop(self) -> None:
        """End the hub as a service manager would."""
        self.process.terminate()
        self.process.wait(90)

    def url(self, path: str) -> str:
        """The address of a path behind the hub's proxy."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def kill_server(self, name: str) -> None:
        """Kill the server of a learner, as a machine that has no more memory does."""
        if self.isolation == "containers":
            docker.from_env().containers.get(f"labkit-class-{name}").kill()
        else:
            (server,) = (each for each in self.left(name) if "labkit lab" in " ".join(each[1]))
            psutil.Process(server[0]).kill()

    def left(self, name: str = "") -> list[tuple[int, list[str]]]:
        """The processes of a learner, or of all, and the containers, by their command lines."""
        if self.isolation == "containers":
            found = docker.from_env().containers.list(
                all=True, filters={"name": f"labkit-class-{name}"}
            )
            return [(0, [each.name]) for each in found]
        home = str(self.folder / "homes" / name)
        return [
            (each.pid, each.info["cmdline"])
            for each in psutil.process_iter(["cmdline", "environ"])
            if (each.info["environ"] or {}).get("LABKIT_HOME", "").startswith(home)
        ]

    def _script(self, *words: str) -> str:
        command = [sys.executable, str(SCRIPT), *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self._env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text())
        try:
            with urllib.request.urlopen(self.url("hub/health"), timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Desk(Lesson):
    """A learner's browser: a notebook of the lab, on the hub."""

    lab: Lab  # which is not used: the hub says where things are

    def __init__(self, hub: Hub, page: Page, learner: str) -> None:
        self.hub, self.page, self.learner = hub, page, learner

    def log_in(self) -> None:
        """Ask for a server; returns at once."""
        self.page.goto(self.hub.url("hub/login"))
        self.page.fill("#username_input", self.learner)
        self.page.fill("#password_input", self.hub.passwords[self.learner])
        self.page.click("#login_submit")

    def sits(self) -> None:
        """Wait until the first notebook is open."""
        self.page.wait_for_url(f"**/user/{self.learner}/lab**", timeout=START)
        notebook = self.page.locator(".jp-NotebookPanel", has_text="0 · Start here")
        expect(notebook).to_be_visible(timeout=START)

    def open_notebook(self, name: str) -> None:
        """Open one of the lab's notebooks, and wait for its kernel."""
        self.page.goto(self.hub.url(f"user/{self.learner}/lab/tree/{name}?reset"))
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        self._wait_for_kernel()
