"""Go types, as far as the Engine API uses them: reading JSON into them, and writing it again.

A client may write keys in any case, leave anything out and add what it likes; the engine
answers with the fields of its structs in their order, zero values left out where their
declaration says so (`omitempty`). A shape does both:

    POINT = Struct("swarm.Point", Field("X", INT), Field("Label", STRING, omitempty=True))
    value = read({"x": Number("1"), "colour": "red"}, POINT)    # {"X": 1}
    POINT.write(value)                                          # {"X": 1}
    POINT.write({})                                             # {"X": 0}

A value that was read has only the keys that were given, under their Go names; `null` counts
as not given. Wrong types raise `ApiError` 400 with the message of Go's `encoding/json`.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from swarmsim.go.errors import ApiError
from swarmsim.go.gojson import Number


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a body a value stands, as Go says it: the innermost struct and the path."""

    struct: str = ""
    path: tuple[str, ...] = ()

    def wrong(self, found: str, wanted: str) -> ApiError:
        """The error for a value of another type."""
        where = "value"
        if self.struct:
            where = f"struct field {self.struct}.{'.'.join(self.path)}"
        return ApiError(400, f"json: cannot unmarshal {found} into Go {where} of type {wanted}")


class Shape(Protocol):
    """A Go type. `name` is what Go's errors call it; `zero` is the value of what is not there."""

    @property
    def name(self) -> str:
        """The type as Go writes it."""

    @property
    def zero(self) -> Any:
        """The value of a field that was not given."""

    def read(self, value: Any, place: Place) -> Any:
        """Turn JSON that is not null into a value."""

    def write(self, value: Any) -> Any:
        """Turn a value into what the engine's JSON has."""

    def is_empty(self, value: Any) -> bool:
        """Whether `omitempty` leaves this value out."""


def read(value: Any, shape: Shape) -> Any:
    """Read a whole body. `null` is the zero value, as in Go."""
    return shape.zero if value is None else shape.read(value, Place())


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, a text or a truth value; `name` may be a type of its own, `swarm.NodeRole`."""

    name: str
    zero: Any
    convert: Callable[[Any], Any]

    def read(self, value: Any, place: Place) -> Any:
        """Convert a value; the number is quoted where it is a number that does not fit."""
        numeric = not isinstance(self.zero, str | bool)
        if isinstance(value, Number) and numeric:
            try:
                return self.convert(value)
            except (ValueError, OverflowError, struct.error):
                raise place.wrong(f"number {value}", self.name) from None
        if isinstance(value, Number) or type(value) is not type(self.zero):
            raise place.wrong(kind_of(value), self.name)
        return value

    def write(self, value: Any) -> Any:
        """Numbers, texts and truth values are themselves."""
        return value

    def is_empty(self, value: Any) -> bool:
        """Zero, nothing, false."""
        return not value


def kind_of(value: Any) -> str:
    """What Go's errors call a JSON value."""
    if isinstance(value, Number):
        return "number"
    return {str: "string", bool: "bool", list: "array", dict: "object"}[type(value)]


def _integer(bits: int, *, signed: bool) -> Callable[[Number], int]:
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = (1 << (bits - 1 if signed else bits)) - 1

    def convert(number: Number) -> int:
        value = int(number)  # Go takes no 1e3 and no 1.0 for an integer, and neither does int
        if not lowest <= value <= highest or (number == "-0" and not signed):
            raise OverflowError(number)
        return value

    return convert


def _float32(number: Number) -> float:
    if math.isinf(float(number)):
        raise OverflowError(number)
    return float(struct.unpack("<f", struct.pack("<f", float(number)))[0])


def shortest32(value: float) -> float:
    """The number with the fewest digits that is the same float32, as Go prints it."""
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == struct.pack("<f", value):
            return short
    return value


@dataclass(frozen=True, slots=True)
class Float32(Scalar):
    """Go's float32: 0.1 is written 0.1, and 1 is written 1."""

    def write(self, value: Any) -> Any:
        """The shortest number that is the same."""
        short = shortest32(value)
        return int(short) if short == int(short) else short


def integer(name: str, bits: int = 64, *, signed: bool = True) -> Scalar:
    """An integer type, under the name that Go's errors give it."""
    return Scalar(name, 0, _integer(bits, signed=signed))


def text(name: str = "string") -> Scalar:
    """A string, or a type of its own that is one."""
    return Scalar(name, "", str)


STRING = text()
BOOL = Scalar("bool", False, bool)
INT = integer("int")
INT32 = integer("int32", 32)
INT64 = integer("int64")
UINT32 = integer("uint32", 32, signed=False)
UINT64 = integer("uint64", signed=False)
DURATION = integer("time.Duration")
FILE_MODE = integer("fs.FileMode", 32, signed=False)
FLOAT32 = Float32("float32", 0.0, _float32)


