"""What a client of each version of the Engine API gets, and what it can ask for."""

import json
from functools import reduce
from typing import Any

import pytest

from swarmsim.api import versions
from tests.claims import each_claim
from tests.swarmsim.api.test_services import made, of_container
from tests.swarmsim.raw import Raw, archive_of
from tests.waiting import until

ALL = [f"1.{minor}" for minor in range(24, 53)]


def expected(since: str, before: str) -> dict[str, bool]:
    """Whether a version has a thing: the outermost, and those at which it comes and goes."""
    first, end = ALL.index(since), [*ALL, ""].index(before)
    near = {0, first - 1, first, end - 1, end, len(ALL) - 1}
    return {it: first <= at < end for at, it in enumerate(ALL) if at in near}


def at(value: Any, path: str) -> list[Any]:
    """What is at a path in a value, if it leads anywhere."""
    try:
        for key in path.split("."):
            value = value[int(key) if isinstance(value, list) else key]
    except (KeyError, IndexError):
        return []
    return [value]


@pytest.fixture
def web(raw: Raw) -> str:
    """The container of a service, with a volume, beside two images that are not used.

    One of the images has no name, and neither has the volume.
    """
    made(raw, of_container(Mounts=[{"Type": "volume", "Target": "/v"}]))
    dockerfile = {"Dockerfile": b"FROM busybox\nLABEL a=b\n"}
    assert raw.post("/build", archive_of(dockerfile)).status == 200
    until(lambda: raw.get("/containers/json").json, "a container")
    return str(raw.get("/containers/json").json[0]["Id"])


def shown(raw: Raw, path: str, version: str) -> Any:
    """The first JSON of an answer."""
    return json.loads(raw.get(f"/v{version}{path}").body.splitlines()[0])


@each_claim(__file__, "answers", "path", "field", "since", "before")
def test_an_answer_has_the_fields_of_its_version(raw, web, path, field, since, before):
    path, wanted = path.replace("<web>", web), expected(since, before)
    assert {it: at(shown(raw, path, it), field) != [] for it in wanted} == wanted


@each_claim(__file__, "values", "path", "field", "value", "since", "before")
@pytest.mark.usefixtures("web")
def test_a_field_changes_its_value_with_a_version(raw, path, field, value, since, before):
    wanted = expected(since, before)
    assert {it: at(shown(raw, path, it), field) == [value] for it in wanted} == wanted


@each_claim(__file__, "bodies", "field", "value", "since", "before")
def test_what_an_older_version_does_not_have_is_ignored(raw, field, value, since, before):
    def stored(version: str) -> bool:
        spec = of_container()
        *path, last = field.split(".")
        reduce(lambda it, key: it.setdefault(key, {}), path, spec)[last] = value
        name = raw.post(f"/v{version}/services/create", {**spec, "Name": f"v{version[2:]}"}).json
        return at(raw.get(f"/services/{name['ID']}").json["Spec"], field) != []

    wanted = expected(since, before)
    assert {it: stored(it) for it in wanted} == wanted


@each_claim(__file__, "refused", "version", "words")
def test_other_versions_are_refused_in_dockers_words(raw: Raw, version: str, words: str):
    reply = raw.get(f"/v{version}/services")
    assert (reply.status, reply.message) == (400, words)
    assert reply.headers["Api-Version"] == versions.API_VERSION


def test_a_client_that_names_no_version_gets_the_newest(raw: Raw):
    assert raw.get("/info").json.keys() == raw.get(f"/v{versions.API_VERSION}/info").json.keys()


@each_claim(__file__, "worded", "path", "status", "words", "status_since", "words_since")
def test_a_refusal_is_worded_as_in_its_version(raw, path, status, words, status_since, words_since):
    before, since = (raw.get(f"/v{it}{path}") for it in ("1.41", "1.42"))
    assert (before.status, before.message) == (status, words)
    assert (since.status, since.message) == (status_since, words_since)
