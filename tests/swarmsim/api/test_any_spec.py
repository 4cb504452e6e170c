"""Whatever a client sends as a service spec: it is stored, or refused in Docker's words."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.api.specs import specs, validation
from swarmsim.go import gojson
from swarmsim.go.errors import ApiError
from swarmsim.go.gojson.shapes import STRUCTS, TEXTS, read, write

SERVICE = "swarm.ServiceSpec"
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


def fitting(kind: str) -> st.SearchStrategy[Any]:
    """JSON that a Go type takes, more often than not."""
    if kind.startswith("*"):
        return st.none() | fitting(kind[1:])
    if kind in STRUCTS:
        fields = STRUCTS[kind].values()
        return st.fixed_dictionaries(
            {}, optional={field.name: fitting(field.kind) for field in fields}
        )
    if kind.startswith("[]"):
        return st.lists(fitting(kind[2:]), max_size=2)
    if kind.startswith("map[string]"):
        value = fitting(kind.removeprefix("map[string]"))
        return st.dictionaries(st.text(max_size=3), value, max_size=2)
    if kind == "bool":
        return st.booleans()
    if kind in TEXTS:
        return st.sampled_from(["", "any", "bind", "vip", "host", "none", "web", "A=1", "{{.X}}"])
    return st.integers(-2, 2**33)


def stored(text: str) -> dict[str, Any] | None:
    """What the engine makes of a body; `None` if it refuses it."""
    try:
        spec = specs.stored(read(gojson.loads(text.encode()), SERVICE))
        validation.check(spec)
    except ApiError as problem:
        refused = problem
    else:
        return spec
    assert refused.message
    assert 400 <= refused.status <= 501
    return None


@given(ANYTHING)
def test_any_json_is_taken_or_refused(value: Any):
    stored(json.dumps(value))


@settings(max_examples=100)
@given(fitting(SERVICE))
def test_what_the_engine_shows_it_takes_and_shows_again(value: dict[str, Any]):
    """A client that posts back what it got changes nothing: the next update is none."""
    value["TaskTemplate"] = {"ContainerSpec": {"Image": "web:1"}, **value.get("TaskTemplate", {})}
    first = stored(json.dumps(value))
    if first is not None:
        body = gojson.dumps(first).decode()

        assert stored(body) == first
        assert gojson.dumps(first) == gojson.dumps(stored(body))
        assert specs.with_defaults(first) == specs.with_defaults(specs.with_defaults(first))


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
    written = write({}, SERVICE)
    assert read(gojson.loads(gojson.dumps(written)), SERVICE).keys() <= written.keys()
