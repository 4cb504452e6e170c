"""The images of an engine, kept in a folder: documents, layers, and the names they have.

    images/<digits of the id>.json      the document whose hash is the id
    layers/<digits of the hash>.tar     a layer
    files/<digits>/                     what an image's files look like to a task
    index.json                          names, parents, what was pushed

Each change is on the disk when it is made, so that another engine with the same folder,
later, has the same images.
"""

import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import NamedTuple

from swarmsim.go import references
from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference
from swarmsim.images import documents, registry, trees
from swarmsim.images.documents import Image
from swarmsim.images.registry import Manifest, Registry


class Layer(NamedTuple):
    """What is known of a layer without opening it."""

    size: int
    folders: set[str]


class Images:
    """The images of one engine. Not for several threads."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "images"
        for each in ("images", "layers", "files"):
            (self.folder / each).mkdir(parents=True, exist_ok=True)
        self.images: dict[str, Image] = {}
        #: By name with a tag, or with a digest: an image's id. Names are in the short form.
        self.names: dict[str, str] = {}
        self.registry = Registry()
        self._layers: dict[str, Layer] = {}
        self._read()

    # ---- looking -------------------------------------------------------------------

    def find(self, text: str) -> Image:
        """Return what a name, an id or the beginning of one means.

        Raises `ApiError`: 404, or 400 for a malformed name.
        """
        start = references.start_of_id(text)
        if len(start) == 64 and f"sha256:{start}" in self.images:
            return self.images[f"sha256:{start}"]
        name = references.read(text)
        if found := self.named(name):
            return found
        begun = [it for it in self.images if start and it.startswith(f"sha256:{start}")]
        if len(begun) != 1:
            raise ApiError(404, f"No such image: {name}")
        return self.images[begun[0]]

    def get(self, text: str) -> Image | None:
        """Like `find`, but return `None` for a missing image."""
        try:
            return self.find(text)
        except ApiError:
            return None

    def named(self, name: Reference) -> Image | None:
        """Return the image of a name. With a digest in it, the tag does not count."""
        key = replace(name, tag="") if name.digest else name
        return self.images.get(self.names.get(str(key), ""))

    def names_of(self, image: Image) -> list[str]:
        """Return its names with tags, in order, and then those with digests."""
        found = [name for name, its_id in self.names.items() if its_id == image.id]
        return sorted(found, key=lambda name: ("@" in name, name))

    def tags_of(self, image: Image) -> list[str]:
        """Return its names with tags."""
        return [name for name in self.names_of(image) if "@" not in name]

    def digests_of(self, image: Image) -> list[str]:
        """Return its names with digests."""
        return [name for name in self.names_of(image) if "@" in name]

    def children_of(self, image_id: str) -> Iterator[Image]:
        """Yield what was built on an image."""
        return (image for image in self.images.values() if image.parent == image_id)

    def size_of(self, image: Image) -> int:
        """Return the bytes of all its files, those of layers below included."""
        return sum(self.layer(layer).size for layer in image.layers)

    def encoded(self, image_id: str) -> bytes:
        """Return the bytes of an image's document, also of one that only the registry has."""
        return self._document_path(image_id).read_bytes()

    # ---- layers and files ----------------------------------------------------------

    def layer(self, diff_id: str) -> Layer:
        """Return what is known of a layer."""
        if diff_id not in self._layers:
            self._layers[diff_id] = _looked_at(self.layer_path(diff_id))
        return self._layers[diff_id]

    def layer_path(self, diff_id: str) -> Path:
        """Return where a layer lies."""
        return self.folder / "layers" / f"{diff_id.removeprefix('sha256:')}.tar"

    def pack_layer(self, found: list[trees.Entry]) -> str:
        """Make a layer of files; return its hash."""
        with NamedTemporaryFile(dir=self.folder / "layers", delete=False) as file:
            trees.pack(found, file)
            file.seek(0)
            diff_id = f"sha256:{file_digest(file, 'sha256').hexdigest()}"
        Path(file.name).replace(self.layer_path(diff_id))
        return diff_id

    def has_folder(self, layers: tuple[str, ...], path: str) -> bool:
        """Whether one of some layers has a folder of that path."""
        return path in ("", ".") or any(path in self.layer(each).folders for each in layers)

    def files(self, image: Image) -> Path:
        """Return a folder with an image's files. Do not change them."""
        digits = (image.chain[-1] if image.chain else "empty").removeprefix("sha256:")
        folder = self.folder / "files" / digits
        if not folder.is_dir():
            with TemporaryDirectory(dir=self.folder / "files") as new:
                root = Path(new) / "root"
                root.mkdir()
                for layer in image.layers:
                    with tarfile.open(self.layer_path(layer)) as archive:
                        trees.unpack(archive, root)
                root.replace(folder)
        return folder

    def bytes_on_disk(self) -> int:
        """Return how much all layers weigh."""
        return sum(path.stat().st_size for path in (self.folder / "layers").iterdir())

    # ---- changing ------------------------------------------------------------------

    def add(self, content: bytes, parent: str = "") -> Image:
        """Keep an image, by the bytes of its document; one that is kept already stays as it is."""
        image = Image.of(content, parent)
        if image.id not in self.images:
            self._document_path(image.id).write_bytes(content)
            self.images[image.id] = image
            self._write()
        return self.images[image.id]

    def tag(self, image: Image, name: Reference) -> None:
        """Give an image a name, which another one may lose by it."""
        self.names[str(replace(name, tag="") if name.digest else name)] = image.id
        self._write()

    def untag(self, name: str) -> None:
        """Take a name away."""
        del self.names[name]
        self._write()

    def forget(self, image: Image) -> list[str]:
        """Remove an image that has no names; return the ids of layers that no other image has."""
        del self.images[image.id]
        shared = {link for other in self.images.values() for link in other.chain}
        self._sweep(image)
        self._write()
        return [link for link in reversed(image.chain) if link not in shared]

    # ---- the registry --------------------------------------------------------------

    def push(self, name: Reference) -> Manifest:
        """Give an image to what stands in for its registry.

        Raises `ApiError` 404 if there is no image of that name.
        """
        image = self.named(name)
        if image is None:
            message = f"An image does not exist locally with the tag: {name.name}"
            raise ApiError(404, message)
        manifest = registry.manifest_of(image)
        self.registry.take(name, manifest)
        self.names[f"{name.name}@{manifest.digest}"] = image.id
        self._write()
        return manifest

    def pull(self, name: Reference) -> tuple[Image, Manifest]:
        """Get an image from what stands in for its registry, and give it its name.

        Raises `ApiError` where there is none: an engine without a network cannot tell
        more.
        """
        manifest = self.registry.find(name)
        if manifest is not None:
            image = self.images.get(manifest.image) or self.add(self.encoded(manifest.image))
        elif registry.is_base(name) and not name.digest:
            layer = self.pack_layer([trees.Entry(folder) for folder in registry.FOLDERS])
            image = self.add(documents.encoded(registry.base_document(name, layer)))
            manifest = registry.manifest_of(image)
        else:
            raise registry.unreachable(name)
        if self.named(name) is not image:
            self.tag(image, name)
        self.names[f"{name.name}@{manifest.digest}"] = image.id
        self._write()
        return image, manifest

    # ---- the disk ------------------------------------------------------------------

    def _document_path(self, image_id: str) -> Path:
        return self.folder / "images" / f"{image_id.removeprefix('sha256:')}.json"

    def _sweep(self, image: Image) -> None:
        """Delete the files of an image that nothing else needs, nor the registry."""
        kept = self.registry.holds()
        documents_left = [*self.images.values(), *(Image.of(self.encoded(each)) for each in kept)]
        if image.id not in kept:
            self._document_path(image.id).unlink(missing_ok=True)
        used = {layer for other in documents_left for layer in other.layers}
        for layer in image.layers:
            if layer not in used:
                self.layer_path(layer).unlink(missing_ok=True)
                self._layers.pop(layer, None)
        chains = {other.chain[-1:] for other in documents_left}
        if image.chain and image.chain[-1:] not in chains:
            digits = image.chain[-1].removeprefix("sha256:")
            shutil.rmtree(self.folder / "files" / digits, ignore_errors=True)

    def _write(self) -> None:
        index = {
            "parents": {each.id: each.parent for each in self.images.values()},
            "names": self.names,
            "registry": self.registry.manifests,
        }
        new = self.folder / "index.json.new"
        new.write_text(json.dumps(index), encoding="utf-8")
        new.replace(self.folder / "index.json")

    def _read(self) -> None:
        """Take what another engine left in the folder."""
        index_file = self.folder / "index.json"
        if not index_file.exists():
            return
        index = json.loads(index_file.read_text(encoding="utf-8"))
        for image_id, parent in index["parents"].items():
            self.images[image_id] = Image.of(self.encoded(image_id), parent)
        self.names = index["names"]
        self.registry = Registry(index["registry"])


def _looked_at(path: Path) -> Layer:
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    return Layer(sum(it.size for it in members), {it.name for it in members if it.isdir()})
