"""What routes ask of a request in the same words, and which object of the engine it means."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from swarmsim.api import versions
from swarmsim.api.http import Call
from swarmsim.go import values
from swarmsim.go.errors import ApiError, rpc
from swarmsim.go.filters import Filters
from swarmsim.go.gojson.shapes import read
from swarmsim.model import Refused

T = TypeVar("T")

_LARGEST_VERSION = 1 << 64
#: The messages for no match, and for several: of a term, a kind, how many, and found by what.
_WORDS = ("{1} {0} not found", "{1} {0} is ambiguous ({2} matches found)")


async def body_of(call: Call, kind: str) -> dict[str, Any]:
    """The body as a struct, without fields that the client's version of the API has not."""
    given = read(await call.json(), kind)
    return dict(versions.fitting(versions.BODIES, kind, call.version, given))


def find(
    objects: Mapping[str, T],
    term: str,
    kind: str,
    name_of: Callable[[T], str],
    words: tuple[str, str] = _WORDS,
    missing: int = 404,
) -> T:
    """The object that is meant; `ApiError` if there is none, or more than one.

    As moby's `daemon/cluster/helpers.go`: the whole id, else the whole name, else the
    beginning of an id.
    """
    if term in objects:
        return objects[term]
    named = [it for it in objects.values() if name_of(it) == term]
    matching = named or [it for id_, it in objects.items() if id_.startswith(term)]
    if len(matching) == 1:
        return matching[0]
    status, sentence = (400, words[1]) if matching else (missing, words[0])
    by = "name" if named else "ID prefix"
    raise ApiError(status, sentence.format(term, kind, len(matching), by))


def filters_of(
    call: Call, *accepted: str, also: Collection[str] = (), status: int = 500
) -> Filters:
    """The `filters` of a list; `ApiError` 400 for a key that is not accepted.

    It is 501 for those that Docker's list has `also`. Most lists answer 500 if it is not JSON.
    """
    filters = Filters.parse(call.query.get("filters", ""), status)
    filters.allow(*accepted, also=also)
    return filters


def go_bool(call: Call, name: str) -> bool:
    """A query parameter as Go's `strconv.ParseBool` reads it; absent is false."""
    value = call.query.get(name, "")
    if value == "":
        return False
    found = values.truth(value)
    if found is None:
        because = f'strconv.ParseBool: parsing "{value}": invalid syntax'
        raise ApiError(400, f"invalid value for {name}: {value}: {because}")
    return found


def version(call: Call, kind: str, *, explained: bool = True) -> int:
    """The `version` of the object that an update is meant for."""
    value = call.query.get("version", "")
    is_number = value.isascii() and value.isdigit()
    if is_number and int(value) < _LARGEST_VERSION:
        return int(value)
    if not explained:
        raise ApiError(400, f"invalid {kind} version")
    why = "value out of range" if is_number else "invalid syntax"
    message = f"invalid {kind} version '{value}': strconv.ParseUint: parsing \"{value}\": {why}"
    raise ApiError(400, message)


def asked(function: Callable[..., T], *arguments: object, **options: object) -> T:
    """Ask the cluster for something; what it refuses is answered in swarmkit's words."""
    try:
        return function(*arguments, **options)
    except Refused as refusal:
        raise rpc(refusal.code, refusal.message) from None
