"""Images made from the packages of this machine's own distribution: Python, and a node.

For machines where no registry answers. `mmdebstrap --variant=extract` unpacks the packages
and configures nothing, which is all that Python and dockerd need; the source of the
packages is the one that this machine's apt is set up with. The images work on any engine
of the same architecture.
"""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from labkit.base import settings
from labkit.base.errors import LabError
from labkit.base.rules import words

#: What the Dockerfiles of dockercoins name.
OFFICIAL = "python:3.13-alpine"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of."""

    #: What it is called; the tag says of which distribution it is.
    repository: str
    packages: list[str]
    #: A shell command that is run when they are unpacked; `$1` is the folder.
    afterwards: str
    #: The default command of a container.
    command: str


PYTHON, NODE = (Recipe(**said) for said in words(Path(__file__).with_name("recipes.yaml")).values())
_TIMEOUT_SECONDS = 300
_ETC_APT = Path("/etc/apt")


def name(recipe: Recipe = PYTHON) -> str:
    """Return the name of the image of this distribution, or `""` where none can be made."""
    release = _os_release()
    suite = release.get("VERSION_CODENAME", "")
    return f"{recipe.repository}:{release['ID']}-{suite}" if suite and _package_source() else ""


def is_one(image: str) -> bool:
    """Whether an image of this name is made here."""
    return image.startswith((f"{PYTHON.repository}:", f"{NODE.repository}:"))


def why_not(engine_architecture: str) -> str:
    """Return why no image can be made on this machine for that engine; `""` if one can."""
    if not name():
        return "this is not Debian or Ubuntu, and it would be made from their packages"
    if engine_architecture != platform.machine():
        return f"the engine is {engine_architecture} and this machine {platform.machine()}"
    if not shutil.which("mmdebstrap"):
        return "mmdebstrap is not installed (`apt-get install mmdebstrap`)"
    if os.geteuid() != 0:
        return "that needs root"
    return ""


def make(api: Any, image: str, recipe: Recipe = PYTHON) -> None:
    """Make an image and import it into the engine that `api` speaks to.

    Raises `LabError` with mmdebstrap's own words.
    """
    from docker.errors import DockerException

    with TemporaryDirectory() as folder:
        files = Path(folder) / "files.tar"
        _unpack_packages(files, recipe)
        # a broken archive would be imported without complaint: only a finished one gets here
        try:
            said = api.import_image(
                src=str(files),
                repository=recipe.repository,
                tag=image.removeprefix(f"{recipe.repository}:"),
                changes=[f"LABEL {settings.LAB_LABEL}=true", f'CMD ["{recipe.command}"]'],
            )
        except (DockerException, OSError) as problem:
            said = f"error: {problem}"
    if "error" in said:  # the engine answers 200 and reports a failure in what follows
        raise LabError(
            f"the engine to import {image}.",
            "it did not.",
            "see whether the engine's disk is full (`docker system df`).",
            docker_says=said,
        )


def _unpack_packages(target: Path, recipe: Recipe) -> None:
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=extract",
        *(f"--include={package}" for package in recipe.packages),
        f"--extract-hook={recipe.afterwards}",
        _os_release()["VERSION_CODENAME"],
        str(target),
        str(_package_source()),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - nothing in it comes from outside this machine
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        complaint = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as problem:
        complaint = str(problem)
    if complaint:
        raise LabError(
            f"mmdebstrap to make {recipe.repository} from this machine's package source "
            f"({_package_source()}).",
            f"it failed: {complaint}",
            "see whether `apt-get update` works here.",
        )


def _package_source() -> Path | None:
    """Return the file that says where this distribution's own packages come from.

    Other files beside it name other people's packages, which are not wanted.
    """
    own = _ETC_APT / "sources.list.d" / f"{_os_release().get('ID', '')}.sources"
    places = (own, _ETC_APT / "sources.list")
    return next((place for place in places if place.is_file() and place.stat().st_size), None)


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:  # macOS, Windows
        return {}
