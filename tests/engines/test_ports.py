"""Which ports dockercoins publishes."""

import socket
from contextlib import ExitStack, closing

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
