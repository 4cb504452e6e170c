"""What an image is: the document whose hash is its id, as Docker writes it. Pure.

github.com/opencontainers/image-spec and moby's `image` package say what is in it.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from swarmsim.go.times import stamp

#: What a config has in any case.
_CONFIG: Mapping[str, Any] = {
    **dict.fromkeys(("Hostname", "Domainname", "User", "Image", "WorkingDir"), ""),
    **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), False),
    **dict.fromkeys(("Tty", "OpenStdin", "StdinOnce"), False),
    **dict.fromkeys(("Env", "Cmd", "Volumes", "Entrypoint", "OnBuild", "Labels"), None),
}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """Return this machine's architecture in Go's word."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def new_config(**changes: Any) -> dict[str, Any]:
    """Return a config as it is before anything was said about it."""
    return {**_CONFIG, **changes}


def new(
    config: Mapping[str, Any],
    layers: tuple[str, ...],
    history: tuple[Mapping[str, Any], ...],
    created: str,
    **more: Any,
) -> dict[str, Any]:
    """Return a document."""
    return {
        "architecture": architecture(),
        "config": dict(config),
        "created": created,
        "history": [dict(each) for each in history],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
        **more,
    }


def event(moment: int, created_by: str, *, empty: bool = True) -> dict[str, Any]:
    """Return a line of a history; `empty` if it brought no layer."""
    found: dict[str, Any] = {"created": stamp(moment)}
    found |= {"created_by": created_by} if created_by else {}
    return found | ({"empty_layer": True} if empty else {})


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return the bytes whose hash is the image's id."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image: its id, its document, and the image that it was built on."""

    id: str
    document: Mapping[str, Any]
    parent: str = ""

    @classmethod
    def of(cls, content: bytes, parent: str = "") -> "Image":
        """Read a document."""
        return cls(f"sha256:{sha256(content).hexdigest()}", json.loads(content), parent)

    @property
    def short_id(self) -> str:
        """The twelve digits that Docker shows."""
        return self.id.removeprefix("sha256:")[:12]

    @property
    def config(self) -> dict[str, Any]:
        """What a container of it gets: Env, Cmd, WorkingDir and so on."""
        return new_config(**self.document["config"])

    @property
    def container_config(self) -> Mapping[str, Any]:
        """The config of the container that the last step was taken in."""
        return self.document.get("container_config") or {}

    @property
    def layers(self) -> tuple[str, ...]:
        """The hashes of its layers, lowest first."""
        return tuple(self.document["rootfs"]["diff_ids"])

    @property
    def history(self) -> list[Mapping[str, Any]]:
        """Its history, oldest first."""
        return list(self.document["history"])

    @property
    def created(self) -> str:
        """When it was made, as it was written."""
        return str(self.document["created"])

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.config.get("Labels") or {}

    @property
    def chain(self) -> tuple[str, ...]:
        """The ids of its layers each on top of those below, which tell what is shared."""
        found: list[str] = []
        for layer in self.layers:
            both = f"{found[-1]} {layer}" if found else layer
            found.append(f"sha256:{sha256(both.encode()).hexdigest()}" if found else layer)
        return tuple(found)
