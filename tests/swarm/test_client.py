"""Where an engine is, in the words that `docker` and another labkit can use again."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.base import errors
from labkit.swarm.client import Swarm


@pytest.mark.engine
def test_an_engine_s_address_connects_to_it_again(swarm: Swarm) -> None:
    assert Swarm.at(swarm.url).info()["ID"] == swarm.info()["ID"]


def test_an_address_is_kept_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """docker-py makes http:// of tcp://, which the docker command line does not take."""

    class Client:
        class api:  # noqa: N801 - as docker-py names it
            base_url = "http://192.0.2.1:2375"

        def ping(self) -> None: ...

    monkeypatch.setattr("labkit.swarm.client.docker.DockerClient", lambda **_: Client())

    assert Swarm.at("tcp://192.0.2.1:2375").url == "tcp://192.0.2.1:2375"


def test_where_nothing_answers_docker_s_own_words_are_kept() -> None:
    with pytest.raises(errors.NoEngine, match="a Docker engine at unix:///nowhere") as caught:
        Swarm.at("unix:///nowhere")

    assert "No such file" in caught.value.docker_says


class Answering(Swarm):
    """A swarm with services of these names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def get(self, path: str, **_: Any) -> Any:
        if path == "/services":
            return [{"Spec": {"Name": name}} for name in self.names]
        raise errors.NotFound("it.", "404.", docker_says="service x not found", status=404)


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("dc_woker", "did you mean dc_worker?"),
        ("worker", "did you mean dc_worker?"),
        ("DC-Worker", "did you mean dc_worker?"),
        ("nope", "use one of those names, or deploy the stack first (`labkit up`)."),
    ],
)
def test_an_unknown_service_names_those_that_exist_and_the_one_that_was_meant(
    asked: str, advice: str
) -> None:
    with pytest.raises(errors.NotFound) as caught:
        Answering("dc_worker", "dc_redis").service(asked)

    assert caught.value.expected == f"a service called {asked!r}."
    assert caught.value.found == "this swarm has dc_redis, dc_worker."
    assert caught.value.try_next == advice
    assert caught.value.docker_says == "service x not found"


def test_where_there_is_no_service_the_stack_is_to_be_deployed_first() -> None:
    with pytest.raises(errors.NotFound) as caught:
        Answering().service("dc_worker")

    assert caught.value.found == "this swarm has no service."
    assert caught.value.try_next == "deploy the stack first (`labkit up`)."


class Moving(Swarm):
    """An engine on which time passes: each answer is of a later moment than the one before."""

    def __init__(self) -> None:
        super().__init__(None, "nowhere")  # nothing is connected
        self.moment = 0

    def get(self, path: str, **_: Any) -> Any:
        self.moment += 1
        stamp = f"2026-03-01T09:00:{self.moment:02}Z"
        if path == "/tasks":
            return [{"ID": "t", "Version": {"Index": 1}, "CreatedAt": stamp, "Status": {}}]
        return {"ID": "s", "Version": {"Index": self.moment}, "Spec": {"Name": "dc_worker"}}


def test_what_a_task_did_is_known_no_later_than_what_came_of_it() -> None:
    """A service that was rolled back is never seen beside tasks that have not failed yet."""
    seen = Moving().snapshot("dc_worker")

    assert seen.service is not None
    assert seen.tasks[0].created_at.second > seen.service.version
