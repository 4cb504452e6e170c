"""The folder in which a task runs: its image's files, its volumes, configs and secrets.

Nothing here needs root, so a task's `/` is not this folder. Absolute paths of the image's
files are rewritten where the engine sees them: in words of the command, in variables, and in
Python programs where a file is opened (see `shim`).

Each task has a copy of its image's files, which it may change; files over `COPIED_UP_TO`
are links to the image's. A volume is a folder that all its tasks have a link to.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from swarmsim.go.errors import ApiError
from swarmsim.images import Image, trees
from swarmsim.images.registry import FOLDERS
from swarmsim.model import Task
from swarmsim.runtime.plan import Plan
from swarmsim.runtime.port import Host

#: Bytes. Larger files of an image are not copied for each task.
COPIED_UP_TO = 1024 * 1024
#: Folders that every system has, and in which the files of this machine's system are meant.
SYSTEM = frozenset(FOLDERS) - {"home", "opt", "root", "run", "srv", "tmp", "var/tmp"}
_NOT_THERE = "invalid specification: destination can't be '/'"
#: An absolute path in a word of a command, such as in `--config=/app/x`.
_PATH = re.compile(r"(?<![\w./@-])/[\w.@%+,/-]+")


class Folder:
    """A task's folder. `root` stands for its `/`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "root"
        #: Which of its ports are which of this machine's: see `names`.
        self.ports = path / "ports"

    def make(self, files: Path) -> None:
        """Create it, with the files of an image."""
        self.ports.mkdir(parents=True)
        shutil.copytree(files, self.root, symlinks=True, copy_function=_copied)
        for each in ("tmp", "root", "run"):
            (self.root / each).mkdir(exist_ok=True)

    def remove(self) -> None:
        """Delete it. What a process of this user has made unreadable may stay."""
        shutil.rmtree(self.path, ignore_errors=True)

    def inside(self, path: str) -> Path:
        """Return the path on this machine of an absolute path of the task."""
        return trees.within(self.root, path)

    def put(self, path: str, content: bytes) -> None:
        """Write a file, such as a secret."""
        target = self.inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def mount(self, path: str, source: Path, *, is_volume: bool) -> None:
        """Mount a folder or file of this machine. An empty volume gets what is there."""
        target = self.inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_volume and target.is_dir() and not any(source.iterdir()):
            shutil.copytree(target, source, symlinks=True, dirs_exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        target.symlink_to(source)

    def is_own(self, path: str) -> bool:
        """Whether an absolute path means a file here, or one that could be made here."""
        name = str(PurePosixPath("/", path)).strip("/")
        if not name or name in SYSTEM:
            return False
        parent = str(PurePosixPath(name).parent)
        return self.inside(name).exists() or (
            parent not in SYSTEM and parent != "." and self.inside(parent).is_dir()
        )

    def rewrite_paths(self, text: str) -> str:
        """Return a word of a command, or a variable's value, with its paths in this folder."""
        return _PATH.sub(
            lambda found: str(self.inside(found[0])) if self.is_own(found[0]) else found[0], text
        )


def fill(folder: Folder, task: Task, plan: Plan, image: Image, engine: Host) -> str:
    """Make a task's folder; return the error in Docker's words, or `""`."""
    folder.make(engine.images.files(image))
    container = task.container
    try:
        error = mount_all(folder, engine.mounts_of(task))
    except ApiError as problem:
        error = problem.message
    if error:
        return error
    for given, kept, where in (
        (container.get("Configs"), engine.configs, "/"),
        (container.get("Secrets"), engine.secrets, "/run/secrets"),
    ):
        for each in given or ():
            blob = kept.get(str(each.get("ConfigID") or each.get("SecretID")))
            name = str((each.get("File") or {}).get("Name") or "")
            if blob is not None and name:
                folder.put(str(Path(where, name)), blob.data)
    try:
        folder.inside(plan.working_dir).mkdir(parents=True, exist_ok=True)
    except (NotADirectoryError, FileExistsError):
        return f"Cannot mkdir: {plan.working_dir} is not a directory"
    return ""


def mount_all(folder: Folder, mounts: Iterable[Mapping[str, Any]]) -> str:
    """Mount what a container has mounted. Returns the error in Docker's words, or `""`."""
    for mount in mounts:
        target, kind = str(mount["Destination"]), mount["Type"]
        source = Path(mount["Source"])
        if folder.inside(target) == folder.root:  # or all of the task would be that folder
            return f'invalid mount config for type "{kind}": {_NOT_THERE}'
        if kind == "bind" and not source.exists():
            why = f"bind source path does not exist: {source}"
            return f'invalid mount config for type "bind": {why}'
        if kind == "tmpfs":
            source = folder.path / f"mount-{_as_one_name(target)}"
            source.mkdir()
        folder.mount(target, source, is_volume=kind == "volume")
    return ""


def _as_one_name(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text).strip(".") or "_"


def _copied(source: str, target: str) -> None:
    if Path(source).stat().st_size > COPIED_UP_TO:
        Path(target).symlink_to(source)
    else:
        shutil.copy2(source, target)
