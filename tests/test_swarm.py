"""Where an engine is, in the words that `docker` and another labkit can use again."""

from __future__ import annotations

import pytest

from labkit import errors
from labkit.swarm import Swarm


@pytest.mark.engine
def test_an_engine_s_address_connects_to_it_again(swarm: Swarm) -> None:
    assert Swarm.at(swarm.url).info()["ID"] == swarm.info()["ID"]


def test_an_address_is_kept_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """docker-py makes http:// of tcp://, which the docker command line does not take."""

    class Client:
        class api:  # noqa: N801 - as docker-py names it
            base_url = "http://192.0.2.1:2375"

        def ping(self) -> None: ...

    monkeypatch.setattr("labkit.swarm.docker.DockerClient", lambda **_: Client())

    assert Swarm.at("tcp://192.0.2.1:2375").url == "tcp://192.0.2.1:2375"


def test_where_nothing_answers_docker_s_own_words_are_kept() -> None:
    with pytest.raises(errors.NoEngine, match="a Docker engine at unix:///nowhere") as caught:
        Swarm.at("unix:///nowhere")

    assert "No such file" in caught.value.docker_says
