"""Images as the Engine API shows them, and which of them a filter means."""

from datetime import datetime
from typing import Any

from swarmsim.go import references
from swarmsim.go.filters import Filters
from swarmsim.go.references import is_match
from swarmsim.go.times import NEVER
from swarmsim.images import registry
from swarmsim.images.documents import Image
from swarmsim.images.store import Images

_FILTERS = ("dangling", "label", "reference")


def inspected(images: Images, image: Image) -> dict[str, Any]:
    """Return an image as `GET /images/{name}/json` has it."""
    document = image.document
    size = images.size_of(image)
    return {
        "Id": image.id,
        "RepoTags": images.tags_of(image),
        "RepoDigests": images.digests_of(image),
        "Parent": image.parent,
        "Comment": document.get("comment") or "",
        "Created": image.created,
        "Container": document.get("container") or "",
        "ContainerConfig": document.get("container_config") or {},
        "DockerVersion": document.get("docker_version") or "",
        "Author": document.get("author") or "",
        "Config": image.config,
        "Architecture": document.get("architecture") or "",
        "Os": document.get("os") or "",
        "Size": size,
        "VirtualSize": size,
        "GraphDriver": {"Data": None, "Name": "swarmsim"},
        "RootFS": {"Type": "layers", "Layers": list(image.layers)},
        "Metadata": {"LastTagTime": NEVER},  # which is not kept
    }


def listed(images: Images, filters: Filters, *, everything: bool = False) -> list[dict[str, Any]]:
    """Return the images that filters mean, newest first; `everything` also what is between.

    Raises `ApiError` for a filter that Docker does not know.
    """
    filters.allow(*_FILTERS, also=("before", "since", "until"))
    only_dangling = filters.truth("dangling")
    patterns = filters.get("reference")
    found = []
    for image in images.images.values():
        its_names = images.names_of(image)
        between = not its_names and any(images.children_of(image.id))
        if (between and not everything) or not filters.has_labels("label", image.labels):
            continue
        shown = [name for name in its_names if _matches(name, patterns)] if patterns else its_names
        dangling = not shown and not patterns
        if (shown or dangling) and only_dangling in (None, dangling):
            found.append(_row(images, image, shown))
    return sorted(found, key=lambda row: int(row["Created"]), reverse=True)


def history(images: Images, image: Image) -> list[dict[str, Any]]:
    """Return an image's history, newest first, with the ids of the steps that are here."""
    layers = iter(image.layers)
    rows = []
    for each in image.history:
        size = 0 if each.get("empty_layer") else images.layer(next(layers)).size
        rows.append(
            {
                "Comment": each.get("comment") or "",
                "Created": _seconds(each["created"]),
                "CreatedBy": each.get("created_by") or "",
                "Id": "<missing>",
                "Size": size,
                "Tags": None,
            }
        )
    rows.reverse()
    step: Image | None = image
    for row in rows:
        if step is None:
            break
        row["Id"], row["Tags"] = step.id, images.tags_of(step) or None
        step = images.images.get(step.parent)
    return rows


def distribution(images: Images, text: str) -> dict[str, Any]:
    """Return what the registry says of a name. Raises `ApiError` if it was not pushed."""
    name = references.read(text)
    manifest = images.registry.find(name)
    if manifest is None:
        raise registry.unreachable(name)
    document = Image.of(images.encoded(manifest.image)).document
    return {
        "Descriptor": {
            "mediaType": registry.MEDIA_TYPE,
            "digest": manifest.digest,
            "size": manifest.size,
        },
        "Platforms": [{"architecture": document["architecture"], "os": document["os"]}],
    }


def _row(images: Images, image: Image, shown: list[str]) -> dict[str, Any]:
    size = images.size_of(image)
    tags = [name for name in shown if "@" not in name]
    digests = [name for name in shown if "@" in name]
    if not shown:
        tags, digests = ["<none>:<none>"], ["<none>@<none>"]
    return {
        "Created": _seconds(image.created),
        "Id": image.id,
        "Labels": dict(image.labels) or None,
        "ParentId": image.parent,
        "RepoDigests": digests or None,
        "RepoTags": tags or None,
        "SharedSize": -1,
        "Size": size,
        "VirtualSize": size,
    }


def _matches(name: str, patterns: list[str]) -> bool:
    """Whether a name is of one of the patterns: `repository`, `repository:tag`, with `*`."""
    repository = name.partition("@")[0] if "@" in name else name.rpartition(":")[0]
    return any(is_match(name, pattern) or is_match(repository, pattern) for pattern in patterns)


def _seconds(created: str) -> int:
    return int(datetime.fromisoformat(created[:19] + "+00:00").timestamp())
