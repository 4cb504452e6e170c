"""COPY and ADD: which files they mean, and where in the image those go.

The rules are those of moby's `builder/dockerfile/copy.go`: of a folder its contents are
copied; several sources need a destination that ends with a slash; a single file goes into
a destination that is a folder of the image.
"""

import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from swarmsim.go.references import is_match
from swarmsim.images import registry, trees
from swarmsim.images.build.words import StepFailed
from swarmsim.images.trees import Entry

_WILDCARDS = re.compile(r"[*?\[]")
_URL = re.compile(r"https?://([^/]*)")


@dataclass(frozen=True, slots=True)
class Copy:
    """One COPY or ADD: names of sources, where they are looked for, and where they go."""

    #: COPY or ADD.
    name: str
    sources: tuple[str, ...]
    destination: str
    working_dir: str
    #: What the sources are relative to: the build's context.
    root: Path

    def failed(self, message: str) -> StepFailed:
        """The error that a source of this instruction is."""
        return StepFailed(f"{self.name} failed: {message}")


def collect(copy: Copy, has_folder: Callable[[str], bool]) -> tuple[list[Entry], str]:
    """Return the files under their names in the image, and what tells them from others.

    The latter is what Docker writes into the history, such as `file:29c0…`.

    Raises `StepFailed` in Docker's words.
    """
    sources = [each for source in copy.sources for each in _sources(copy, source)]
    if not sources:
        raise copy.failed("no source files were specified")
    into_folder = copy.destination.endswith("/") or copy.destination in (".", "")
    if len(sources) > 1 and not into_folder:
        raise StepFailed(
            f"When using {copy.name} with more than one source file, the destination must be a "
            "directory and end with a /"
        )
    target = posixpath.normpath(posixpath.join("/", copy.working_dir, copy.destination)).strip("/")
    into_folder = into_folder or has_folder(target)
    found: list[Entry] = []
    contents = []
    for name, source in sources:
        place = f"{target}/{name}".strip("/") if into_folder and not source.is_dir() else target
        each = list(_entries(copy, source, place, target))
        contents.append(("dir" if source.is_dir() else "file", trees.content_hash(each)))
        found += each
    return [*_parents(found, has_folder), *found], _described(contents)


def _sources(copy: Copy, source: str) -> Iterator[tuple[str, Path]]:
    """Yield the name and the place of what a source means, wildcards included.

    Links are followed and never lead out; a wildcard finds nothing behind one.
    """
    if url := _URL.match(source):
        if copy.name == "COPY":
            raise copy.failed("source can't be a URL for COPY")
        raise copy.failed(registry.no_such_host(source, url[1]))
    inside = source.lstrip("/")
    if posixpath.normpath(inside).startswith(".."):
        raise copy.failed(f"forbidden path outside the build context: {source} ()")
    if _WILDCARDS.search(inside):
        pattern = posixpath.normpath(inside)
        below = (each.relative_to(copy.root).as_posix() for each in copy.root.rglob("*"))
        found = sorted(each for each in below if is_match(each, pattern))
    else:
        found = [inside]
    for each in found:
        path = trees.within(copy.root, each)
        if not path.exists():
            raise copy.failed(_absent(copy, each))
        yield PurePosixPath(each).name, path


def _absent(copy: Copy, source: str) -> str:
    parents = PurePosixPath(source).parents
    if any(trees.within(copy.root, str(parent)).is_file() for parent in parents):
        return f"forbidden path outside the build context: {source} ()"
    return (
        "file not found in build context or excluded by .dockerignore: "
        f"stat {source}: file does not exist"
    )


def _entries(copy: Copy, source: Path, place: str, folder: str) -> Iterator[Entry]:
    """Yield a file under its `place`, or what is in a folder in `folder`."""
    if copy.name == "ADD" and source.is_file() and tarfile.is_tarfile(source):
        raise copy.failed(f"the simulated engine unpacks no archive: {source.name}")
    yield from trees.entries(source, folder) if source.is_dir() else [Entry(place, source)]


def _parents(found: list[Entry], has_folder: Callable[[str], bool]) -> list[Entry]:
    """The folders that the image lacks and the copied files need."""
    names = {entry.name for entry in found}
    needed = {
        str(parent)
        for name in names
        for parent in PurePosixPath(name).parents
        if not has_folder(str(parent))
    }
    return [Entry(name) for name in sorted(needed - names)]


def _described(contents: list[tuple[str, str]]) -> str:
    if len(contents) == 1:
        kind, digest = contents[0]
        return f"{kind}:{digest}"
    return f"multi:{sha256(repr(contents).encode()).hexdigest()}"
