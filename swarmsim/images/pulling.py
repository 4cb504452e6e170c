"""Pulling an image, as the stream of what the engine says; and what such a stream is."""

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

from swarmsim.go.references import Reference
from swarmsim.images.registry import is_base
from swarmsim.images.store import Images

#: A message of what an engine says while it works.
Message = dict[str, Any]
T = TypeVar("T")
#: Messages, and what comes of it in the end.
Saying = Generator[Message, None, T]


#: What begins a line that no Docker engine writes.
ENGINE = "swarmsim simulated engine"


def failure(text: str) -> Message:
    """The last message of what has failed."""
    return {"errorDetail": {"message": text}, "error": text}


def pulled(images: Images, name: Reference) -> Iterator[Message]:
    """Pull an image, and yield what the engine says. Raises `ApiError`."""
    before = images.named(name)
    image, manifest = images.pull(name)
    yield {"status": f"Pulling from {name.path}", "id": name.tag or name.digest}
    whence = "it comes from the registry inside of the engine"
    if is_base(name):
        whence = "this machine's own programs stand in for it"
    yield {"status": f"{ENGINE}: {whence}"}
    if before is not image:
        layers = [layer.removeprefix("sha256:")[:12] for layer in image.layers]
        for status in ("Pulling fs layer", "Download complete", "Pull complete"):
            for layer in layers:
                yield {"status": status, "progressDetail": {}, "id": layer}
    yield {"status": f"Digest: {manifest.digest}"}
    what = "Image is up to date for" if before is image else "Downloaded newer image for"
    yield {"status": f"Status: {what} {name}"}
