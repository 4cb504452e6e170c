"""The mistakes in a compose file: each with its path inside the file, all of them at once."""

from collections.abc import Iterable

#: Where something stands in a file: keys and list indices from the top down.
Path = tuple[str | int, ...]


class Problems:
    """What is wrong with one file. The first thing said about a place is kept."""

    def __init__(self) -> None:
        self._found: dict[Path, str] = {}

    def add(self, path: Iterable[str | int], what: str) -> None:
        """Note a mistake; `what` is a clause that goes on from the path."""
        self._found.setdefault(tuple(path), what)

    def __bool__(self) -> bool:
        return bool(self._found)

    def listed(self) -> list[tuple[str, str]]:
        """Return the mistakes as `(path, what)` pairs, in the order they were found."""
        return [(dotted(path), what) for path, what in self._found.items()]


class Refused(Exception):
    """One mistake, on its way to where all are collected."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(path, what)
        self.path = path
        self.what = what


def dotted(path: Path) -> str:
    """Return a path as a person writes it: `services.web.ports[0].target`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
