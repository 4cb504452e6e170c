"""Names of images as an engine reads them, and its words for bad ones. Pure."""

import re
from dataclasses import replace

from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference

_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: What may be the beginning of an image's id.
_ID = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})")


def parse(text: str, tag: str = "", *, status: int = 400) -> Reference:
    """Read a name; `tag`, or a digest in its place, may be given apart. The default is `latest`.

    Raises `ApiError` with the words of github.com/distribution/reference.
    """
    found = Reference.parse(text)
    if found is None:
        lower = Reference.parse(text.lower()) is not None
        why = ": repository name must be lowercase" if lower else ""
        raise ApiError(status, f"invalid reference format{why}")
    if _DIGEST.fullmatch(tag):
        return replace(found, tag="", digest=tag)
    if tag and not _TAG.fullmatch(tag):
        raise ApiError(status, "invalid tag format")
    return replace(found, tag=tag or found.tag or ("" if found.digest else "latest"))


def start_of_id(text: str) -> str:
    """Return the digits if the text may be an id or the beginning of one, else `""`."""
    found = _ID.fullmatch(text)
    return found[1] if found else ""
