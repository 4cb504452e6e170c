"""How fast dockercoins works, asked of its own web page."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from labkit import ports
from labkit.compose import NAMESPACE
from labkit.engines.private import ADDRESS_LABEL
from labkit.errors import LabError
from labkit.swarm import Swarm
from labkit.waiting import looks

_PATIENCE_SECONDS = 20
_LOOK_SECONDS = 0.2
#: How long one answer may take; the meter's next question is due sooner.
_ANSWER_SECONDS, _METER_SECONDS = 5, 2


class _Answer(NamedTuple):
    hashes: int
    #: The page's own clock, in seconds since 1970.
    now: float


def webui(swarm: Swarm, stack: str) -> str:
    """Return the address of the stack's web page, for the machine that labkit runs on."""
    published = ports.of_service(swarm.service(f"{stack}_webui"))
    if not published:
        raise LabError(
            f"{stack}_webui to publish a port.",
            "it publishes none.",
            "deploy the stack from the lab's docker-compose.yml.",
        )
    return f"http://{host(swarm)}:{published[0]}"


def host(swarm: Swarm) -> str:
    """Return the host at which this machine reaches the ports that the engine publishes.

    A private engine has a network of its own, and says where in a label.
    """
    engine = urlsplit(swarm.url)
    if engine.scheme in ("tcp", "http", "https", "ssh") and engine.hostname:
        return engine.hostname
    return swarm.labels().get(ADDRESS_LABEL, "localhost")


def speed(swarm: Swarm, stack: str, seconds: float = 4) -> float:
    """Return how many hashes a second all workers make together, measured over `seconds`.

    Each worker adds to the counter once a second, so a shorter measurement shows that
    rhythm and not the speed. A page that has just been deployed gets a while to answer.
    """
    address = webui(swarm, stack)
    with _session() as session:
        first = _ask_patiently(session, address)
        time.sleep(seconds)
        second = _ask(session, address)
    return (second.hashes - first.hashes) / (second.now - first.now)


def meter(swarm: Swarm, service: str) -> Callable[[], tuple[int, float]] | None:
    """Return what asks the web page of the service's stack how many hashes were made, and when.

    The time is the page's own, in seconds since 1970. `None` if the service is of no stack,
    or its stack has no `webui` that publishes a port. What is returned raises `LabError`
    where there is no answer within two seconds.
    """
    try:
        stack = (swarm.service(service)["Spec"].get("Labels") or {}).get(NAMESPACE)
        address = webui(swarm, stack) if stack else None
    except LabError:
        return None
    return partial(_ask, _session(), address, _METER_SECONDS) if address else None


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # the page is where the engine is, which no proxy leads to
    return session


def _ask_patiently(session: requests.Session, address: str) -> _Answer:
    for _ in looks(_PATIENCE_SECONDS, _LOOK_SECONDS):
        with contextlib.suppress(LabError):
            return _ask(session, address)
    return _ask(session, address)


def _ask(session: requests.Session, address: str, timeout: float = _ANSWER_SECONDS) -> _Answer:
    try:
        answer = session.get(f"{address}/json", timeout=timeout)
        answer.raise_for_status()
        said = answer.json()
        return _Answer(int(said["hashes"]), float(said["now"]))
    # an OverflowError is for JSON's Infinity
    except (requests.RequestException, ValueError, KeyError, TypeError, OverflowError) as problem:
        raise LabError(
            f"the web page of dockercoins at {address}.",
            f"no answer that could be read: {problem}",
            "see whether webui and redis run: `labkit stack ps` and the name of your stack.",
        ) from None
