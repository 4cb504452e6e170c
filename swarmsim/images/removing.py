"""Removing images: what a name, an id, or nothing that uses it takes along.

The rules, and the order of what is said, are those of moby's `daemon/images/image_delete.go`
and `image_prune.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference
from swarmsim.images import names
from swarmsim.images.documents import Image
from swarmsim.images.store import Images

#: `{"Untagged": …}` or `{"Deleted": …}`.
Record = dict[str, str]


@dataclass(frozen=True, slots=True)
class User:
    """A container that was made from an image."""

    container_id: str
    running: bool


#: The containers made from an image, by the image's id.
Users = Callable[[str], Iterable[User]]


def remove(
    images: Images, text: str, users: Users, *, force: bool = False, prune: bool = True
) -> list[Record]:
    """Remove a name, or an image with all its names; return what was done.

    With `prune`, the images below it that nothing else is built on go as well. Raises
    `ApiError`: 404, or 409 for what is in use.
    """
    image = images.find(text)
    removal = _Removal(images, users)
    start = names.start_of_id(text)
    if start and image.id.startswith(f"sha256:{start}"):
        removal.by_id(image, force=force, prune=prune)
    else:
        removal.by_name(image, names.parse(text), force=force, prune=prune)
    return removal.records


def remove_unused(
    images: Images, users: Users, wanted: Callable[[Image], bool], *, dangling: bool
) -> list[Record]:
    """Remove what no container uses and nothing is built on: without a name, or also with."""
    removal = _Removal(images, users)
    for image in list(images.images.values()):
        its_names = images.names_of(image)
        if image.id not in images.images or any(images.children_of(image.id)):
            continue
        if wanted(image) and not (dangling and its_names) and not any(users(image.id)):
            removal.delete(image, force=True, prune=True)
    return removal.records


class _Removal:
    """A removal on its way, and what was done so far."""

    def __init__(self, images: Images, users: Users) -> None:
        self._images = images
        self._users = users
        self.records: list[Record] = []

    def by_name(self, image: Image, name: Reference, *, force: bool, prune: bool) -> None:
        """Take a name away; with the last one, the image goes."""
        key = f"{name.name}@{name.digest}" if name.digest else str(name)
        its_names = self._images.names_of(image)
        user = next(iter(self._users(image.id)), None)
        if not force and user and _is_single(its_names):
            raise ApiError(
                409,
                f'conflict: unable to remove repository reference "{key}" (must force) - '
                f"container {user.container_id[:12]} is using its referenced image "
                f"{image.short_id}",
            )
        self._untag(key)
        self._untag_lonely_digests(image, name)
        if self._images.names_of(image) or self._reason(image, soft=not force, names_count=True):
            return  # what is left of it stays, without a word
        self.delete(image, force=force, prune=prune)

    def by_id(self, image: Image, *, force: bool, prune: bool) -> None:
        """Remove an image that was named by its id."""
        its_names = self._images.names_of(image)
        if _is_single(its_names):
            self._refuse_if_needed(image, soft=not force, names_count=False)
            for name in its_names:
                self._untag(name)
        self.delete(image, force=force, prune=prune)

    def delete(self, image: Image, *, force: bool, prune: bool) -> None:
        """Remove an image, and those below it that nothing else needs."""
        self._refuse_if_needed(image, soft=not force, names_count=True)
        while True:
            for name in self._images.names_of(image):
                self._untag(name)
            released = self._images.forget(image)
            self.records += [{"Deleted": each} for each in (image.id, *released)]
            parent = self._images.images.get(image.parent)
            if not prune or parent is None or self._reason(parent, soft=True, names_count=True):
                return
            image = parent

    def _untag(self, name: str) -> None:
        self._images.untag(name)
        self.records.append({"Untagged": name})

    def _untag_lonely_digests(self, image: Image, name: Reference) -> None:
        """A digest goes with the last tag of its repository."""
        rest = self._images.names_of(image)
        if name.digest or any(each.startswith(f"{name.name}:") for each in rest):
            return
        for each in rest:
            if each.startswith(f"{name.name}@"):
                self._untag(each)

    def _refuse_if_needed(self, image: Image, *, soft: bool, names_count: bool) -> None:
        reason = self._reason(image, soft=soft, names_count=names_count)
        if reason:
            raise ApiError(409, f"conflict: unable to delete {image.short_id} {reason}")

    def _reason(self, image: Image, *, soft: bool, names_count: bool) -> str:
        """Why an image has to stay, or `""`; `soft` are the reasons that force overrules."""
        if any(self._images.children_of(image.id)):
            return "(cannot be forced) - image has dependent child images"
        used_by = list(self._users(image.id))
        for user in used_by:
            if user.running:
                return (
                    "(cannot be forced) - image is being used by running container "
                    f"{user.container_id[:12]}"
                )
        if soft and names_count and self._images.names_of(image):
            return "(must be forced) - image is referenced in multiple repositories"
        if soft and used_by:
            return (
                "(must be forced) - image is being used by stopped container "
                f"{used_by[0].container_id[:12]}"
            )
        return ""


def _is_single(its_names: list[str]) -> bool:
    """Whether there is one name only, or one and its digest."""
    if len(its_names) == 2:
        return its_names[0].partition(":")[0] == its_names[1].partition("@")[0]
    return len(its_names) == 1
