"""What a client of each version of the Engine API gets, and what it can ask for."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import pytest

from swarmsim.api import versions
from tests.claims import each_claim
from tests.swarmsim.api.test_services import made, of_container
from tests.swarmsim.raw import Raw

ALL = [f"1.{minor}" for minor in range(24, 53)]
#: A version and whether it has a thing, for the first that has it and for those around it.
Seen = dict[str, bool]


def expected(since: str, until: str) -> Seen:
    return {it: ALL.index(since) <= ALL.index(it) < [*ALL, ""].index(until) for it in ALL}


def has(value: Any, path: str) -> bool:
    """Whether a value has a field, wherever its list or dict leads."""
    try:
        reduce(
            lambda it, key: it[int(key) if isinstance(it, list) else key], path.split("."), value
        )
    except (KeyError, IndexError):
        return False
    return True


@pytest.fixture
def web(raw: Raw) -> None:
    made(raw, of_container())
    assert raw.post("/images/create", fromImage="busybox", tag="latest").status == 200


@each_claim(__file__, "answers", "path", "field", "since", "until")
@pytest.mark.usefixtures("web")
def test_an_answer_has_the_fields_of_its_version(
    raw: Raw, path: str, field: str, since: str, until: str
):
    def shown(version: str) -> Any:
        return json.loads(raw.get(f"/v{version}{path}").body.splitlines()[0])

    assert {it: has(shown(it), field) for it in ALL} == expected(since, until)


@each_claim(__file__, "bodies", "field", "value", "since", "until")
def test_what_an_older_version_does_not_have_is_ignored(
    raw: Raw, field: str, value: Any, since: str, until: str
):
    def stored(version: str) -> bool:
        spec = of_container()
        *path, last = field.split(".")
        reduce(lambda it, key: it.setdefault(key, {}), path, spec)[last] = value
        name = raw.post(f"/v{version}/services/create", {**spec, "Name": f"v{version[2:]}"}).json
        return has(raw.get(f"/services/{name['ID']}").json["Spec"], field)

    assert {it: stored(it) for it in ALL} == expected(since, until)


@each_claim(__file__, "refused", "version", "words")
def test_other_versions_are_refused_in_dockers_words(raw: Raw, version: str, words: str):
    reply = raw.get(f"/v{version}/services")

    assert (reply.status, reply.message) == (400, words)
    assert reply.headers["Api-Version"] == versions.API_VERSION


def test_a_client_that_names_no_version_gets_the_newest(raw: Raw):
    assert raw.get("/info").json.keys() == raw.get(f"/v{versions.API_VERSION}/info").json.keys()
