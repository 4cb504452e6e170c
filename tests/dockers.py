"""The docker command line, for what is compared with it."""

import os
import shutil
import subprocess

import pytest

from labkit.swarm.client import Swarm

needs_docker = pytest.mark.skipif(
    not shutil.which("docker"), reason="needs the docker command line"
)


def docker(swarm: Swarm, command: str, **variables: str) -> str:
    """Return what a docker command prints about a swarm, in a shell, to the last line break."""
    ran = subprocess.run(
        f"docker {command}",
        shell=True,
        env={**os.environ, **variables, "DOCKER_HOST": swarm.url},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.removesuffix("\n")
