"""The engine's events, which wake a poller."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from labkit.base import jobs

#: The container events that announce that a task runs, or has ended; and others that go with
#: a change of its state.
_ANNOUNCING = ["start", "die", "health_status"]
_EVENTS = [*_ANNOUNCING, "create", "kill", "destroy", "update", "remove"]

#: What `labkit.swarm.client.Swarm.events` is.
Follow = Callable[..., Iterator[dict[str, Any]]]


class WakeUps:
    """A thread that calls `poke` at each event of a service, of its containers, or of a node.

    Where there are no threads nothing does, and polling finds every change somewhat later.
    """

    def __init__(self, follow: Follow | None, service: str, poke: Callable[..., None]) -> None:
        self._follow = follow
        self._service = service
        self._poke = poke
        self._thread: threading.Thread | None = None
        self._stream: Any = None
        self._stopped = False

    def start(self) -> None:
        """Follow the events until the engine goes away; start again when it is back."""
        if jobs.in_turns or (self._thread and self._thread.is_alive()):
            return
        if self._follow:
            self._thread = threading.Thread(
                target=self._run, name=f"events {self._service}", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stopped = True
        if self._stream is not None:
            # over ssh docker-py cannot close it; the thread then ends with the process
            with contextlib.suppress(Exception):
                self._stream.close()

    def _run(self) -> None:
        assert self._follow is not None
        # a recorder without events is slower, not wrong: polling finds every change
        with contextlib.suppress(Exception):
            self._stream = self._follow(type=["container", "node", "service"], event=_EVENTS)
            if self._stopped:
                self.stop()
            for event in self._stream:
                if self._stopped:
                    return
                said = event.get("Actor", {}).get("Attributes", {})
                if event.get("Type") == "node" or said.get("name") == self._service:
                    self._poke(service_moved=True)
                elif said.get("com.docker.swarm.service.name") == self._service:
                    announces = event.get("Action", "").split(":")[0] in _ANNOUNCING
                    self._poke(said.get("com.docker.swarm.task.id", "") if announces else "")
