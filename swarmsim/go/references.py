"""Image references as the docker command line and an engine read and shorten them. Pure.

`redis` means `docker.io/library/redis:latest`. The command line writes the short form
with the tag into a spec, and leaves the digest out of its tables. The rules and the
grammar are those of github.com/distribution/reference.
"""

import fnmatch
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from swarmsim.go.errors import ApiError

_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_HOST}(?:\.{_HOST})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_PART}(?:/{_PART})*)"
    rf"(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{_DIGEST}))?",
    re.ASCII,
)
_IMAGE_ID = re.compile(r"[a-f0-9]{64}")
#: What may be the beginning of an image's id.
_START_OF_ID = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_DEFAULT_DOMAIN = "docker.io"
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image reference in its parts, all written out: `docker.io`, `library/redis`."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a reference, or return `None` where docker would refuse it.

        The 64 digits of an image's id are no name either.
        """
        domain, path = _split_domain(text)
        found = _REFERENCE.fullmatch(f"{domain}/{path}")
        if _IMAGE_ID.fullmatch(text) or not found or not found["domain"]:
            return None
        if len(f"{found['domain']}/{found['path']}") > _LONGEST_NAME:
            return None
        return cls(**found.groupdict(default=""))

    @property
    def name(self) -> str:
        """The short form, without docker.io."""
        if self.domain != _DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        return self.path.removeprefix("library/") if self.path.count("/") == 1 else self.path

    def __str__(self) -> str:
        """The short form, with the tag and the digest that it has."""
        tag = f":{self.tag}" if self.tag else ""
        return self.name + tag + (f"@{self.digest}" if self.digest else "")


def is_valid(image: str) -> bool:
    """Whether docker takes this text for an image: a reference, or an image's id."""
    return bool(_IMAGE_ID.fullmatch(image)) or Reference.parse(image) is not None


def with_tag(image: str) -> str:
    """Return the short form with a tag or a digest, as docker sends it in a spec.

    Text that is not a reference is returned unchanged.
    """
    found = Reference.parse(image)
    if found is None:
        return image
    return str(found) if found.tag or found.digest else f"{found}:latest"


def read(text: str, tag: str = "", *, status: int = 400) -> Reference:
    """Read a name; `tag`, or a digest in its place, may be given apart. The default is `latest`.

    Raises `ApiError` with the words of github.com/distribution/reference.
    """
    found = Reference.parse(text)
    if found is None:
        lower = Reference.parse(text.lower()) is not None
        why = ": repository name must be lowercase" if lower else ""
        raise ApiError(status, f"invalid reference format{why}")
    if _SHA256.fullmatch(tag):
        return replace(found, tag="", digest=tag)
    if tag and not _TAG.fullmatch(tag):
        raise ApiError(status, "invalid tag format")
    return replace(found, tag=tag or found.tag or ("" if found.digest else "latest"))


def start_of_id(text: str) -> str:
    """Return the digits if the text may be an id or the beginning of one, else `""`."""
    found = _START_OF_ID.fullmatch(text)
    return found[1] if found else ""


@lru_cache(maxsize=256)  # each task of a recording asks, at each of its changes
def without_digest(image: str) -> str:
    """Return `name:tag` for `name:tag@sha256:…`, as docker's tables show it.

    A reference without a tag, or other text, is returned unchanged.
    """
    found = Reference.parse(image)
    return f"{found.name}:{found.tag}" if found and found.tag else image


def _split_domain(text: str) -> tuple[str, str]:
    """Return the registry and the rest, both written out, as docker tells them apart.

    The part before the first slash names a registry if it has a dot, a colon or an
    upper-case letter, or is `localhost`.
    """
    first, slash, rest = text.partition("/")
    names_registry = slash and (
        "." in first or ":" in first or first == "localhost" or first.lower() != first
    )
    domain, path = (first, rest) if names_registry else (_DEFAULT_DOMAIN, text)
    if domain == "index.docker.io":
        domain = _DEFAULT_DOMAIN
    if domain == _DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return domain, path


def is_match(name: str, pattern: str) -> bool:
    """Whether a name or a path is of a pattern, as Go's path.Match: a `*` crosses no slash."""
    wanted, parts = pattern.split("/"), name.split("/")
    return len(wanted) == len(parts) and all(
        fnmatch.fnmatchcase(part, each.replace("[^", "[!"))
        for part, each in zip(parts, wanted, strict=True)
    )
