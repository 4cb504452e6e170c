"""Which ports dockercoins publishes."""

import socket
from contextlib import ExitStack, closing

import pytest

from labkit.engines import ports
from tests.whole.labs import free_ports

LESSON = {"LABKIT_WEBUI_PORT": 8000, "LABKIT_RNG_PORT": 8001, "LABKIT_HASHER_PORT": 8002}


def test_the_lessons_ports_are_taken_when_they_are_free():
    assert ports.choose({}, lambda _: False, {}) == LESSON


def test_a_taken_port_gives_way_to_the_next_that_is_nobodys():
    chosen = ports.choose({}, {8000, 8003}.__contains__, {})
    assert chosen == LESSON | {"LABKIT_WEBUI_PORT": 8004}


def test_three_taken_ports_give_way_to_three_different_ones():
    chosen = ports.choose({}, {8000, 8001, 8002}.__contains__, {})
    assert sorted(chosen.values()) == [8003, 8004, 8005]


def test_the_port_that_was_chosen_before_is_kept_while_it_is_free():
    before = {"LABKIT_WEBUI_PORT": 8010}
    assert ports.choose(before, lambda _: False, {}) == LESSON | before
    assert ports.choose(before, {8010}.__contains__, {})["LABKIT_WEBUI_PORT"] == 8011


def test_what_the_learner_has_set_is_taken_as_it_is():
    chosen = ports.choose({}, lambda _: True, dict.fromkeys(LESSON, "9000"))
    assert set(chosen.values()) == {9000}


def test_a_port_that_one_up_has_chosen_is_no_other_s_until_that_runs():
    (port,) = free_ports(1)
    with ExitStack() as held, ExitStack() as other:
        assert ports.reserve(port, held)
        assert not ports.reserve(port, other)
        assert not ports.in_use(port), "which would keep its own task from it"

    with ExitStack() as other:
        assert ports.reserve(port, other)


def test_a_port_that_something_listens_on_is_in_use():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        assert ports.in_use(port)
    assert not ports.in_use(port)


def test_a_port_that_is_bound_and_does_not_answer_is_in_use():
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        assert ports.in_use(bound.getsockname()[1])


# ---- where a browser finds them ------------------------------------------------------


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of a learner of a hub, with jupyter-server-proxy."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/class/user/ada/")
    monkeypatch.delenv("JUPYTERHUB_PUBLIC_URL", raising=False)
    monkeypatch.setattr(ports, "find_spec", lambda _: True)


def test_on_a_machine_of_ones_own_it_is_localhost(monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    assert ports.address(8000) == "http://localhost:8000"


@pytest.mark.usefixtures("proxy")
def test_behind_a_hub_it_is_a_path_of_the_learner_s_server():
    assert ports.address(8000) == "/class/user/ada/proxy/8000/"
    assert ports.address(8000, "10.0.0.7", here=False) == "http://10.0.0.7:8000"


@pytest.mark.usefixtures("proxy")
def test_a_hub_that_says_its_address_makes_it_whole(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://hub.example/class/user/ada/")
    assert ports.address(8000) == "https://hub.example/class/user/ada/proxy/8000/"


@pytest.mark.usefixtures("proxy")
def test_without_the_proxy_s_package_there_is_no_such_path(monkeypatch):
    monkeypatch.setattr(ports, "find_spec", lambda _: None)
    assert ports.address(8000) == "http://localhost:8000"


def test_in_a_notebook_it_is_a_link_unless_there_is_no_page():
    link = '<a href="/a/proxy/1/" target="_blank" rel="noopener">/a/proxy/1/</a>'
    assert ports.Address("/a/proxy/1/")._repr_html_() == link
    assert repr(ports.Address("/a/proxy/1/")) == "/a/proxy/1/"
    assert ports.Address("(no web page)")._repr_html_() is None
