"""What can be followed: events and logs, as they happen and as they were."""

import json
import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import docker
import pytest

from tests.claims import each_claim
from tests.swarmsim.api.test_services import made, of_container, running, spec, update
from tests.swarmsim.raw import Raw
from tests.waiting import until


def followed(client: docker.DockerClient, target: str) -> Iterator[bytes]:
    """The lines of logs, as they come."""
    api: Any = client.api
    return api._multiplexed_response_stream_helper(api._get(api._url(target), stream=True))


def messages(raw: Raw, **filters: Any) -> list[dict[str, Any]]:
    """All messages until now."""
    body = raw.get("/events", since="0", until="1", filters=filters).body
    until_now = raw.get("/info").headers["Labkit-Time"]
    assert body == b"", "nothing was before the first second of 1970"
    body = raw.get("/events", since="0", until=str(seconds(until_now)), filters=filters).body
    return [json.loads(line) for line in body.splitlines()]


def seconds(stamp: str) -> str:
    return str(datetime.fromisoformat(stamp).timestamp())


# ---- events --------------------------------------------------------------------------


def test_ports_that_are_given_out_are_another_update(raw: Raw):
    made(raw, spec(EndpointSpec={"Ports": [{"TargetPort": 80}]}))

    def actions() -> list[str]:
        return [it["Action"] for it in messages(raw, service=["web"], type=["service"])]

    until(lambda: actions() == ["create", "update"], "both events")


def test_a_container_is_created_started_killed_dies_stops_and_is_destroyed(raw: Raw):
    made(raw, of_container(Labels={"mine": "1"}))
    until(lambda: running(raw, "web") == 1, "a task that runs")
    raw.delete("/services/web")
    until(lambda: raw.get("/tasks").json == [], "no task")

    news = messages(raw, type=["container"])

    assert [it["Action"] for it in news] == ["create", "start", "kill", "stop", "die", "destroy"]
    attributes = [it["Actor"]["Attributes"] for it in news]
    assert attributes[2]["signal"] == "15"
    assert attributes[4]["exitCode"] == "0"
    first = attributes[0]
    assert first["name"] == f"web.1.{first['com.docker.swarm.task.id']}"
    assert (first["image"], first["mine"]) == ("acts/web:1.0", "1")


@each_claim(__file__, "filters", "filters", "found")
def test_filters_of_events(raw: Raw, filters: dict[str, Any], found: list[str]):
    raw.post("/configs/create", {"Name": "c1", "Data": "aGk="})
    raw.delete("/configs/c1")
    assert [it["Action"] for it in messages(raw, **filters) if it["Type"] != "node"] == found


def test_the_last_256_events_are_kept(raw: Raw):
    for number in range(140):
        raw.post("/configs/create", {"Name": f"c{number}", "Data": "aGk="})
        raw.delete(f"/configs/c{number}")
    news = messages(raw)
    assert len(news) == 256
    assert news[-1]["Actor"]["Attributes"] == {"name": "c139"}


def test_a_stream_with_an_end_in_the_future_ends_then(engine, client, raw):
    now = engine.now // 10**9
    news = client.events(decode=True, since=now, until=now + 20)
    raw.post("/configs/create", {"Name": "c", "Data": "aGk="})
    assert [it["Action"] for it in news if it["Type"] == "config"] == ["create"]
    assert engine.now >= (now + 20) * 10**9


# ---- logs ----------------------------------------------------------------------------


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """The lines of a multiplexed stream with the number of theirs."""
    found = []
    while body:
        number, size = struct.unpack(">BxxxI", body[:8])
        found.append((number, body[8 : 8 + size]))
        body = body[8 + size :]
    return found


@pytest.fixture
def two(raw: Raw) -> Raw:
    """An engine with a service of two tasks, both of which have written two lines."""
    made(raw, spec(Mode={"Replicated": {"Replicas": 2}}))
    until(lambda: running(raw, "web") == 2, "two that run")
    return raw


def test_details_say_which_task_wrote_a_line_and_timestamps_when(two: Raw):
    task = two.get("/tasks", filters={"name": ["web.1"]}).json[0]
    target = f"/tasks/{task['ID']}/logs"
    reply = two.get(target, stdout="1", details="1", timestamps="true")
    [(number, line)] = frames(reply.body)
    stamp, details, text = line.split(b" ", 2)

    assert (number, text) == (1, b"hello from 1\n")
    assert (len(stamp), stamp[-1:]) == (30, b"Z")
    assert details.decode() == ",".join(
        f"com.docker.swarm.{what}.id={task[key]}"
        for what, key in (("node", "NodeID"), ("service", "ServiceID"), ("task", "ID"))
    )


@pytest.mark.parametrize(("tail", "count"), [("0", 0), ("1", 2), ("2", 4), ("all", 4), ("", 4)])
def test_tail_counts_the_lines_of_each_task(two: Raw, tail: str, count: int):
    reply = two.get("/services/web/logs", stdout="1", stderr="1", tail=tail)
    assert len(frames(reply.body)) == count


def test_since_leaves_out_what_was_before(two: Raw):
    now = seconds(two.get("/info").headers["Labkit-Time"])
    assert two.get("/services/web/logs", stdout="1", since=now).body == b""
    assert frames(two.get("/services/web/logs", stdout="1", since="1").body) != []


@each_claim(__file__, "no_logs", "path", "status", "message")
def test_logs_that_cannot_be_had(two: Raw, path: str, status: int, message: str):
    reply = two.send("GET", path)
    assert (reply.status, reply.message) == (status, message)


def test_a_service_is_followed_into_the_tasks_that_it_gets_later(client, two):
    news = followed(client, "/services/web/logs?stdout=1&follow=1&tail=0")
    update(two, "web", spec(Mode={"Replicated": {"Replicas": 3}}))
    assert next(news) == b"hello from 3\n"


def test_following_a_task_ends_with_its_container(client: docker.DockerClient, two: Raw):
    task = two.get("/tasks", filters={"name": ["web.2"]}).json[0]
    news = followed(client, f"/tasks/{task['ID']}/logs?stdout=1&follow=1")
    first = next(news)
    update(two, "web", spec(Mode={"Replicated": {"Replicas": 1}}))
    assert (first, list(news)) == (b"hello from 2\n", [])


def test_logs_of_a_container(two: Raw):
    container = two.get("/containers/json", filters={"name": ["web.1"]}).json[0]["Id"]
    reply = two.get(f"/containers/{container}/logs", stdout="1", stderr="1", tail="x")
    assert frames(reply.body) == [(1, b"hello from 1\n"), (2, b"a warning\n")]
