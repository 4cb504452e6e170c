"""What stands in for a registry: base images, and what was pushed from this engine. Pure.

There is one, whatever host a name has; it keeps what it was given. It answers for nothing
else: an engine without a network is what the rest of the world looks like from here.
"""

import json
from hashlib import sha256
from typing import Any, NamedTuple

from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference
from swarmsim.images.documents import Image

MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


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
