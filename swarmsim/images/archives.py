"""Images as archives: import of a file system, and what `docker save` and `load` exchange."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO, Any

from swarmsim.go.references import Reference
from swarmsim.go.times import stamp
from swarmsim.images import documents, names
from swarmsim.images.build import dockerfile, steps
from swarmsim.images.documents import Image
from swarmsim.images.problems import ImageProblem
from swarmsim.images.store import Images

_GZIP = b"\x1f\x8b"
_MANIFEST = "manifest.json"
#: Instructions that `docker import --change` takes.
_CHANGES = {
    *("CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL"),
    *("USER", "VOLUME", "WORKDIR"),
}


def opened(path: Path) -> IO[bytes]:
    """Open a file, uncompressed if it is compressed with gzip."""
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


def import_tree(
    images: Images,
    path: Path,
    name: Reference | None,
    changes: Iterable[str],
    comment: str,
    now: int,
) -> Image:
    """Make an image of one layer from an archive of a file system.

    Raises `ImageProblem` for a change that is none, and for what is no archive.
    """
    state = steps.State(documents.new_config(Env=[]), "\\", {})
    state.config["Env"] = None
    for change in changes:
        _change(state, change)
    layer = _kept(images, path)
    try:
        images.layer(layer)
    except tarfile.TarError as problem:
        images.layer_path(layer).unlink()
        raise ImageProblem(500, f"archive/tar: invalid tar header ({problem})") from None
    comment = comment or "Imported from -"
    event = documents.event(now, "", empty=False, comment=comment)
    document = documents.new(
        state.config,
        (layer,),
        (event,),
        stamp(now),
        comment=comment,
        container_config=documents.new_config(),
    )
    image = images.add(document)
    if name:
        images.tag(image, name, now)
    return image


def _kept(images: Images, path: Path) -> str:
    """Keep an archive as a layer; return its hash."""
    with (
        opened(path) as content,
        NamedTemporaryFile(dir=images.folder / "layers", delete=False) as file,
    ):
        shutil.copyfileobj(content, file)
    return images.add_layer(Path(file.name))


def _change(state: steps.State, text: str) -> None:
    instruction = dockerfile.read_line(text)
    if instruction.name not in _CHANGES:
        raise ImageProblem(400, f"{instruction.name.lower()} is not a valid change command")
    steps.take(state, instruction)


def save(images: Images, wanted: list[str], target: IO[bytes]) -> None:
    """Write images as `docker save` does. Raises `ImageProblem` 404."""
    found: dict[str, list[str]] = {}
    for text in wanted:
        image = images.find(text)
        tags = found.setdefault(image.id, [])
        name = names.tagged(names.parse(text)) if not names.start_of_id(text) else None
        if name and str(name) in images.names and name.tag:
            tags.append(str(name))
    manifest = []
    with tarfile.open(fileobj=target, mode="w") as archive:
        written: set[str] = set()
        for image_id, tags in found.items():
            image = images.images[image_id]
            config = f"{image.id.removeprefix('sha256:')}.json"
            _add(archive, config, images.encoded(image.id))
            layers = [f"{layer.removeprefix('sha256:')}/layer.tar" for layer in image.layers]
            for layer, name_in_archive in zip(image.layers, layers, strict=True):
                if layer not in written:
                    archive.add(images.layer_path(layer), name_in_archive)
                    written.add(layer)
            manifest.append({"Config": config, "RepoTags": tags or None, "Layers": layers})
        _add(archive, _MANIFEST, json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def load(images: Images, path: Path, now: int) -> Iterator[str]:
    """Take images from what `docker save` has written; yield what the engine says.

    Raises `ImageProblem` for what is no such archive.
    """
    try:
        with opened(path) as content, tarfile.open(fileobj=content) as archive:
            for entry in json.loads(_content(archive, _MANIFEST)):
                yield from _loaded(images, archive, entry, now)
    except (tarfile.TarError, ValueError, KeyError, TypeError, OSError, EOFError) as problem:
        raise ImageProblem(
            500, f"this is no archive that docker save has written: {problem}"
        ) from None


def _loaded(
    images: Images, archive: tarfile.TarFile, entry: dict[str, Any], now: int
) -> Iterator[str]:
    content = _content(archive, entry["Config"])
    wanted = Image.of(content).layers
    for name, layer in zip(entry["Layers"], wanted, strict=True):
        _take_layer(images, archive, name, layer)
    image = images.add_encoded(content)
    for tag in entry["RepoTags"] or ():
        images.tag(image, names.tagged(names.parse(tag)), now)
        yield f"Loaded image: {tag}\n"
    if not entry["RepoTags"]:
        yield f"Loaded image ID: {image.id}\n"


def _take_layer(images: Images, archive: tarfile.TarFile, name: str, wanted: str) -> None:
    if images.layer_path(wanted).exists():
        return
    content = archive.extractfile(_member(archive, name))
    if content is None:
        raise ValueError(f"{name} is no file")
    with NamedTemporaryFile(dir=images.folder / "layers", delete=False) as file:
        shutil.copyfileobj(content, file)
    found = images.add_layer(Path(file.name))
    if found != wanted:
        images.layer_path(found).unlink()
        raise ValueError(f"invalid diffID for layer: expected {wanted!r}, got {found!r}")


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    content = archive.extractfile(_member(archive, name))
    if content is None:
        raise ValueError(f"{name} is no file")
    return content.read()


def _member(archive: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    """Find a member; a layer may be a link to another one's file."""
    member = archive.getmember(name)
    if member.issym():
        return archive.getmember(str(PurePosixPath(name).parent / member.linkname))
    return member
