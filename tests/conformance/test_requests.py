"""What an engine refuses, with which status and in which words.

The words are those of Docker Engine 20.10, with API 1.41, which the simulated engine takes
after; other engines word some of them differently, and are not asked.
"""

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from swarmsim.api import versions
from swarmsim.go.errors import ApiError, NotAFilter
from tests.conformance.engines import Engine, seconds
from tests.conformance.refusals import CASES, IMAGE, STALE, Case, spec, task

#: Refusals for which a real engine looks for a plugin for fifteen seconds.
SLOW = ("secret: a driver that there is not", "network: a driver that there is not")
#: It takes a lock which those hold, and while it waits for that the engine answers nobody.
JOIN = "swarm: join another"
ENGINES = [pytest.param("real", marks=pytest.mark.engine), "simulated"]


#: What Docker Engine 20.10 refuses in its own way.
GRANTED = {"create: nothing", "create: an impossible image", "get: /distribution/UPPER/json {}"}


@dataclass(frozen=True)
class Subject:
    """What the cases are about: objects on one engine, by the words that stand for them."""

    engine: Engine
    words: dict[str, str]
    #: What was asked for ahead, by case.
    ahead: dict[str, Future[tuple[int, str]]] = field(default_factory=dict)

    def put(self, value: Any) -> Any:
        """Return what a case has, with the names and ids of this engine."""
        if isinstance(value, str):
            for word, name in self.words.items():
                value = value.replace(f"<{word}>", name)
            return value
        if isinstance(value, bytes):
            return self.put(value.decode("latin-1")).encode("latin-1")
        if isinstance(value, dict):
            return {key: self.put(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.put(each) for each in value]
        return value

    def newest(self) -> str:
        """Return the highest version of the API that the engine speaks."""
        return str(self.engine.get("/version")["ApiVersion"])

    def send(self, case: Case) -> tuple[int, str]:
        """Send a case's request, and return the status and the message."""
        answer = self.engine.call(
            case.method,
            self.put(case.path),
            self.put(case.body),
            raw=self.put(case.raw),
            **self.put(case.params),
        )
        if answer.status == 201:  # accepted after all: the next case needs the name
            self.engine.call("DELETE", f"{case.path.removesuffix('/create')}/{self.words['new']}")
        return answer.status, answer.message or str(answer.body or "")


def _reference(kind: str, found: str, name: str) -> dict[str, Any]:
    file = {"Name": "x", "UID": "0", "GID": "0", "Mode": 292}
    return {f"{kind}ID": found, f"{kind}Name": name, "File": file}


def _subject(engine: Engine, exits: ExitStack) -> Subject:
    """Make a service, and another that uses a config, a secret, a network and a port."""
    name = f"q{secrets.token_hex(4)}"
    taken = f"{name}-taken"

    def make(path: str, body: dict[str, Any], key: str = "ID") -> str:
        answer = engine.call("POST", f"/{path}/create", body)
        assert answer.status == 201, answer
        found = str(answer.body[key])
        exits.callback(engine.call, "DELETE", f"/{path}/{found}")
        return found

    data = {"Name": name, "Data": "YQ=="}
    ids = {
        "config": make("configs", data),
        "secret": make("secrets", data),
        "network": make("networks", {"Name": name, "Driver": "overlay"}, "Id"),
        "id": make("services", spec(name)),
    }
    container = {
        "Configs": [_reference("Config", ids["config"], name)],
        "Secrets": [_reference("Secret", ids["secret"], name)],
    }
    template = task(container, Networks=[{"Target": name}])
    port = {"TargetPort": 80, "PublishedPort": 28956, "Protocol": "tcp"}
    uses = spec(taken, TaskTemplate=template, EndpointSpec={"Ports": [port]})
    node = engine.get("/info")["Swarm"]["NodeID"]

    def version(path: str) -> str:
        return str(engine.get(path)["Version"]["Index"])

    return Subject(
        engine,
        {
            **ids,
            "taken-id": make("services", uses),
            "taken": taken,
            "name": name,
            "NAME": name.upper(),
            "new": f"{name}-new",
            "port": "28956",
            "node": node,
            "node-version": version(f"/nodes/{node}"),
            "config-version": version(f"/configs/{ids['config']}"),
            "secret-version": version(f"/secrets/{ids['secret']}"),
            "version": version(f"/services/{ids['id']}"),
        },
    )


@pytest.fixture(scope="module")
def subjects(request: pytest.FixtureRequest) -> Iterator[dict[str, Subject]]:
    """The subject on each engine, made when it is asked for."""

    class Made(dict[str, Subject]):
        def __missing__(self, name: str) -> Subject:
            made = self[name] = _subject(request.getfixturevalue(name), exits)
            for what in (JOIN, *SLOW):
                made.ahead[what] = pool.submit(made.send, CASES[what])
                wait([made.ahead[JOIN]])
            return made

    with ExitStack() as exits, ThreadPoolExecutor() as pool:
        yield Made()


@pytest.fixture
def subject(subjects: dict[str, Subject], engine_name: str) -> Subject:
    return subjects[engine_name]


on_each = pytest.mark.parametrize("engine_name", ENGINES)


@on_each
@pytest.mark.parametrize("what", sorted(CASES, key=lambda what: what in SLOW))
def test_a_refusal_has_its_status_and_its_words(subject: Subject, what: str) -> None:
    case = CASES[what]

    ahead = subject.ahead.get(what)
    status, said = ahead.result() if ahead else subject.send(case)

    kind = NotAFilter if isinstance(case.params.get("filters"), str) else ApiError
    expected = kind(case.status, subject.put(case.says))
    if subject.engine.name == "real" and (newest := subject.newest()) != "1.41":
        if what in GRANTED:
            pytest.skip("engines since 23.0 do not refuse this, or in words of their own")
        expected = versions.refusal(newest, expected)
        if expected.message.startswith(go := "invalid JSON: "):  # what follows is its Go's
            expected.message, said = go, said[: len(go)]
    assert status == expected.status
    assert said == expected.message or (said and not case.says)


@on_each
def test_every_version_up_to_its_own_is_served(subject: Subject) -> None:
    newest = subject.engine.get("/version")["ApiVersion"]
    minors = range(24, int(newest.removeprefix("1.")) + 1)
    answers = [
        subject.engine.call("GET", "/services", api_version=it)
        for it in ["", *(f"1.{minor}" for minor in minors)]
    ]

    assert {(it.status, it.headers["Api-Version"]) for it in answers} == {(200, newest)}


@on_each
def test_a_newer_client_is_told_the_highest_version(subject: Subject) -> None:
    newest = subject.engine.get("/version")["ApiVersion"]
    for version in (f"1.{int(newest.removeprefix('1.')) + 1}", "2.0"):
        answer = subject.engine.call("GET", "/services", api_version=version)

        assert (answer.status, answer.message) == (
            400,
            f"client version {version} is too new. Maximum supported API version is {newest}",
        )


@on_each
def test_an_ancient_client_is_told_the_lowest_version(subject: Subject) -> None:
    answer = subject.engine.call("GET", "/services", api_version="1.1")

    assert answer.status == 400
    assert re.fullmatch(
        r"client version 1\.1 is too old\. Minimum supported API version is 1\.\d+, "
        r"please upgrade your client to a newer version\n?",
        answer.message or answer.body,  # 20.10 answers such a client in plain text
    )


@on_each
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_ping_says_the_version(subject: Subject, method: str) -> None:
    answer = subject.engine.call(method, "/_ping", api_version="")

    assert (answer.status, answer.body) == (200, "OK" if method == "GET" else "")
    newest = subject.engine.get("/version")["ApiVersion"]
    kept = ("Api-Version", "Ostype", "Docker-Experimental", "Cache-Control", "Pragma")
    assert [answer.headers[key] for key in kept] == [
        *(newest, "linux", "false", "no-cache, no-store, must-revalidate", "no-cache")
    ]


@on_each
def test_keys_may_be_written_in_any_case(subject: Subject) -> None:
    """docker-py sends `{"Mode": {"replicated": …}}`."""
    body = {
        "nAME": "<new>",
        "labels": {"MiXed": "Kept"},
        "tasktemplate": {"CONTAINERSPEC": {"image": IMAGE}},
        "Mode": {"replicated": {"replicas": 0}},
        "Nonsense": {"is": "ignored"},
    }
    created = subject.engine.call("POST", "/services/create", subject.put(body))
    assert created.status == 201
    stored = subject.engine.get(f"/services/{created.body['ID']}")["Spec"]
    assert subject.engine.call("DELETE", f"/services/{created.body['ID']}").status == 200

    assert stored == subject.put(
        {
            "Name": "<new>",
            "Labels": {"MiXed": "Kept"},
            "TaskTemplate": {
                "ContainerSpec": {"Image": IMAGE, "Isolation": "default"},
                "ForceUpdate": 0,
                "Runtime": "container",
            },
            "Mode": {"Replicated": {"Replicas": 0}},
        }
    )


@on_each
def test_a_service_without_a_name_is_given_one(subject: Subject) -> None:
    created = subject.engine.call("POST", "/services/create", spec(""))
    assert created.status == 201
    name = subject.engine.get(f"/services/{created.body['ID']}")["Spec"]["Name"]
    assert subject.engine.call("DELETE", f"/services/{created.body['ID']}").status == 200
    assert re.fullmatch(r"[a-z]+_[a-z]+\d?", name)


@on_each
def test_a_service_is_found_by_name_id_and_the_beginning_of_its_id(subject: Subject) -> None:
    service_id, name = subject.words["id"], subject.words["name"]
    asked = [service_id, name, service_id[:12]]

    found = [subject.engine.get(f"/services/{word}")["ID"] for word in asked]
    filtered = [
        subject.engine.get("/services", filters=filters)
        for filters in ({"name": [name + "-t"]}, {"id": {service_id[:9]: True}})
    ]

    assert found == [service_id] * 3
    assert [[each["Spec"]["Name"] for each in services] for services in filtered] == [
        [subject.words["taken"]],
        [name],
    ]


@on_each
def test_lists_are_sorted_by_id(subject: Subject) -> None:
    ids = [service["ID"] for service in subject.engine.get("/services")]
    assert len(ids) >= 2
    assert ids == sorted(ids)


@on_each
def test_status_is_given_when_asked_for(subject: Subject) -> None:
    name = {"name": [subject.words["name"]]}
    plain = subject.engine.get("/services", filters=name)
    asked = subject.engine.get("/services", filters=name, status="true")

    assert all("ServiceStatus" not in service for service in plain)
    assert [service["ServiceStatus"] for service in asked] == [
        {"RunningTasks": 0, "DesiredTasks": 0, "CompletedTasks": 0}
    ] * 2


@on_each
def test_defaults_are_filled_in_when_asked_for(subject: Subject) -> None:
    """A config that was never given is not stored, and not shown without asking."""
    path = f"/services/{subject.words['id']}"
    config = {
        "Parallelism": 1,
        "FailureAction": "pause",
        "Monitor": seconds(5),
        "MaxFailureRatio": 0,
        "Order": "stop-first",
    }

    stored = subject.engine.get(path)["Spec"]
    filled = subject.engine.get(path, insertDefaults="true")["Spec"]

    assert not stored.keys() & {"UpdateConfig", "RollbackConfig", "EndpointSpec"}
    assert filled["UpdateConfig"] == filled["RollbackConfig"] == config
    template = filled["TaskTemplate"]
    assert template["RestartPolicy"] == {"Condition": "any", "Delay": seconds(5), "MaxAttempts": 0}
    assert template["ContainerSpec"]["StopGracePeriod"] == seconds(10)
    assert template["ContainerSpec"]["DNSConfig"] == {}
    assert (template["Resources"], template["Placement"]) == ({}, {})


@on_each
def test_versions_only_grow(subject: Subject) -> None:
    """Every write raises the index that all objects share."""
    path = f"/services/{subject.words['taken-id']}"
    before = subject.engine.get(path)
    body = before["Spec"] | {"Labels": {"a": "b"}}
    version = str(before["Version"]["Index"])
    answer = subject.engine.call("POST", f"{path}/update", body, version=version)
    again = subject.engine.call("POST", f"{path}/update", body, version=version)
    after = subject.engine.get(path)

    assert (answer.status, answer.body) == (200, {"Warnings": None})
    assert (again.status, again.message) == (500, STALE)
    assert after["Version"]["Index"] > before["Version"]["Index"]
    assert after["UpdatedAt"] > before["UpdatedAt"]
    assert after["PreviousSpec"] == before["Spec"]


@on_each
def test_what_no_route_answers_says_nothing_of_the_engine(subject: Subject) -> None:
    assert "Api-Version" not in subject.engine.call("GET", "/nothing").headers
