"""Whatever a client sends as a service spec: it is stored, or refused in Docker's words."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.api.specs import specs, validation
from swarmsim.go import gojson
from swarmsim.go.errors import ApiError
from swarmsim.go.shapes import List, Map, Pointer, Scalar, Shape, Struct, read
from swarmsim.go.structs import SERVICE_SPEC

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "any", "bind", "vip", "host", "pause", "web", "a{{.Task.Slot}}=1", "{{"]),
    st.text(max_size=5),
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner)
)


def fitting(shape: Shape) -> st.SearchStrategy[Any]:
    """JSON that a shape takes, more often than not."""
    if isinstance(shape, Pointer):
        return st.none() | fitting(shape.to)
    if isinstance(shape, List):
        return st.lists(fitting(shape.of), max_size=2)
    if isinstance(shape, Map):
        return st.dictionaries(st.text(max_size=3), fitting(shape.of), max_size=2)
    if isinstance(shape, Struct):
        return st.fixed_dictionaries(
            {}, optional={field.name: fitting(field.shape) for field in shape.fields}
        )
    if isinstance(shape, Scalar) and isinstance(shape.zero, bool):
        return st.booleans()
    if isinstance(shape, Scalar) and isinstance(shape.zero, str):
        return st.sampled_from(["", "any", "bind", "vip", "host", "none", "web", "A=1", "{{.X}}"])
    return st.integers(-2, 2**33)


def stored(text: str) -> dict[str, Any] | None:
    """What the engine makes of a body; `None` if it refuses it."""
    try:
        spec = specs.stored(specs.parse(gojson.loads(text.encode()), (1, 41)))
        validation.check(spec)
    except ApiError as problem:
        refused = problem
    else:
        return spec
    assert refused.message
    assert 400 <= refused.status <= 501
    return None


@settings(max_examples=300)
@given(ANYTHING)
def test_any_json_is_taken_or_refused(value: Any):
    stored(json.dumps(value))


@settings(max_examples=300)
@given(fitting(SERVICE_SPEC))
def test_what_the_engine_shows_it_takes_and_shows_again(value: dict[str, Any]):
    """A client that posts back what it got changes nothing: the next update is none."""
    value["TaskTemplate"] = {"ContainerSpec": {"Image": "web:1"}, **value.get("TaskTemplate", {})}
    first = stored(json.dumps(value))
    if first is not None:
        body = gojson.dumps(first).decode()

        assert stored(body) == first
        assert gojson.dumps(first) == gojson.dumps(stored(body))
        assert specs.with_defaults(first) == specs.with_defaults(specs.with_defaults(first))


@settings(max_examples=200)
@given(
    st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789.eE+-tfnrul\\ax ').map(str.encode)
)
def test_any_bytes_are_json_or_are_not(data: bytes):
    status, message = 200, "taken"
    try:
        json.dumps(gojson.loads(data))
    except ApiError as refused:
        status, message = refused.status, refused.message

    assert status in {200, 400}
    assert message


def test_a_struct_reads_what_it_writes():
    written = SERVICE_SPEC.write({})

    assert read(gojson.loads(gojson.dumps(written)), SERVICE_SPEC).keys() <= written.keys()
