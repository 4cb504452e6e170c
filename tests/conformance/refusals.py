"""Requests that an engine refuses, for `test_requests.py`: what is in `refusals.yaml`.

There `spec`, `task` and `container` are what is in a service that would start nothing, in its
task template and in its container spec, in place of what they have. `<name>` stands for a
service that is there, `<id>` for its id, `<taken>` for another one that has the port and uses
the config, the secret and the network of the same name; `<new>` is a name that is free.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.claims import claims
from tests.conformance.engines import REPOSITORY

IMAGE = f"{REPOSITORY}:print-old"
STALE = "rpc error: code = Unknown desc = update out of sequence"
_RPC = "rpc error: code ="
_WORDS = {"{invalid}": f"{_RPC} InvalidArgument desc =", "{rpc}": _RPC, "{repository}": REPOSITORY}
#: What a case has that does not say otherwise, and the name of its service.
_CREATE = {"method": "POST", "path": "/services/create"}, "<new>"
_UPDATE = {"method": "POST", "path": "/services/<id>/update"}, "<name>"
_GROUPS = {"create": _CREATE, "update": _UPDATE, "get": ({"method": "GET"}, "")}


@dataclass(frozen=True)
class Case:
    """A request, and the answer; words that are Go's own for broken JSON are not compared."""

    method: str
    path: str
    status: int = 400
    says: str = ""
    body: Any = None
    raw: bytes | None = None
    params: dict[str, Any] = field(default_factory=dict)


def spec(name: str = "<new>", **more: Any) -> dict[str, Any]:
    """Return a service that would start nothing."""
    return {"Name": name, "TaskTemplate": task(), "Mode": {"Replicated": {"Replicas": 0}}, **more}


def task(container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a task template, with more in its container spec and beside that."""
    return {"ContainerSpec": {"Image": IMAGE, **(container or {})}, **more}


def _case(group: str, given: dict[str, Any]) -> Case:
    defaults, name = _GROUPS.get(group, ({}, "<new>"))
    parts = [given.pop(part, None) for part in ("spec", "task", "container")]
    if any(part is not None for part in parts):
        of_spec, of_task, of_container = (part or {} for part in parts)
        given["body"] = {**spec(name), "TaskTemplate": task(of_container, **of_task), **of_spec}
    if "raw" in given:
        given["raw"] = given["raw"].encode()
    if group == "update":
        given["params"] = {"version": "<version>", **given.get("params", {})}
    for word, words in _WORDS.items():
        given["says"] = given.get("says", "").replace(word, words)
    return Case(**{**defaults, **given})


CASES = {
    f"{group}: {what}": _case(group, dict(given))
    for group, cases in claims(__file__).items()
    for what, given in cases.items()
}
