"""What a body must be, and what becomes of it: as with Go's `encoding/json`, in its words.

Every message about a type was given by a Docker Engine 20.10.24 to the same body.
"""

import pytest

from swarmsim.go import gojson
from swarmsim.go.errors import ApiError
from swarmsim.go.gojson.shapes import read, write
from tests.claims import each_claim

BROKEN = [
    *("trux", "{a:1}", '{"a":1,}', '{"a" 1}', "[1 2]", "nul", "{", '"abc', "{} more"),
    *('{"a":NaN}', '{"a":-Infinity}', '{"a":01}', "{'a':1}", "[" * 100_000, "\xff\xfe{"),
]
SERVICE = "swarm.ServiceSpec"


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_no_json_is_refused(body: str):
    with pytest.raises(ApiError, match="invalid JSON: ") as refused:
        gojson.loads(body.encode("latin-1"))
    assert refused.value.status == 400


@each_claim(__file__, "wrong", "body", "found", "field")
def test_a_value_of_the_wrong_type_is_refused_in_gos_words(body: str, found: str, field: str):
    with pytest.raises(ApiError) as refused:
        read(gojson.loads(body), SERVICE)
    message = f"json: cannot unmarshal {found} into Go struct field {field}"
    assert (refused.value.status, refused.value.message) == (400, message)


def test_unknown_keys_and_nulls_count_as_not_given():
    body = b'{"Name":null,"Colour":"red","TaskTemplate":{"ContainerSpec":null}}'
    assert read(gojson.loads(body), SERVICE) == {"TaskTemplate": {}}


@pytest.mark.parametrize(("data", "at"), [("!!", 0), ("aGkx!", 4)])
def test_what_is_no_base64_is_refused_with_the_place(data: str, at: int):
    with pytest.raises(ApiError, match=f"illegal base64 data at input byte {at}"):
        read({"Data": data}, "swarm.ConfigSpec")


@pytest.mark.parametrize(
    ("ratio", "shown"), [(0.1, 0.1), (1, 1), (0.123456789, 0.12345679), (0, 0), (0.25, 0.25)]
)
def test_a_ratio_is_written_as_the_shortest_of_its_32_bits(ratio: float, shown: float):
    kept = read({"MaxFailureRatio": ratio}, "swarm.UpdateConfig")
    assert gojson.dumps(write(kept, "swarm.UpdateConfig")["MaxFailureRatio"]) == str(shown).encode()


def test_json_is_written_with_gos_escapes():
    assert gojson.dumps({"a": "<b>&é"}) == '{"a":"\\u003cb\\u003e\\u0026é"}'.encode()
