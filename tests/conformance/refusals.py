"""Requests that an engine refuses: data for `test_requests.py`.

`<name>` stands for a service that is there, `<id>` for its id, `<taken>` for another one that
has the port and uses the config, the secret and the network of the same name; `<new>` is a
name that is free.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.engines import REPOSITORY

IMAGE = f"{REPOSITORY}:print-old"
BAD_REQUEST = "rpc error: code = InvalidArgument desc = "
STALE = "rpc error: code = Unknown desc = update out of sequence"
NOT_ALLOWED = "rpc error: code = Unimplemented desc = "
OF_TYPE = "json: cannot unmarshal {} into Go struct field {} of type {}"


@dataclass(frozen=True)
class Case:
    """A request, and the answer; words that are Go's own for broken JSON are not compared."""

    what: str
    method: str
    path: str
    status: int
    says: str
    body: Any = None
    raw: bytes | None = None
    params: dict[str, Any] = field(default_factory=dict)


def spec(name: str = "<new>", **more: Any) -> dict[str, Any]:
    """Return a service that would start nothing."""
    return {
        "Name": name,
        "TaskTemplate": task(),
        "Mode": {"Replicated": {"Replicas": 0}},
        **more,
    }


def task(container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a task template, with more in its container spec and beside that."""
    return {"ContainerSpec": {"Image": IMAGE, **(container or {})}, **more}


def _create(what: str, status: int, says: str, body: Any = None, **more: Any) -> Case:
    return Case(f"create: {what}", "POST", "/services/create", status, says, body, **more)


def _update(what: str, status: int, says: str, body: Any = None, **more: Any) -> Case:
    params = {"version": "<version>", **more.pop("params", {})}
    path = more.pop("path", "/services/<id>/update")
    return Case(f"update: {what}", "POST", path, status, says, body, params=params, **more)


def _get(path: str, code: int, says: str, /, **params: Any) -> Case:
    named = f"get: {path} {json.dumps(params)}"
    return Case(named, "GET", path, code, says, params=params)


def _config(update: dict[str, Any]) -> dict[str, Any]:
    return spec(UpdateConfig=update)


def _restart(policy: dict[str, Any]) -> dict[str, Any]:
    return spec(TaskTemplate=task(RestartPolicy=policy))


def _ports(*ports: dict[str, Any], mode: str = "vip") -> dict[str, Any]:
    return spec(EndpointSpec={"Mode": mode, "Ports": list(ports)})


RATIO = f"{BAD_REQUEST}TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"
REPLICAS = ("ReplicatedService.Mode.Replicated.Replicas", "uint64")

CREATE = [
    _create("no json", 400, "", raw=b"{"),
    _create("nothing", 400, "got EOF while reading request body", raw=b""),
    _create(
        "a list",
        400,
        "json: cannot unmarshal array into Go value of type swarm.ServiceSpec",
        raw=b"[]",
    ),
    _create(
        "a string",
        400,
        "json: cannot unmarshal string into Go value of type swarm.ServiceSpec",
        raw=b'"x"',
    ),
    _create("null", 400, "mismatched Runtime and *Spec fields", raw=b"null"),
    _create("an empty object", 400, "mismatched Runtime and *Spec fields", {}),
    _create(
        "replicas in words",
        400,
        OF_TYPE.format("string", *REPLICAS),
        spec(Mode={"Replicated": {"Replicas": "2"}}),
    ),
    _create(
        "negative replicas",
        400,
        OF_TYPE.format("number -1", *REPLICAS),
        spec(Mode={"Replicated": {"Replicas": -1}}),
    ),
    _create(
        "a replica and a half",
        400,
        OF_TYPE.format("number 1.5", *REPLICAS),
        spec(Mode={"Replicated": {"Replicas": 1.5}}),
    ),
    _create(
        "a number as name",
        400,
        OF_TYPE.format("number", "ServiceSpec.Name", "string"),
        spec(5),  # type: ignore[arg-type]
    ),
    _create(
        "a list of labels",
        400,
        OF_TYPE.format("array", "ServiceSpec.Labels", "map[string]string"),
        spec(Labels=["a"]),
    ),
    _create(
        "a number as label",
        400,
        OF_TYPE.format("number", "ServiceSpec.Labels", "string"),
        spec(Labels={"a": 1}),
    ),
    _create(
        "a delay as docker-py sends 1e9",
        400,
        OF_TYPE.format("number 1000000000.0", "UpdateConfig.UpdateConfig.Delay", "time.Duration"),
        _config({"Delay": 1e9}),
    ),
    _create(
        "a delay in words",
        400,
        OF_TYPE.format("string", "UpdateConfig.UpdateConfig.Delay", "time.Duration"),
        _config({"Delay": "5s"}),
    ),
    _create(
        "a negative parallelism",
        400,
        OF_TYPE.format("number -1", "UpdateConfig.UpdateConfig.Parallelism", "uint64"),
        _config({"Parallelism": -1}),
    ),
    _create(
        "a name with a blank",
        400,
        f"{BAD_REQUEST}name must be valid as a DNS name component",
        spec("a b"),
    ),
    _create(
        "a name with a dot",
        400,
        f"{BAD_REQUEST}name must be valid as a DNS name component",
        spec("a.b"),
    ),
    _create(
        "a long name", 400, f"{BAD_REQUEST}name must be 63 characters or fewer", spec("a" * 64)
    ),
    _create(
        "a name that there is",
        409,
        "rpc error: code = AlreadyExists desc = name conflicts with an existing object: "
        "service <name> already exists",
        spec("<name>"),
    ),
    _create(
        "the same in capitals",
        409,
        "rpc error: code = AlreadyExists desc = name conflicts with an existing object: "
        "service <NAME> already exists",
        spec("<NAME>"),
    ),
    _create(
        "no image",
        400,
        f"{BAD_REQUEST}ContainerSpec: image reference must be provided",
        spec(TaskTemplate={"ContainerSpec": {}}),
    ),
    _create(
        "an impossible image",
        400,
        f'{BAD_REQUEST}ContainerSpec: "UPPER/x" is not a valid repository/tag',
        spec(TaskTemplate=task({"Image": "UPPER/x"})),
    ),
    _create(
        "no container",
        400,
        "mismatched Runtime and *Spec fields",
        spec(TaskTemplate={}),
    ),
    _create("another runtime", 400, "unsupported runtime", spec(TaskTemplate=task(Runtime="x"))),
    _create(
        "two modes",
        400,
        "must specify only one service mode",
        spec(Mode={"Replicated": {"Replicas": 1}, "Global": {}}),
    ),
    _create(
        "a failure action that is none",
        400,
        "unrecognized update failure action explode",
        _config({"FailureAction": "explode"}),
    ),
    _create(
        "the same for rollbacks",
        400,
        "unrecognized update failure action explode",
        spec(RollbackConfig={"FailureAction": "explode"}),
    ),
    _create(
        "an order that is none",
        400,
        "unrecognized update order sideways",
        _config({"Order": "sideways"}),
    ),
    _create("a ratio above one", 400, RATIO, _config({"MaxFailureRatio": 1.5})),
    _create("a negative ratio", 400, RATIO, _config({"MaxFailureRatio": -1})),
    _create(
        "a negative delay",
        400,
        f"{BAD_REQUEST}TaskSpec: update-delay cannot be negative",
        _config({"Delay": -1}),
    ),
    _create(
        "a negative monitor",
        400,
        f"{BAD_REQUEST}TaskSpec: update-monitor cannot be negative",
        _config({"Monitor": -1}),
    ),
    _create(
        "a restart condition that is none",
        400,
        'invalid RestartCondition: "sometimes"',
        _restart({"Condition": "sometimes"}),
    ),
    _create(
        "a negative restart delay",
        400,
        f"{BAD_REQUEST}TaskSpec: restart-delay cannot be negative",
        _restart({"Delay": -1}),
    ),
    _create(
        "a negative restart window",
        400,
        f"{BAD_REQUEST}TaskSpec: restart-window cannot be negative",
        _restart({"Window": -1}),
    ),
    _create(
        "half a constraint",
        500,
        "rpc error: code = Unknown desc = constraint expected one operator from ==, !=",
        spec(TaskTemplate=task(Placement={"Constraints": ["node.labels.a"]})),
    ),
    _create(
        "a byte of memory",
        400,
        f"{BAD_REQUEST}invalid memory value 1: Must be at least 4MiB",
        spec(TaskTemplate=task(Resources={"Limits": {"MemoryBytes": 1}})),
    ),
    _create(
        "a billionth of a processor",
        400,
        f"{BAD_REQUEST}invalid cpu value 1e-09: Must be at least 0.001",
        spec(TaskTemplate=task(Resources={"Limits": {"NanoCPUs": 1}})),
    ),
    _create(
        "a network that there is not",
        500,
        "network nonet not found",
        spec(TaskTemplate=task(Networks=[{"Target": "nonet"}])),
    ),
    _create(
        "a port of the mesh without an address",
        400,
        f"{BAD_REQUEST}EndpointSpec: port published with ingress mode can't be used with dnsrr "
        "mode",
        _ports({"TargetPort": 80, "PublishedPort": 28955}, mode="dnsrr"),
    ),
    _create(
        "a port twice",
        400,
        f"{BAD_REQUEST}EndpointSpec: duplicate published ports provided",
        _ports(
            {"TargetPort": 80, "PublishedPort": 28955}, {"TargetPort": 81, "PublishedPort": 28955}
        ),
    ),
    _create(
        "a port that another has",
        400,
        f"{BAD_REQUEST}port '<port>' is already in use by service '<taken>' (<taken-id>) "
        "as an ingress port",
        _ports({"TargetPort": 80, "PublishedPort": 28956, "Protocol": "tcp"}),
    ),
    _create("an endpoint mode that is none", 400, 'invalid resolution mode: "x"', _ports(mode="x")),
    _create(
        "a mount that is none",
        400,
        'invalid MountType: "x"',
        spec(TaskTemplate=task({"Mounts": [{"Type": "x", "Target": "/x"}]})),
    ),
    _create(
        "a template with an unknown field",
        400,
        f'{BAD_REQUEST}expanding env failed: expanding env "A={{{{.Nope}}}}": template: '
        'expansion:1:2: executing "expansion" at <.Nope>: can\'t evaluate field Nope in type '
        "*template.Context",
        spec(TaskTemplate=task({"Env": ["A={{.Nope}}"]})),
    ),
    _create(
        "half a template",
        400,
        f'{BAD_REQUEST}expanding env failed: expanding env "A={{{{": template: expansion:1: '
        "unclosed action",
        spec(TaskTemplate=task({"Env": ["A={{"]})),
    ),
    _create(
        "a config that there is not",
        400,
        f"{BAD_REQUEST}config not found: x",
        spec(
            TaskTemplate=task(
                {
                    "Configs": [
                        {
                            "ConfigID": "x",
                            "ConfigName": "x",
                            "File": {"Name": "x", "UID": "0", "GID": "0", "Mode": 292},
                        }
                    ]
                }
            )
        ),
    ),
    _create(
        "a health check every nanosecond",
        400,
        f"{BAD_REQUEST}ContainerSpec: Interval in HealthConfig cannot be less than 1ms",
        spec(TaskTemplate=task({"Healthcheck": {"Test": ["CMD", "x"], "Interval": 1}})),
    ),
]

UPDATE = [
    _update("no json", 400, "", raw=b"{"),
    _update(
        "no version",
        400,
        "invalid service version '': strconv.ParseUint: parsing \"\": invalid syntax",
        spec("<name>"),
        params={"version": ""},
    ),
    _update(
        "a version in words",
        400,
        "invalid service version 'abc': strconv.ParseUint: parsing \"abc\": invalid syntax",
        spec("<name>"),
        params={"version": "abc"},
    ),
    _update(
        "a negative version",
        400,
        "invalid service version '-1': strconv.ParseUint: parsing \"-1\": invalid syntax",
        spec("<name>"),
        params={"version": "-1"},
    ),
    _update("a stale version", 500, STALE, spec("<name>"), params={"version": "1"}),
    _update(
        "a service that there is not",
        404,
        "service nope not found",
        spec("nope"),
        path="/services/nope/update",
    ),
    _update(
        "another mode",
        501,
        f"{NOT_ALLOWED}service mode change is not allowed",
        spec("<name>", Mode={"Global": {}}),
    ),
    _update(
        "another mode before a stale version",
        501,
        f"{NOT_ALLOWED}service mode change is not allowed",
        spec("<name>", Mode={"Global": {}}),
        params={"version": "1"},
    ),
    _update("another name", 501, f"{NOT_ALLOWED}renaming services is not supported", spec()),
    _update(
        "no name, as docker-py has it",
        501,
        f"{NOT_ALLOWED}renaming services is not supported",
        {"TaskTemplate": task(), "Mode": {"Replicated": {"Replicas": 0}}},
    ),
    _update(
        "back to nothing",
        400,
        "rpc error: code = FailedPrecondition desc = service <id> does not have a previous spec",
        spec("<name>"),
        params={"rollback": "previous"},
    ),
    _update(
        "back to what",
        500,
        "unrecognized rollback option sideways",
        spec("<name>"),
        params={"rollback": "sideways"},
    ),
    _update(
        "a network that there is not",
        500,
        "network nonet not found",
        spec("<name>", TaskTemplate=task(Networks=[{"Target": "nonet"}])),
    ),
    _update(
        "no image",
        400,
        f"{BAD_REQUEST}ContainerSpec: image reference must be provided",
        spec("<name>", TaskTemplate={"ContainerSpec": {}}),
    ),
    _update(
        "a ratio above one before a stale version",
        400,
        RATIO,
        spec("<name>", UpdateConfig={"MaxFailureRatio": 2}),
        params={"version": "1"},
    ),
    _update(
        "a port that another has",
        400,
        f"{BAD_REQUEST}port '<port>' is already in use by service '<taken>' (<taken-id>) "
        "as an ingress port",
        spec(
            "<name>",
            EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 28956, "Protocol": "tcp"}]},
        ),
    ),
]

_FILTERS = (
    ("{", ""),
    ("[]", "json: cannot unmarshal array into Go value of type map[string]map[string]bool"),
    ('{"name":"x"}', "json: cannot unmarshal string into Go value of type map[string]bool"),
)
ASK = [
    *(
        _get(path, 400, "Invalid filter 'colour'", filters={"colour": ["red"]})
        for path in ("/services", "/tasks", "/nodes")
    ),
    *(
        _get(path, 404, f"{path.split('/')[1][:-1]} nope not found")
        for path in (
            *("/services/nope", "/tasks/nope", "/nodes/nope", "/configs/nope"),
            *("/secrets/nope", "/networks/nope"),
        )
    ),
    Case("delete: service", "DELETE", "/services/nope", 404, "service nope not found"),
    Case("delete: node", "DELETE", "/nodes/nope", 404, "node nope not found"),
    *(
        _get(path, status, says, filters=filters)
        for path, status in (("/services", 400), ("/tasks", 500), ("/nodes", 500))
        for filters, says in _FILTERS
    ),
    _get(
        "/services",
        400,
        'invalid value for status: x: strconv.ParseBool: parsing "x": invalid syntax',
        status="x",
    ),
    _get("/tasks", 404, "service nope not found", filters={"service": ["nope"]}),
    _get("/tasks", 404, "node nope not found", filters={"node": ["nope"]}),
    _get("/tasks", 500, "Invalid desired-state filter: 'x'", filters={"desired-state": ["x"]}),
    _get("/nodes", 500, "Invalid role filter: 'x'", filters={"role": ["x"]}),
    _get("/nodes", 500, "Invalid membership filter: 'x'", filters={"membership": ["x"]}),
    _get("/services/nope/logs", 404, "service nope not found", stdout="1"),
    _get("/tasks/nope/logs", 404, "task nope not found", stdout="1"),
    _get("/services/<id>/logs", 500, "Bad parameters: you must choose at least one stream"),
    _get(
        "/distribution/UPPER/json",
        400,
        "invalid reference format: repository name must be lowercase",
    ),
    _get("/images/nope:1/json", 404, "no such image: nope:1: No such image: nope:1"),
    Case(
        "tag: image",
        "POST",
        "/images/nope:1/tag",
        404,
        "No such image: nope:1",
        params={"repo": "a", "tag": "b"},
    ),
    Case("delete: image", "DELETE", "/images/nope:1", 404, "No such image: nope:1"),
    _get("/nothing/here", 404, "page not found"),
    Case("method: put", "PUT", "/services", 404, "page not found"),
]

SWARM = [
    Case(
        "node: a stale version",
        "POST",
        "/nodes/<node>/update",
        500,
        STALE,
        {"Role": "manager", "Availability": "active"},
        params={"version": "1"},
    ),
    Case(
        "node: a version in words",
        "POST",
        "/nodes/<node>/update",
        400,
        "invalid node version 'x': strconv.ParseUint: parsing \"x\": invalid syntax",
        {},
        params={"version": "x"},
    ),
    Case(
        "node: a role that is none",
        "POST",
        "/nodes/<node>/update",
        400,
        'invalid Role: "x"',
        {"Role": "x", "Availability": "active"},
        params={"version": "<node-version>"},
    ),
    Case(
        "node: an availability that is none",
        "POST",
        "/nodes/<node>/update",
        400,
        'invalid Availability: "x"',
        {"Role": "manager", "Availability": "x"},
        params={"version": "<node-version>"},
    ),
    Case(
        "node: the last manager",
        "POST",
        "/nodes/<node>/update",
        400,
        "rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the "
        "swarm",
        {"Role": "worker", "Availability": "active"},
        params={"version": "<node-version>"},
    ),
    Case(
        "node: remove a manager",
        "DELETE",
        "/nodes/<node>",
        400,
        "rpc error: code = FailedPrecondition desc = node <node> is a cluster manager and is a "
        "member of the raft cluster. It must be demoted to worker before removal",
    ),
    Case(
        "swarm: init again",
        "POST",
        "/swarm/init",
        503,
        'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and '
        "join another one.",
        {"ListenAddr": "0.0.0.0:2377"},
    ),
    Case(
        "swarm: join another",
        "POST",
        "/swarm/join",
        503,
        'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and '
        "join another one.",
        {"RemoteAddrs": ["127.0.0.1:1"], "JoinToken": "x"},
    ),
    Case(
        "swarm: leave",
        "POST",
        "/swarm/leave",
        503,
        "You are attempting to leave the swarm on a node that is participating as a manager. "
        "Removing the last manager erases all current state of the swarm. Use `--force` to ignore "
        "this message. ",
    ),
    Case(
        "swarm: update without a version",
        "POST",
        "/swarm/update",
        400,
        "invalid swarm version '': strconv.ParseUint: parsing \"\": invalid syntax",
        {},
    ),
    *(
        Case(f"{kind}: {what}", "POST", f"/{kind}s/create", status, says.format(kind), body)
        for kind, most in (("config", 1024000), ("secret", 512000))
        for what, status, says, body in (
            ("no name", 400, f"{BAD_REQUEST}name must be provided", {"Data": "YQ=="}),
            (
                "data that is not base64",
                400,
                "illegal base64 data at input byte 0",
                {"Name": "<new>", "Data": "!!"},
            ),
            (
                "no data",
                400,
                f"{BAD_REQUEST}{{}} data must be larger than 0 and less than {most} bytes",
                {"Name": "<new>"},
            ),
            (
                "a name that there is",
                409,
                "rpc error: code = AlreadyExists desc = {} <name> already exists",
                {"Name": "<name>", "Data": "YQ=="},
            ),
        )
    ),
    *(
        Case(
            f"{kind}: other data",
            "POST",
            f"/{kind}s/<{kind}>/update",
            400,
            f"{BAD_REQUEST}only updates to Labels are allowed",
            {"Name": "<name>", "Data": "Yg=="},
            params={"version": f"<{kind}-version>"},
        )
        for kind in ("config", "secret")
    ),
    *(
        Case(
            f"{kind}: in use",
            "DELETE",
            f"/{kind}s/<{kind}>",
            400,
            f"{BAD_REQUEST}{kind} '<name>' is in use by the following service: <taken>",
        )
        for kind in ("config", "secret")
    ),
    *(
        Case(
            f"secret: {what}",
            "POST",
            "/secrets/create",
            status,
            f"rpc error: code = {says}",
            {"Name": "<new>", "Driver": driver},
        )
        for what, status, says, driver in (
            (
                "a driver that there is not",
                500,
                'Unknown desc = plugin "nope" not found',
                {"Name": "nope"},
            ),
            (
                "a driver without a name",
                400,
                "InvalidArgument desc = secret driver must have a name",
                {},
            ),
        )
    ),
    Case(
        "network: in use",
        "DELETE",
        "/networks/<network>",
        400,
        "rpc error: code = FailedPrecondition desc = network <network> is in use by service "
        "<taken-id>",
    ),
    Case(
        "network: a name that there is",
        "POST",
        "/networks/create",
        409,
        "network with name <name> already exists",
        {"Name": "<name>", "Driver": "overlay", "CheckDuplicate": True},
    ),
    Case(
        "network: a driver that there is not",
        "POST",
        "/networks/create",
        404,
        'plugin "nope" not found',
        {"Name": "<new>", "Driver": "nope"},
    ),
]

CASES = {case.what: case for case in (*CREATE, *UPDATE, *ASK, *SWARM)}
assert len(CASES) == len([*CREATE, *UPDATE, *ASK, *SWARM])
