"""Administrators' programs: whether they are here, and running them."""

import os
import shutil
from typing import IO

from labkit.base.errors import LabError

#: They are not on everybody's PATH.
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def found(program: str) -> bool:
    """Whether the program is installed."""
    return shutil.which(program, path=_PATH) is not None


def run(*words: str, output: IO[bytes] | None = None) -> str:
    """Run a program and return what it printed. Raises `LabError` with what it says.

    `output` is for a program that goes on in the background: a file that takes what it
    prints, for good.
    """
    import subprocess  # most commands start none

    done = subprocess.run(  # noqa: S603 - the words are labkit's own, and no shell reads them
        words,
        env=os.environ | {"PATH": _PATH},
        stdin=subprocess.DEVNULL,
        stdout=output or subprocess.PIPE,
        stderr=output or subprocess.PIPE,
        cwd="/",
        check=False,
    )
    said = [
        (stream or b"").decode(errors="replace").strip() for stream in (done.stdout, done.stderr)
    ]
    if done.returncode:
        raise LabError(
            f"`{' '.join(words)}`, which the private engine needs, to work.",
            said[1] or f"exit status {done.returncode}.",
            "use an engine of your own: `labkit up --engine URL`.",
        )
    return said[0]


def succeeds(*words: str) -> bool:
    """Run a program and return whether it succeeded."""
    try:
        run(*words)
    except LabError:
        return False
    return True
