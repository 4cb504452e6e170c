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

    def take(self, problem: ValueError, path: Path = ()) -> None:
        """Note what is wrong at a path, or inside of what is there."""
        for inside, what in mistakes(problem):
            self.add((*path, *inside), what)

    def __bool__(self) -> bool:
        return bool(self._found)

    def listed(self) -> list[tuple[str, str]]:
        """Return the mistakes as `(path, what)` pairs, in the order they were found."""
        return [(dotted(path), what) for path, what in self._found.items()]


class Mistakes(ValueError):
    """Mistakes, on the way to where all of them are collected."""

    def __init__(self, *found: tuple[Path, str]) -> None:
        super().__init__(*found)
        self.found = found


def mistakes(problem: ValueError) -> Iterable[tuple[Path, str]]:
    """Return the mistakes that an error stands for; one that says no path is about the whole."""
    return problem.found if isinstance(problem, Mistakes) else [((), str(problem))]


def dotted(path: Path) -> str:
    """Return a path as a person writes it: `services.web.ports[0].target`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
