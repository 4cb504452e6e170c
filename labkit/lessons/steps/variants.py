"""Images of edited workers, which are there when an exercise begins."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from labkit import engines
from labkit.base import settings
from labkit.lessons import workspace
from labkit.lessons.checks import Image
from labkit.lessons.steps import edits
from labkit.swarm.client import Swarm
from labkit.swarm.images import images


def build(swarm: Swarm, wanted: Image) -> str:
    """Build worker as it is shipped, with some of the lesson's edits made to it.

    Returns what was done in a sentence, or `""` if the image was there already, made from
    the same. Raises `BuildFailed`.
    """
    image = f"{settings.docker_id()}/dockercoins_worker:{wanted.tag}"
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "worker"
        write(folder, wanted.edits)
        built = images.ensure(swarm, folder, image)
    shared = engines.nodes.share(swarm)
    return "; ".join([f"{image} built", *shared]) if built else ""


def write(folder: Path, names: Sequence[str]) -> None:
    """Write the files of worker as they are after these edits to a new folder."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(workspace.shipped("worker"), folder, ignore=ignored)
    for name in names:
        change = edits.EDITS[name]
        path = folder.parent / change.file
        path.write_text(change.apply(path.read_text(encoding="utf-8")), encoding="utf-8")
