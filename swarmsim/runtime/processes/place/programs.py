"""Which program of this machine a command means, and Docker's words where it means none."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from swarmsim.runtime.plan import Plan
from swarmsim.runtime.processes.place.folders import Folder

_SHIM = Path(__file__).parents[1] / "shim"
#: Exit codes that Docker gives to what could not be started.
NOT_FOUND = 127
NOT_EXECUTABLE = 126

_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
#: Where an image's programs are, of which this machine has its own.
_SYSTEM = re.compile(r"/(?:usr/(?:local/)?)?s?bin/([^/]+)")
_SHEBANG = re.compile(rb"#!\s*(\S+)(?:[ \t]+([^\n]*?))?\s*\n")


class CannotStart(Exception):
    """A command that cannot be started, in Docker's words, and the exit code that it gives."""

    def __init__(self, of_command: str, code: int) -> None:
        super().__init__(of_command)
        because = f"unable to start container process: exec: {of_command}: unknown"
        #: What is said of a container, and of a command in one that runs.
        self.message = (
            "failed to create shim task: OCI runtime create failed: runc create failed: " + because
        )
        self.of_probe = f"OCI runtime exec failed: exec failed: {because}"
        self.code = code

    @classmethod
    def whole(cls, message: str, code: int) -> "CannotStart":
        """A container that cannot be started for another reason than its command."""
        found = cls("", code)
        found.message = message
        return found


def search_path(folder: Folder, env: Mapping[str, str]) -> str:
    """Return a task's PATH: the image's folders, this Python's, and this machine's."""
    own = [
        str(folder.inside(each))
        for each in env.get("PATH", "").split(":")
        if each and folder.inside(each).is_dir()
    ]
    python = str(Path(sys.executable).parent)
    return ":".join([*own, python, os.environ.get("PATH", os.defpath)])


def find(command: tuple[str, ...], folder: Folder, env: Mapping[str, str], cwd: Path) -> list[str]:
    """Return the words that a command means in a task. Raises `CannotStart`."""
    name, *arguments = command
    rewritten = [folder.rewrite_paths(word) for word in arguments]
    program = _found(name, folder, env, cwd)
    return [*_with_interpreter(program, folder, env, cwd), *rewritten]


def _found(name: str, folder: Folder, env: Mapping[str, str], cwd: Path) -> str:
    if "/" not in name:
        return _on_path(name, folder, env)
    path = folder.inside(name) if name.startswith("/") else cwd / name
    if path.exists():
        if path.is_dir() or not os.access(path, os.X_OK):
            raise CannotStart(f'"{name}": permission denied', NOT_EXECUTABLE)
        return str(path)
    system = _SYSTEM.fullmatch(name)
    if system and _PYTHON.fullmatch(system[1]):
        return sys.executable
    if system and Path(name).is_file():
        return name
    raise CannotStart(f'"{name}": stat {name}: no such file or directory', NOT_FOUND)


def _on_path(name: str, folder: Folder, env: Mapping[str, str]) -> str:
    own = [each for each in env.get("PATH", "").split(":") if each]
    of_image = shutil.which(name, path=":".join(str(folder.inside(each)) for each in own) or None)
    if own and of_image:
        return of_image
    if _PYTHON.fullmatch(name):
        return sys.executable
    of_machine = shutil.which(name)
    if of_machine is None:
        raise CannotStart(f'"{name}": executable file not found in $PATH', NOT_FOUND)
    return of_machine


def _with_interpreter(
    program: str, folder: Folder, env: Mapping[str, str], cwd: Path
) -> Iterator[str]:
    """Yield what a script's first line says, and the script; or the program alone."""
    with Path(program).open("rb") as file:
        found = _SHEBANG.match(file.read(256))
    if found and program.startswith(str(folder.root)):
        yield _found(os.fsdecode(found[1]), folder, env, cwd)
        if found[2]:
            yield os.fsdecode(found[2])
    yield program


def variables(folder: Folder, plan: Plan, hostname: str) -> dict[str, str]:
    """Return a process's variables: those of the image and the service, and what it needs here."""
    given = {
        name: folder.rewrite_paths(value) for name, value in plan.env.items() if name != "PATH"
    }
    python_path = [str(_SHIM), *filter(None, [given.get("PYTHONPATH")])]
    return {
        "HOME": str(folder.inside("/root")),
        "HOSTNAME": hostname,
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder.inside("/tmp")),  # noqa: S108 - the task's own
        **given,
        "PATH": search_path(folder, plan.env),
        "PYTHONPATH": ":".join(python_path),
        "SWARMSIM_TASK": str(folder.path),
    }
