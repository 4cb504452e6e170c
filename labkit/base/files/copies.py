"""Copies of files, remembered by their hashes, so that a newer one spares what was changed."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}


def files(folder: Path) -> list[Path]:
    """Return the files below a folder that are worth copying, in order."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT.intersection(path.relative_to(folder).parts)
    ]


def digest(content: bytes) -> str:
    """Return the hash of what is in a file."""
    return sha256(content).hexdigest()


class Hashes:
    """What was copied, by name, kept in a file; one that cannot be read counts as empty."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self.known = dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self.known = {}

    def spares(self, name: str, path: Path, content: bytes) -> bool:
        """Whether what is at a path is neither this content nor what was copied there before."""
        if not path.exists():
            return False
        return digest(path.read_bytes()) not in (digest(content), self.known.get(name))

    def remember(
        self, name: str, content: bytes, write: Callable[[Path, bytes], object] = Path.write_bytes
    ) -> None:
        """Note what was copied, at once: the next one may never come."""
        if self.known.get(name) != digest(content):
            self.known[name] = digest(content)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write(self._file, json.dumps(self.known, indent=1, sort_keys=True).encode())
