"""A private engine: a dockerd of the lab's own, with everything it keeps under one folder.

    .labkit/engine/
        daemon.json     all of its settings; /etc/docker is not read
        data/  exec/    images and containers; what runs
        docker.sock     where it listens
        log             what it says

It is started in a session of its own, so that neither Ctrl-C nor the end of a kernel or
a terminal ends it, and in a network namespace of its own (`network.py`). It is known by
its command line, which names `daemon.json` by its full path.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.base import echo
from labkit.engines import background
from labkit.engines.background import BackgroundEngine
from labkit.engines.private import network, programs
from labkit.engines.private.network import PROGRAMS, Network, missing

if TYPE_CHECKING:
    import psutil

#: The engine's label with the address at which this machine reaches what it publishes.
ADDRESS_LABEL = "labkit.address"
#: dockerd gives containers 15 s to stop.
_STOP_SECONDS = 60
_CGROUPS = Path("/sys/fs/cgroup")


class PrivateEngine(BackgroundEngine):
    """The private engine of the lab whose `.labkit/engine/` is `folder`."""

    name = "private"
    start_seconds = 60
    #: containerd refuses a socket whose path has more than 104 bytes; its own is the longest here.
    longest_path = 104 - len("/exec/containerd/containerd.sock.ttrpc")

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        mark = hashlib.sha256(str(folder).encode()).hexdigest()[:6]
        super().__init__(folder, Path("/run", f"labkit-{mark}"))
        self.network = Network(f"labkit-{mark}")
        self._config = folder / "daemon.json"
        self._exec = self._runtime / "exec"
        self._pid = folder / "pid"

    def stop(self) -> None:
        """Stop it with all its containers, and leave no process, mount, or rule behind.

        What it keeps (images, volumes, its swarm) stays; `remove` takes that away too.
        """
        self.wake()
        server = self.process()
        if server:
            server.terminate()
            background.wait([server], _STOP_SECONDS)
        ending = [*self._remains(), *([server] if server else [])]
        remains = [each for one in ending for each in background.family(one)]
        background.end(remains, "private")
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        places = (line.split()[1].replace("\\040", " ") for line in lines)
        roots = tuple(f"{each}/" for each in (self.folder, self._runtime))
        for mount in sorted(filter(lambda place: place.startswith(roots), places), reverse=True):
            programs.run("umount", "--lazy", mount)  # the innermost first
        if not missing():
            self.network.remove()
        for left in (self._pid, self._socket):
            left.unlink(missing_ok=True)
        shutil.rmtree(self._exec, ignore_errors=True)

    def why_not(self) -> str:
        """Return what keeps it from being started here, as a sentence, or `""`."""
        if not sys.platform.startswith("linux"):
            return "A private engine needs Linux."
        if not programs.found("dockerd"):
            return "dockerd is not installed (on Debian and Ubuntu: `apt-get install docker.io`)."
        if os.geteuid() != 0:
            return "Starting dockerd needs root."
        if lacking := missing():
            packages = " ".join(sorted(PROGRAMS[each] for each in lacking))
            return f"A private engine needs {' and '.join(lacking)} (`apt-get install {packages}`)."
        return _forbidden()

    def _launch(self, nodes: int) -> None:  # noqa: ARG002 - its nodes are containers
        for folder in (self.folder, self._runtime):
            folder.mkdir(parents=True, exist_ok=True)
        # Left by one that was killed. Its containerd ends without it, and a dockerd that takes
        # it for alive waits in vain. Its containers are the new dockerd's to end.
        remains = self._remains()
        background.end(filter(_is_containerd, remains), "private")
        if not all(map(_is_containerd, remains)):
            # with a grace period for each; nothing answers before that
            echo.say("It was killed, so it first ends its containers: up to a minute.")
        for left in (self._pid, self._socket, self._exec / "containerd" / "containerd.pid"):
            left.unlink(missing_ok=True)
        configuration = {
            "data-root": str(self._data),
            "exec-root": str(self._exec),
            "pidfile": str(self._pid),
            "hosts": [self.url],
            "labels": [f"{ADDRESS_LABEL}={self.network.ensure()}"],
        }
        self._config.write_text(json.dumps(configuration, indent=1), encoding="utf-8")
        dockerd = [
            *self.network.enter,
            # or it asks a registry for the image of every task, even for one that it has
            *("env", "DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1"),
            *("dockerd", f"--config-file={self._config}"),
        ]
        with self.log.open("ab") as log:
            # --fork: its parent is init, so that no zombie stays with a kernel
            programs.run("setsid", "--fork", *dockerd, output=log)

    def _repair(self, process: psutil.Process) -> None:
        if os.geteuid() == 0 and not self.network.is_whole(process.pid):
            labels = json.loads(self._config.read_text(encoding="utf-8"))["labels"]
            # it has told the address to everybody, so that has to stay
            self.network.ensure(process.pid, IPv4Address(labels[0].partition("=")[2]))
            echo.say("Repaired the network of the private engine: a part of it was missing.")

    def _servers(self) -> list[psutil.Process]:
        return [*super()._servers(), *filter(_is_containerd, self._remains())]

    def _remains(self) -> list[psutil.Process]:
        """Return containerd and its shims, should a dockerd have left any."""
        import psutil

        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self._exec) in word for word in process.info["cmdline"] or [])
        ]

    def _is_server(self, words: list[str]) -> bool:
        is_dockerd = len(words) > 1 and Path(words[0]).name == "dockerd"
        return is_dockerd and words[1] == f"--config-file={self._config}"


def _is_containerd(process: psutil.Process) -> bool:
    return bool(process.info["cmdline"]) and Path(process.info["cmdline"][0]).name == "containerd"


@cache
def _forbidden() -> str:
    """Return what of it this machine, which may be a container, does not allow; or `""`."""
    # v1 has a folder for each controller
    if not any(os.access(each, os.W_OK) for each in (_CGROUPS, *_CGROUPS.glob("*/"))):
        return f"dockerd cannot run containers here: {_CGROUPS} cannot be written to."
    problem = network.problem()
    return f"This machine does not allow a private engine's network: {problem}" if problem else ""
