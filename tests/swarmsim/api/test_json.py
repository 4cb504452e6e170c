"""JSON is read as Go's `encoding/json` reads it: what it takes, what it refuses, in its words.

Every message here was given by a Docker Engine 20.10.24 to the same body.
"""

from __future__ import annotations

import pytest

from swarmsim.go import gojson
from swarmsim.go.errors import ApiError
from swarmsim.go.shapes import read
from swarmsim.go.structs import CONFIG_SPEC, SERVICE_SPEC

BROKEN = [
    ("trux", "invalid character 'x' in literal true (expecting 'e')"),
    ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
    ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
    ('{"a" 1}', "invalid character '1' after object key"),
    ("[1 2]", "invalid character '2' after array element"),
    ("[1,]", "invalid character ']' looking for beginning of value"),
    ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
    ("nul", "unexpected EOF"),
    ("{", "unexpected EOF"),
    ("[", "unexpected EOF"),
    ('{"a":1', "unexpected EOF"),
    ('"abc', "unexpected EOF"),
    ('{"a":"é', "unexpected EOF"),
    ("", "got EOF while reading request body"),
    (" \n", "got EOF while reading request body"),
    ("x", "invalid character 'x' looking for beginning of value"),
    ("}", "invalid character '}' looking for beginning of value"),
    ('{"a":é}', "invalid character 'Ã' looking for beginning of value"),
    ('{"a":"b\\q"}', "invalid character 'q' in string escape code"),
    ('{"a":"b\t"}', "invalid character '\\t' in string literal"),
    ('{"a":"u\\u12"}', "invalid character '\"' in \\u hexadecimal character escape"),
    ('{"a":NaN}', "invalid character 'N' looking for beginning of value"),
    ('{"a":-Infinity}', "invalid character 'I' in numeric literal"),
    ('{"a":01}', "invalid character '1' after object key:value pair"),
    ('{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
    ('{"a":1e}', "invalid character '}' in exponent of numeric literal"),
    ('{"a":-}', "invalid character '}' in numeric literal"),
    ('{"a":+1}', "invalid character '+' looking for beginning of value"),
    ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
    ("[" * 100_000, "invalid character '[' exceeded max depth"),
]

WRONG = [
    ('{"Name":5}', "number into Go struct field ServiceSpec.Name of type string"),
    ('{"name":{}}', "object into Go struct field ServiceSpec.Name of type string"),
    ('{"Labels":{"a":1}}', "number into Go struct field ServiceSpec.Labels of type string"),
    ('{"Labels":[]}', "array into Go struct field ServiceSpec.Labels of type map[string]string"),
    ("[]", "array into Go value of type swarm.ServiceSpec"),
    (
        '{"Mode":{"replicated":{"Replicas":-1}}}',
        "number -1 into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64",
    ),
    (
        '{"Mode":{"replicated":{"Replicas":"3"}}}',
        "string into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64",
    ),
    (
        '{"UpdateConfig":{"Delay":1e9}}',
        "number 1e9 into Go struct field UpdateConfig.UpdateConfig.Delay of type time.Duration",
    ),
    (
        '{"UpdateConfig":{"MaxFailureRatio":1e99}}',
        "number 1e99 into Go struct field UpdateConfig.UpdateConfig.MaxFailureRatio"
        " of type float32",
    ),
    (
        '{"TaskTemplate":{"ContainerSpec":{"Env":"a"}}}',
        "string into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Env of type []string",
    ),
    (
        '{"TaskTemplate":{"ContainerSpec":{"Env":[1]}}}',
        "number into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Env of type string",
    ),
    (
        '{"TaskTemplate":{"ContainerSpec":[]}}',
        "array into Go struct field TaskSpec.TaskTemplate.ContainerSpec"
        " of type swarm.ContainerSpec",
    ),
    (
        '{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":1}]}}}',
        "number into Go struct field Mount.TaskTemplate.ContainerSpec.Mounts.Type"
        " of type mount.Type",
    ),
    (
        '{"TaskTemplate":{"ContainerSpec":{"Init":1}}}',
        "number into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Init of type bool",
    ),
    (
        '{"EndpointSpec":{"Ports":[{"TargetPort":99999999999}]}}',
        "number 99999999999 into Go struct field PortConfig.EndpointSpec.Ports.TargetPort"
        " of type uint32",
    ),
    (
        '{"TaskTemplate":{"ContainerSpec":{"Secrets":[{"File":{"Mode":"x"}}]}}}',
        "string into Go struct field"
        " SecretReferenceFileTarget.TaskTemplate.ContainerSpec.Secrets.File.Mode"
        " of type fs.FileMode",
    ),
    (
        '{"TaskTemplate":{"ForceUpdate":18446744073709551616}}',
        "number 18446744073709551616 into Go struct field TaskSpec.TaskTemplate.ForceUpdate"
        " of type uint64",
    ),
]


@pytest.mark.parametrize(("body", "message"), BROKEN)
def test_what_is_no_json_is_refused_in_gos_words(body: str, message: str):
    with pytest.raises(ApiError) as refused:
        gojson.loads(body.encode())

    assert (refused.value.status, refused.value.message) == (400, message)


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_a_value_of_the_wrong_type_is_refused_in_gos_words(body: str, message: str):
    with pytest.raises(ApiError) as refused:
        read(gojson.loads(body.encode()), SERVICE_SPEC)

    assert (refused.value.status, refused.value.message) == (
        400,
        f"json: cannot unmarshal {message}",
    )


def test_what_follows_the_first_value_is_not_looked_at():
    assert gojson.loads(b"{} garbage") == {}


def test_keys_of_structs_match_in_any_case_and_those_of_maps_keep_theirs():
    body = b'{"NAME":"web","labels":{"Aa":"1","aA":"2"},"mode":{"replicated":{"rePlicas":3}}}'

    assert read(gojson.loads(body), SERVICE_SPEC) == {
        "Name": "web",
        "Labels": {"Aa": "1", "aA": "2"},
        "Mode": {"Replicated": {"Replicas": 3}},
    }


def test_unknown_keys_and_nulls_count_as_not_given():
    body = b'{"Name":null,"Colour":"red","TaskTemplate":{"ContainerSpec":null}}'

    assert read(gojson.loads(body), SERVICE_SPEC) == {"TaskTemplate": {}}


@pytest.mark.parametrize(
    ("data", "at"), [("!!", 0), ("aGk", 0), ("aGk=x", 4), ("aGk==", 4), ("aGkx!", 4)]
)
def test_what_is_no_base64_is_refused_with_the_place(data: str, at: int):
    with pytest.raises(ApiError, match=f"illegal base64 data at input byte {at}"):
        read({"Data": data}, CONFIG_SPEC)


def test_json_is_written_with_gos_escapes():
    assert gojson.dumps({"a": "<b>&é"}) == '{"a":"\\u003cb\\u003e\\u0026é"}'.encode()
