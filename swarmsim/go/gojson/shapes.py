"""Values of the Engine API: JSON read into Go's types, and written again as Go writes it.

Clients may write keys in any case, leave anything out, and add what they like. The engine
answers with the fields of its structs in their order, without zero values where the
declaration says so (`omitempty`). Types are named as in Go; `structs.txt` declares the structs.

    read({"uID": "1", "colour": "red"}, "swarm.ConfigReferenceFileTarget")    # {"UID": "1"}
    write({"UID": "1"}, …)    # {"Name": "", "UID": "1", "GID": "", "Mode": 0}

A value that was read has only the keys that were given, under their Go names; `null` counts
as not given. Wrong types raise `ApiError` 400 with the message of Go's `encoding/json`.

pydantic would need a class a struct, and validators for each of these rules: about twice
the lines, and its errors would not be in the engine's words.
"""

import base64
import binascii
import math
import re
import struct
from pathlib import Path
from typing import Any, NamedTuple

from swarmsim.go.errors import ApiError

#: Where in a body a value is, as Go says it: the innermost struct, and the path to the field.
Place = tuple[str, ...]

_BYTES = "[]uint8"
_MAP = "map[string]"
_GO_WORDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array"}


class Field(NamedTuple):
    """A field of a struct: its name, its Go type, and whether its zero value is left out."""

    name: str
    kind: str
    omitempty: bool


def _declared() -> dict[str, dict[str, Field]]:
    text = Path(__file__).with_name("structs.txt").read_text(encoding="utf-8")
    return {
        name: {
            field.lower(): Field(field, kind, bool(mark))
            for field, mark, kind in re.findall(r"(\w+)(\??)\s+([^\s;]+)", body)
        }
        for name, body in re.findall(r"^(\S+) \{(.*?)\}", text, re.DOTALL | re.MULTILINE)
    }


#: By the name of the struct, and by the field's name in lower case: keys match in any case.
STRUCTS = _declared()
#: Integer types and what they hold.
INTEGERS = {
    **dict.fromkeys(("int", "int64", "time.Duration"), range(-(1 << 63), 1 << 63)),
    **dict.fromkeys(("uint32", "fs.FileMode"), range(1 << 32)),
    "uint64": range(1 << 64),
}
#: Strings, under their own names or others.
TEXTS = {
    re.sub(r"^(\[\]|\*|map\[string\])*", "", field.kind)
    for fields in STRUCTS.values()
    for field in fields.values()
} - {*INTEGERS, *STRUCTS, "bool", "float32", "uint8"}


def read(value: Any, kind: str, place: Place = ()) -> Any:
    """Turn JSON into a value of a Go type; `null` is the zero value."""
    if value is None:
        return zero(kind)
    if kind.startswith("*"):
        return read(value, kind[1:], place)
    if kind in STRUCTS:
        return _read_struct(_typed(dict, value, kind, place), kind, place)
    if kind.startswith(_MAP):
        of = kind.removeprefix(_MAP)
        items = _typed(dict, value, kind, place).items()
        return {key: read(item, of, place) for key, item in items}
    if kind == _BYTES:
        return _decoded(_typed(str, value, kind, place))
    if kind.startswith("[]"):
        return [read(item, kind[2:], place) for item in _typed(list, value, kind, place)]
    if kind in TEXTS:
        return _typed(str, value, kind, place)
    return _typed(bool, value, kind, place) if kind == "bool" else _number(value, kind, place)


def write(value: dict[str, Any], kind: str) -> dict[str, Any]:
    """Turn a value of a struct into what the engine's JSON has."""
    written = {}
    for name, of, omitempty in STRUCTS[kind].values():
        item = value.get(name)
        if not omitempty or not _is_empty(item, of):
            written[name] = _written(item, of)
    return written


def _written(value: Any, kind: str) -> Any:
    if value is None:
        value = zero(kind)
    if value is None:
        return None
    if kind.startswith("*"):
        return _written(value, kind[1:])
    if kind in STRUCTS:
        return write(value, kind)
    if kind.startswith(_MAP):  # Go writes the keys of a map in order
        return {key: _written(value[key], kind.removeprefix(_MAP)) for key in sorted(value)}
    if kind == _BYTES:
        return base64.b64encode(value).decode()
    if kind.startswith("[]"):
        return [_written(item, kind[2:]) for item in value]
    return _shortest32(value) if kind == "float32" else value


def zero(kind: str) -> Any:
    """The value of a field that was not given; pointers, slices and maps are nil."""
    if kind in STRUCTS:
        return {}
    if kind in TEXTS:
        return ""
    if kind == _BYTES:
        return b""
    if kind.startswith(("*", "[]", _MAP)):
        return None
    return False if kind == "bool" else 0


def _read_struct(value: dict[str, Any], kind: str, place: Place) -> dict[str, Any]:
    fields = STRUCTS[kind]
    found = {}
    for key, item in value.items():
        field = fields.get(key.lower())
        if field is not None and item is not None:
            inside = (kind.rpartition(".")[2], *place[1:], field.name)
            found[field.name] = read(item, field.kind, inside)
    return found


def _is_empty(value: Any, kind: str) -> bool:
    """Whether `omitempty` leaves a value out: a zero that is pointed to and a struct stay."""
    return not value and kind not in STRUCTS and (value is None or kind[0] != "*")


def _typed(wanted: type, value: Any, kind: str, place: Place) -> Any:
    if type(value) is not wanted:
        raise _wrong(_GO_WORDS.get(type(value), "object"), kind, place)
    return value


def _wrong(found: str, kind: str, place: Place) -> ApiError:
    where = f"struct field {'.'.join(place)}" if place else "value"
    return ApiError(400, f"json: cannot unmarshal {found} into Go {where} of type {kind}")


def _number(value: Any, kind: str, place: Place) -> int | float:
    """Read a number; Go takes neither 1e3 nor 1.0 for an integer."""
    if type(value) not in {int, float}:
        return _typed(int, value, kind, place)  # type: ignore[no-any-return]
    if kind == "float32":
        try:
            return float(struct.unpack("<f", struct.pack("<f", value))[0])
        except OverflowError:
            raise _wrong(f"number {value}", kind, place) from None
    if type(value) is not int or value not in INTEGERS[kind]:
        raise _wrong(f"number {value}", kind, place)
    return value


def _shortest32(value: float) -> float:
    """The number with the fewest digits that is the same float32, as Go prints it."""
    packed = struct.pack("<f", value)
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    short = next((float(it) for it in texts if struct.pack("<f", float(it)) == packed), value)
    return int(short) if math.isfinite(short) and short == int(short) else short


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True)
    except (binascii.Error, ValueError):
        at = re.match(r"[A-Za-z0-9+/\r\n]*", text).end()  # type: ignore[union-attr]
        raise ApiError(400, f"illegal base64 data at input byte {at}") from None