@dataclass(frozen=True, slots=True)
class Bytes:
    """Go's []byte: base64 in JSON."""

    name: ClassVar[str] = "[]uint8"
    zero: ClassVar[bytes] = b""

    def read(self, value: Any, place: Place) -> bytes:
        """Decode base64; Go's message counts bytes to the first that is none."""
        if not isinstance(value, str) or isinstance(value, Number):
            raise place.wrong(kind_of(value), self.name)
        try:
            return base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
        except (binascii.Error, ValueError):
            at = _first_that_is_no_base64(value)
            raise ApiError(400, f"illegal base64 data at input byte {at}") from None

    def write(self, value: Any) -> str:
        """Encode as base64."""
        return base64.b64encode(value).decode()

    def is_empty(self, value: Any) -> bool:
        """No bytes."""
        return not value


def _first_that_is_no_base64(value: str) -> int:
    """Where Go's `encoding/base64` stops: at a letter, after the padding, or where it ends."""
    letters = 0
    for at, character in enumerate(value):
        if character in "\r\n":
            continue
        if character == "=" and letters % 4 in {2, 3}:
            wanted = 4 - letters % 4
            padding = value[at : at + wanted]
            return at + wanted if padding == "=" * wanted else min(at + 1, len(value))
        if character not in _BASE64:
            return at
        letters += 1
    return len(value) - letters % 4


_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True, slots=True)
class Map:
    """A map with string keys; its keys keep their case."""

    of: Shape

    @property
    def name(self) -> str:
        """As Go writes the type."""
        return f"map[string]{self.of.name}"

    @property
    def zero(self) -> None:
        """A map that is not there is nil."""
        return

    def read(self, value: Any, place: Place) -> dict[str, Any]:
        """Read each value; a null is the zero value."""
        if not isinstance(value, dict):
            raise place.wrong(kind_of(value), self.name)
        return {
            key: self.of.zero if item is None else self.of.read(item, place)
            for key, item in value.items()
        }

    def write(self, value: Any) -> Any:
        """Go writes the keys of a map in order."""
        if value is None:
            return None
        return {key: self.of.write(value[key]) for key in sorted(value)}

    def is_empty(self, value: Any) -> bool:
        """Nil, or no key."""
        return not value


@dataclass(frozen=True, slots=True)
class List:
    """A slice. Elements may be pointers, whose nulls stay."""

    of: Shape

    @property
    def name(self) -> str:
        """As Go writes the type."""
        return f"[]{self.of.name}"

    @property
    def zero(self) -> None:
        """A slice that is not there is nil."""
        return

    def read(self, value: Any, place: Place) -> list[Any]:
        """Read each element; a null is the zero value."""
        if not isinstance(value, list):
            raise place.wrong(kind_of(value), self.name)
        return [self.of.zero if item is None else self.of.read(item, place) for item in value]

    def write(self, value: Any) -> Any:
        """Write each element; nil is null."""
        return None if value is None else [self.of.write(item) for item in value]

    def is_empty(self, value: Any) -> bool:
        """Nil, or no element."""
        return not value


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer: what is not there is null, and an explicit zero is not empty."""

    to: Shape

    @property
    def name(self) -> str:
        """As Go writes the type where it is an element: errors name what is pointed to."""
        return f"*{self.to.name}"

    @property
    def zero(self) -> None:
        """What is not there is nil."""
        return

    def read(self, value: Any, place: Place) -> Any:
        """Read what is pointed to."""
        return self.to.read(value, place)

    def write(self, value: Any) -> Any:
        """Write what is pointed to; nil is null."""
        return None if value is None else self.to.write(value)

    def is_empty(self, value: Any) -> bool:
        """Only nil is."""
        return value is None


class Field:
    """A field of a struct, under the name that its JSON has."""

    __slots__ = ("folded", "name", "omitempty", "shape")

    def __init__(self, name: str, shape: Shape, *, omitempty: bool = False) -> None:
        self.name = name
        self.shape = shape
        self.omitempty = omitempty
        self.folded = name.lower()


class Struct:
    """A struct. Unknown keys are ignored, and the case of known ones does not matter."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.fields = fields
        self._short = name.rpartition(".")[2]
        self._by_key = {field.folded: field for field in fields}

    @property
    def zero(self) -> dict[str, Any]:
        """A struct without anything in it."""
        return {}

    def read(self, value: Any, place: Place) -> dict[str, Any]:
        """Read the fields that are given, under their own names."""
        if not isinstance(value, dict):
            raise place.wrong(kind_of(value), self.name)
        found: dict[str, Any] = {}
        for key, item in value.items():
            field = self._by_key.get(key.lower())
            if field is None or item is None:
                continue
            inside = Place(self._short, (*place.path, field.name))
            found[field.name] = field.shape.read(item, inside)
        return found

    def write(self, value: Any) -> dict[str, Any]:
        """All fields in their order, without those that are empty and may be left out."""
        written = {}
        for field in self.fields:
            item = value.get(field.name)
            item = field.shape.zero if item is None else item
            if field.omitempty and field.shape.is_empty(item):
                continue
            written[field.name] = field.shape.write(item)
        return written

    def is_empty(self, value: Any) -> bool:  # noqa: ARG002  as every shape
        """Never: `omitempty` does nothing for a struct."""
        return False
