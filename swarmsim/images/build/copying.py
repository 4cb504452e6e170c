"""COPY and ADD: which files they mean, and where in the image those go.

The rules are those of moby's `builder/dockerfile/copy.go`: of a folder its contents are
copied; several sources need a destination that ends with a slash; a single file goes into
a destination that is a folder of the image.
"""

from __future__ import annotations

import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from swarmsim.images import trees
from swarmsim.images.build.words import StepFailed
from swarmsim.images.registry import registry
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
    #: What the sources are relative to: the build's context, or the files of an image.
    root: Path
    from_context: bool = True

    def failed(self, message: str) -> StepFailed:
        """The error that a source of this instruction is."""
        return StepFailed(f"{self.name} failed: {message}")


def collect(
    copy: Copy, has_folder: Callable[[str], bool], scratch: Path
) -> tuple[list[Entry], str]:
    """Return the files under their names in the image, and what tells them from others.

    The latter is what Docker writes into the history, such as `file:29c0…`. Archives that ADD
    unpacks are unpacked into `scratch`.

    Raises `StepFailed` in Docker's words.
    """
    sources = [path for source in copy.sources for path in _sources(copy, source)]
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
    for source in sources:
        each = list(_entries(copy, source, target, scratch, into_folder=into_folder))
        contents.append(("dir" if source.is_dir() else "file", trees.content_hash(each)))
        found += each
    return [*_parents(found, has_folder), *found], _described(contents)


def _sources(copy: Copy, source: str) -> Iterator[Path]:
    """Yield the files and folders that a source means, wildcards included."""
    if url := _URL.match(source):
        if copy.name == "COPY":
            raise copy.failed("source can't be a URL for COPY")
        raise copy.failed(registry.no_such_host(source, url[1]))
    inside = source.lstrip("/")
    if copy.from_context and posixpath.normpath(inside).startswith(".."):
        raise copy.failed(f"forbidden path outside the build context: {source} ()")
    if _WILDCARDS.search(inside):
        yield from sorted(copy.root.glob(inside.replace("[^", "[!")))
        return
    path = trees.within(copy.root, inside)
    if not path.exists():
        raise copy.failed(_absent(copy, inside))
    yield path


def _absent(copy: Copy, source: str) -> str:
    if not copy.from_context:
        return f"stat {source}: file does not exist"
    parents = PurePosixPath(source).parents
    if any(trees.within(copy.root, str(parent)).is_file() for parent in parents):
        return f"forbidden path outside the build context: {source} ()"
    return (
        "file not found in build context or excluded by .dockerignore: "
        f"stat {source}: file does not exist"
    )


def _entries(
    copy: Copy, source: Path, target: str, scratch: Path, *, into_folder: bool
) -> Iterator[Entry]:
    if copy.name == "ADD" and source.is_file() and tarfile.is_tarfile(source):
        source = _unpacked(source, scratch)
    if source.is_dir():
        yield from trees.entries(source, target)
    else:
        yield Entry(f"{target}/{source.name}".strip("/") if into_folder else target, source)


def _unpacked(archive: Path, scratch: Path) -> Path:
    folder = scratch / str(sum(1 for _ in scratch.iterdir()))
    folder.mkdir()
    with tarfile.open(archive) as opened:
        trees.unpack(opened, folder)
    return folder


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
