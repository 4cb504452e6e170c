"""How fast dockercoins works, asked of its own web page."""

from __future__ import annotations

import contextlib
import time
from urllib.parse import urlsplit

import requests

from labkit import ports
from labkit.engines.private import ADDRESS_LABEL
from labkit.errors import LabError
from labkit.swarm import Swarm
from labkit.waiting import looks

_PATIENCE_SECONDS = 20
_LOOK_SECONDS = 0.2


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
    labels = dict(label.split("=", 1) for label in swarm.info().get("Labels") or [] if "=" in label)
    return str(labels.get(ADDRESS_LABEL, "localhost"))


def speed(swarm: Swarm, stack: str, seconds: float = 4) -> float:
    """Return how many hashes a second all workers make together, measured over `seconds`.

    Each worker adds to the counter once a second, so a shorter measurement shows that
    rhythm and not the speed. A page that has just been deployed gets a while to answer.
    """
    address = webui(swarm, stack)
    first = _ask_patiently(address)
    time.sleep(seconds)
    second = _ask(address)
    return (second["hashes"] - first["hashes"]) / (second["now"] - first["now"])


def _ask_patiently(address: str) -> dict[str, float]:
    for _ in looks(_PATIENCE_SECONDS, _LOOK_SECONDS):
        with contextlib.suppress(LabError):
            return _ask(address)
    return _ask(address)


def _ask(address: str) -> dict[str, float]:
    try:
        answer = requests.get(f"{address}/json", timeout=5)
        answer.raise_for_status()
        return {key: float(answer.json()[key]) for key in ("hashes", "now")}
    except (requests.RequestException, ValueError, KeyError) as problem:
        raise LabError(
            f"the web page of dockercoins at {address}.",
            f"no answer that could be read: {problem}",
            "see whether webui and redis run: `labkit stack ps` and the name of your stack.",
        ) from None
