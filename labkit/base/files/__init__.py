"""Files: a name that is free, and a content that is written whole or not at all."""

from collections.abc import Callable
from itertools import count
from pathlib import Path


def unused(numbered: Callable[[int], Path]) -> Path:
    """Return the first of the numbered paths, from 1 on, at which there is nothing yet."""
    return next(path for path in map(numbered, count(1)) if not path.exists())


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link is replaced, and not written through.

    Raises `OSError`; what was there stays then.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
