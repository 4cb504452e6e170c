"""Removing images: what a name, an id, or nothing that uses it takes along.

The rules, and the order of what is said, are those of moby's `daemon/images/image_delete.go`
and `image_prune.go`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from swarmsim.go import references
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.references import Reference
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
    removal = _Removal(images, users, force=force, prune=prune)
    start = references.start_of_id(text)
    if start and image.id.startswith(f"sha256:{start}"):
        removal.by_id(image)
    else:
        removal.by_name(image, references.read(text))
    return removal.records


def remove_unused(images: Images, users: Users, filters: Filters) -> list[Record]:
    """Remove what no container uses and nothing is built on: without a name, or also with.

    That is for the filter `dangling`; another one is `label`.
    """
    dangling = filters.truth("dangling") is not False
    removal = _Removal(images, users, force=True, prune=True)
    for image in list(images.images.values()):
        its_names = images.names_of(image)
        if image.id not in images.images or any(images.children_of(image.id)):
            continue
        wanted = filters.has_labels("label", image.labels)
        if wanted and not (dangling and its_names) and not any(users(image.id)):
            removal.delete(image)
    return removal.records


class _Removal:
    """A removal on its way, and what was done so far."""

    def __init__(self, images: Images, users: Users, *, force: bool, prune: bool) -> None:
        self._images = images
        self._users = users
        self._force = force
        self._prune = prune
        self.records: list[Record] = []

    def by_name(self, image: Image, name: Reference) -> None:
        """Take a name away; with the last one, the image goes."""
        key = f"{name.name}@{name.digest}" if name.digest else str(name)
        user = next(iter(self._users(image.id)), None)
        if not self._force and user and _is_single(self._images.names_of(image)):
            raise ApiError(
                409,
                f'conflict: unable to remove repository reference "{key}" (must force) - '
                f"container {user.container_id[:12]} is using its referenced image "
                f"{image.short_id}",
            )
        self._untag(key)
        rest = self._images.names_of(image)
        if not name.digest and not any(each.startswith(f"{name.name}:") for each in rest):
            for each in rest:  # a digest goes with the last tag of its repository
                if each.startswith(f"{name.name}@"):
                    self._untag(each)
        if self._images.names_of(image) or self._reason(image, force=self._force):
            return  # what is left of it stays, without a word
        self.delete(image)

    def by_id(self, image: Image) -> None:
        """Remove an image that was named by its id."""
        its_names = self._images.names_of(image)
        if _is_single(its_names):
            self._refuse(image, self._reason(image, force=self._force, names_count=False))
            for name in its_names:
                self._untag(name)
        self.delete(image)

    def delete(self, image: Image) -> None:
        """Remove an image, and those below it that nothing else needs."""
        self._refuse(image, self._reason(image, force=self._force))
        while True:
            for name in self._images.names_of(image):
                self._untag(name)
            released = self._images.forget(image)
            self.records += [{"Deleted": each} for each in (image.id, *released)]
            parent = self._images.images.get(image.parent)
            if not self._prune or parent is None or self._reason(parent, force=False):
                return
            image = parent

    def _untag(self, name: str) -> None:
        self._images.untag(name)
        self.records.append({"Untagged": name})

    def _refuse(self, image: Image, reason: str) -> None:
        if reason:
            raise ApiError(409, f"conflict: unable to delete {image.short_id} {reason}")

    def _reason(self, image: Image, *, force: bool, names_count: bool = True) -> str:
        """Why an image has to stay, or `""`."""
        if any(self._images.children_of(image.id)):
            return "(cannot be forced) - image has dependent child images"
        used_by = sorted(self._users(image.id), key=lambda user: not user.running)
        by = f"container {used_by[0].container_id[:12]}" if used_by else ""
        if used_by and used_by[0].running:
            return f"(cannot be forced) - image is being used by running {by}"
        if force:
            return ""
        if names_count and self._images.names_of(image):
            return "(must be forced) - image is referenced in multiple repositories"
        return f"(must be forced) - image is being used by stopped {by}" if used_by else ""


def _is_single(its_names: list[str]) -> bool:
    """Whether there is one name only, or one and its digest."""
    if len(its_names) == 2:
        return its_names[0].partition(":")[0] == its_names[1].partition("@")[0]
    return len(its_names) == 1
