"""Names: those that swarmkit allows, and those that it makes up."""

from __future__ import annotations

import random
import re

from swarmsim.go.errors import rpc

_DNS_NAME = re.compile(r"[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*")
_BLOB_NAME = re.compile(r"[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?")
_LONGEST_DNS_NAME = 63
_LONGEST_BLOB_NAME = 64

_MANNERS = (
    "brave calm clever eager gentle happy keen kind lucid merry modest quiet sharp sunny wise"
)
_PEOPLE = "curie darwin dijkstra euler gauss hopper kepler lamarr lovelace noether tesla turing"


def random_name() -> str:
    """A name for a service that was given none."""
    manner, person = _MANNERS.split(), _PEOPLE.split()
    return f"{random.choice(manner)}_{random.choice(person)}"  # noqa: S311  a name is no secret


def check(name: str) -> None:
    """Refuse the name of a service or a network that cannot be part of a DNS name."""
    if not name:
        raise rpc("InvalidArgument", "meta: name must be provided")
    if not _DNS_NAME.fullmatch(name):
        raise rpc("InvalidArgument", "name must be valid as a DNS name component")
    if len(name) > _LONGEST_DNS_NAME:
        raise rpc("InvalidArgument", "name must be 63 characters or fewer")


def check_blob(name: str) -> None:
    """Refuse the name of a config or a secret."""
    if not name:
        raise rpc("InvalidArgument", "name must be provided")
    if len(name) > _LONGEST_BLOB_NAME or not _BLOB_NAME.fullmatch(name):
        message = (
            "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end "
            "character must be [a-zA-Z0-9]"
        )
        raise rpc("InvalidArgument", message)
