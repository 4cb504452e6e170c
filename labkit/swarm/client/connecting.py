"""Where the engine is that the environment names, and how the SDK connects with one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labkit.base import settings
from labkit.swarm.client import wire

if TYPE_CHECKING:
    import docker


def named_address() -> str:
    """Return the address that the environment names, or else the docker context."""
    default = "npipe:////./pipe/docker_engine" if os.name == "nt" else "unix:///var/run/docker.sock"
    return os.environ.get("DOCKER_HOST") or _context()[0] or default


def context_trouble() -> str:
    """Return what is wrong with the docker context that is chosen, as a sentence, or `""`.

    The docker command stops then; labkit looks at the default address.
    """
    return _context()[1]


def _context() -> tuple[str, str]:
    """Return the address that the chosen docker context names, and what is wrong with it."""
    name = os.environ.get("DOCKER_CONTEXT") or settings.docker_config().get("currentContext")
    if not name or os.environ.get("DOCKER_HOST"):
        return "", ""
    from docker.context import ContextAPI  # takes long to import, and most have no context

    try:
        found = ContextAPI.get_context(name)
        address = (found.Host or "").strip() if found else ""
    except Exception:  # the SDK's own, or what it stumbles over in the file
        return "", f"The docker context {name!r} cannot be read."
    return address, "" if found else f"The docker context {name!r} is missing."


def sdk(url: str) -> docker.DockerClient:
    """Return the SDK's client for an engine that answers. Raises `OSError`."""
    import docker
    from docker.errors import DockerException

    options: dict[str, Any] = {"timeout": wire.TIMEOUT_SECONDS, "max_pool_size": 4}
    try:
        with usable_config():
            # with the certificates that belong to it
            if url == named_address() and not context_trouble():
                client = docker.from_env(**options)
            else:
                client = docker.DockerClient(base_url=url, **options)
        # a socket has no proxy: without this, each request reads the environment for one
        client.api.trust_env = not client.api.base_url.startswith("http+docker:")
        client.ping()
    except (DockerException, ValueError) as problem:
        raise OSError(*problem.args) from problem
    return client


@contextlib.contextmanager
def usable_config() -> Iterator[None]:
    """Have the SDK read what can be used of docker's configuration; the rest would end it."""
    from docker.utils import config

    load, usable = config.load_general_config, settings.docker_config()
    if not any(usable.get(each) for each in settings.LOGINS):
        usable["auths"] = {"none.invalid": {}}  # or it would take any other section for logins
    config.load_general_config = lambda *_: usable
    try:
        yield
    finally:
        config.load_general_config = load
