"""What stands in for a registry: base images, and what was pushed from this engine. Pure.

There is one, whatever host a name has; it keeps what it was given. It answers for nothing
else: an engine without a network is what the rest of the world looks like from here.

A base image has no programs: a task of it runs the programs of this machine, Python this
very one. Any tag will do, so that `python:3.13-alpine` is whatever Python runs the engine;
its history says so. All else that was not built or pushed here does not exist.
"""

import json
import platform
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference
from swarmsim.images import documents
from swarmsim.images.documents import Image

_DATA = json.loads(Path(__file__).with_name("bases.json").read_text(encoding="utf-8"))
#: By name: the variables and the command that Docker's image of that name has.
_BASES: dict[str, dict[str, list[str]]] = _DATA["images"]
#: What every system has; without files, so that `COPY x /usr/bin` knows a folder.
FOLDERS: tuple[str, ...] = tuple(_DATA["folders"])
#: The same on every machine and at every time, so that the same name has the same id.
_CREATED = "2026-01-01T00:00:00Z"
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def is_base(name: Reference) -> bool:
    """Whether this machine stands in for an image of that name."""
    return name.name in _BASES


def base_document(name: Reference, layer: str) -> dict[str, Any]:
    """Return the document of a base image on the one layer that all of them have."""
    base = _BASES[name.name]
    stand_in = f"stands in for {name}: the programs of this machine"
    if name.name.endswith("python"):
        stand_in += f", Python {platform.python_version()}"
    return documents.new(
        documents.new_config(Env=[documents.PATH, *base["Env"]], Cmd=list(base["Cmd"])),
        (layer,),
        ({"created": _CREATED, "comment": stand_in},),
        _CREATED,
        comment=stand_in,
    )


class Manifest(NamedTuple):
    """What a registry gives for a name: of which image, under which digest."""

    image: str
    digest: str
    size: int


def manifest_of(image: Image) -> Manifest:
    """Return the manifest under which an image is pushed. The same image has the same digest."""
    manifest = {"mediaType": MEDIA_TYPE, "config": image.id, "layers": image.layers}
    content = json.dumps(manifest).encode()
    return Manifest(image.id, f"sha256:{sha256(content).hexdigest()}", len(content))


class Registry:
    """What was pushed."""

    def __init__(self, kept: dict[str, dict[str, list[Any]]] | None = None) -> None:
        #: By repository written out, and by tag or digest. JSON has lists for manifests.
        self.manifests = {
            repository: {key: Manifest(*value) for key, value in found.items()}
            for repository, found in (kept or {}).items()
        }

    def take(self, name: Reference, manifest: Manifest) -> None:
        """Keep what is pushed under a name."""
        entries = self.manifests.setdefault(f"{name.domain}/{name.path}", {})
        entries[name.tag] = entries[manifest.digest] = manifest

    def find(self, name: Reference) -> Manifest | None:
        """What a name, or name and digest, leads to."""
        known = self.manifests.get(f"{name.domain}/{name.path}", {})
        return known.get(name.digest or name.tag)

    def holds(self) -> set[str]:
        """The ids of the images that were pushed, which are kept even if they are removed."""
        return {found.image for entries in self.manifests.values() for found in entries.values()}


def unreachable(name: Reference) -> ApiError:
    """What an engine without a network says when it asks a registry for a name."""
    host = name.domain
    if host.partition(":")[0] in ("localhost", "127.0.0.1"):
        port = host.partition(":")[2] or "80"
        refused = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
        return ApiError(500, f'Get "http://{host}/v2/": {refused}')
    host = "registry-1.docker.io" if host == "docker.io" else host
    return ApiError(500, no_such_host(f"https://{host}/v2/", host))


def no_such_host(url: str, host: str) -> str:
    """What Go says about a host name that cannot be resolved."""
    return f'Get "{url}": dial tcp: lookup {host.partition(":")[0]}: no such host'
