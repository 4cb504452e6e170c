"""The engine on a socket: from the first request it answers to the signal that ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import click
from tornado import netutil

from swarmsim.engine.engine import Engine
from swarmsim.go.errors import CannotServe
from swarmsim.server.server import Server
from swarmsim.server.sockets import Listener
from swarmsim.server.timer import Timer

#: Only the user who runs the engine may talk to it: it runs programs as that user.
_PRIVATE = 0o600
#: The size of a body is the routes' business: a build context may be large.
_ANY_SIZE = 1 << 62
#: Bytes, as Go's server has it: filters may be long.
_LARGEST_HEADERS = 1 << 20


@contextmanager
def serving(engine: Engine, path: Path) -> Iterator[Server]:
    """Answer on a socket until the end of the `with`; the event loop must run.

    Raises `CannotServe` if another engine answers there, or the socket cannot be made.
    """
    listening = _bound(path)
    server = Server(engine)
    http = Listener(server, max_body_size=_ANY_SIZE, max_header_size=_LARGEST_HEADERS)
    http.add_socket(listening)
    timer = Timer(engine)
    timer.start()
    try:
        yield server
    finally:
        http.stop()
        timer.stop()
        engine.stop()
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


@contextmanager
def in_thread(engine: Engine, path: Path) -> Iterator[None]:
    """Answer on a socket until the end of the `with`, on an event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    ready: Future[asyncio.Event] = Future()

    async def live() -> None:
        stop = asyncio.Event()
        try:
            with serving(engine, path) as server:
                ready.set_result(stop)
                await stop.wait()
                await server.stop()
        except CannotServe as problem:
            ready.set_exception(problem)

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),), daemon=True)
    thread.start()
    try:
        stop = ready.result()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
        loop.close()


def _bound(path: Path) -> socket.socket:
    if _answers(path):
        raise CannotServe(
            f"An engine answers on {path} already. Use that one, or choose another --socket."
        )
    try:
        return netutil.bind_unix_socket(str(path), mode=_PRIVATE)
    except (OSError, ValueError) as problem:
        raise CannotServe(
            f"No socket can be made at {path}: {problem}. "
            "Choose a --socket in a folder of yours, with a short path."
        ) from None


def _answers(path: Path) -> bool:
    """Whether somebody listens on a socket; one that was left behind does not count."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


async def run(engine: Engine, path: Path, *, swarm: bool = True) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if swarm:
        engine.init_swarm()
    with serving(engine, path) as server:
        print_ready(engine, path)
        await stop.wait()
        await server.stop()


def print_ready(engine: Engine, path: Path) -> None:
    """Tell whoever has started the engine that it answers."""
    speed = f"{engine.clock.speed:g}"
    click.echo(
        f"{engine.operating_system} ready on unix://{path} at {speed} times the speed of time"
    )
