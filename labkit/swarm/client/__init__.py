"""The one room that talks to an engine.

`Swarm` reads and writes services, tasks, networks, configs and secrets as the Engine
API has them, and turns every error into one of `labkit.base.errors`. It does not use the
SDK's service objects: those fill defaults into a spec before they send it back, which
restarts every task, and send a version they read long ago (docker-py#1848, moby#30794).

One `Swarm` can be used from several threads.

    wire        how a request reaches an engine, and its answer
    connecting  where the engine is that the environment names; the SDK
    refusals    what it says of an engine that does not do as it was asked
    clock       what time it is for an engine
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

from labkit.base import errors
from labkit.swarm.client import wire
from labkit.swarm.client.clock import Clock
from labkit.swarm.client.connecting import named_address, sdk
from labkit.swarm.client.refusals import no_engine, no_manager, refusal

if TYPE_CHECKING:
    import docker

    # which a deploy, which knows services only as the API has them, does without
    from labkit.recordings.values import Node, Provenance, Service, Snapshot, Task

_UNIX = "unix://"
#: Clock readings younger than this are reused.
_FRESH_SECONDS = 0.02
_PING_SECONDS = 2
_LOG_SECONDS = 5
#: Labels of the simulated engine, in `GET /info`; the second has a number, and the third is there
#: where tasks only act.
_SIMULATED_LABEL, _SPEED_LABEL, _ACTED_LABEL = "swarmsim", "swarmsim.speed", "swarmsim.acted"
_SLEEP_LABEL = "swarmsim.sleep-after"


class Swarm:
    """A swarm, seen through one of its managers.

    >>> swarm = Swarm.at("unix:///var/run/docker.sock")   # doctest: +SKIP
    >>> swarm.snapshot("dc_worker").running_by_tag()      # doctest: +SKIP
    Counter({'1.0': 10})
    """

    def __init__(
        self,
        client: docker.DockerClient | None,
        url: str,
        *,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._given = client
        #: Where the engine listens, as `DOCKER_HOST` would say it.
        self.url = url
        #: Which engine answered, after so many connections with it.
        self._identity = "", -1
        self._clock = Clock(now or (lambda: datetime.now(UTC)))
        self._date: str | None = None
        #: The name of each node's id, those that were removed included; which there are now,
        #: in the order of their names; and which of them are down.
        self._nodes: dict[str, str] = {}
        self._there: tuple[Node, ...] = ()
        self._down: frozenset[str] = frozenset()
        #: What was made of the JSON of each task that was read last, with those nodes down.
        self._values: dict[tuple[bytes, frozenset[str]], list[Task]] = {}
        #: Where tasks were last read, what was answered, with which nodes down, and what was
        #: made of that.
        self._read: tuple[str, bytes, frozenset[str], tuple[Task, ...]] = "", b"", self._down, ()

    @classmethod
    def at(cls, url: str | None = None) -> Self:
        """Connect to the engine at `url`, or to the one that the environment names.

        Without `url` this follows `DOCKER_HOST` and the current docker context, as the
        docker command line does. Raises `NoEngine` when nothing answers.
        """
        swarm = cls(None, url or named_address())
        try:
            swarm._wire  # noqa: B018 - it connects when it is first used
        except OSError as problem:
            raise no_engine(url, problem) from None
        return swarm

    @cached_property
    def client(self) -> docker.DockerClient:
        """The SDK's client, for streams of builds, pulls and pushes. Raises `OSError`."""
        return self._given or sdk(self.url)

    @cached_property
    def _wire(self) -> wire.UnixSocket | wire.Sdk:
        if self._given is None and self.url.startswith(_UNIX):
            return wire.UnixSocket(self.url.removeprefix(_UNIX))
        return wire.Sdk(self.client)

    # ---- reading -------------------------------------------------------------------

    def about(self) -> str:
        """Return the engine in words.

        `Docker Engine 20.10.24 (API 1.41)`, or
        `swarmsim simulated engine (API 1.52), at 20 times real time`.
        """
        version = self.get("/version")
        api = f"(API {version['ApiVersion']})"
        if self.provenance == "engine":
            return f"Docker Engine {version['Version']} {api}"
        speed = self.speed
        pace = "in real time" if speed == 1 else f"at {speed:g} times real time"
        return f"swarmsim simulated engine {api}, {pace}"

    @property
    def provenance(self) -> Provenance:
        """What is recorded here: a Docker engine, or one that labkit simulates."""
        if _SIMULATED_LABEL not in (labels := self.labels()):
            return "engine"
        return "acted" if _ACTED_LABEL in labels else "simulated"

    def info(self) -> dict[str, Any]:
        """Return `GET /info`."""
        return dict(self.get("/info"))

    def identity(self) -> str:
        """Return which engine it is that answers: its ID.

        It is asked for again where the connection was lost: another one may listen there since.
        """
        if self._identity[1] != (connections := self._wire.connections):
            self._identity = str(self.info().get("ID", "")), connections
        return self._identity[0]

    def labels(self) -> dict[str, str]:
        """Return the labels of the engine itself."""
        labels = self.info().get("Labels") or []
        return dict(label.split("=", 1) for label in labels if "=" in label)

    # ---- the time --------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """How many times as fast as real time the engine's clock runs; 1 for a Docker engine."""
        return float(self.labels().get(_SPEED_LABEL, 1))

    @property
    def sleep_after(self) -> float | None:
        """Seconds after which tasks that nobody looks at sleep on this engine; `None` for never."""
        return float(self.labels().get(_SLEEP_LABEL, 0)) or None

    def now(self) -> datetime:
        """Return the time by the engine's clock, if that is not this machine's. Asks nothing.

        The time that a hurrying clock was last heard to tell may be some seconds old.
        """
        return self._clock.now()

    def ask_now(self) -> datetime:
        """Return the same to the moment: an engine with a clock of its own is asked."""
        if self._clock.own and self._clock.age > _FRESH_SECONDS:
            with contextlib.suppress(errors.LabError):  # then what is known has to do
                self._call("GET", "/_ping", timeout=_PING_SECONDS)
        return self.now()

    @property
    def has_own_clock(self) -> bool:
        """Whether `now` is the engine's own time, and not this machine's."""
        return self._clock.own

    def engine_date(self) -> datetime | None:
        """Return what the engine last said that its machine's clock shows, in whole seconds."""
        try:
            return parsedate_to_datetime(self._date) if self._date else None
        except ValueError:
            return None

    def require_manager(self) -> None:
        """Raise `NotAManager` unless this engine is a manager of a swarm."""
        swarm = self.info().get("Swarm", {})
        if swarm.get("ControlAvailable"):
            return
        state = swarm.get("LocalNodeState", "inactive")
        raise no_manager(state, str(swarm.get("Error") or ""))

    def services(self, *, label: str | None = None) -> list[dict[str, Any]]:
        """Return the services as the API has them, with their running and desired counts."""
        filters = {"label": [label]} if label else {}
        return list(self.get("/services", filters=filters, status="true"))

    def service(self, name: str) -> dict[str, Any]:
        """Return one service, by name or id, as the API has it. Raises `NotFound`.

        The error names the services that do exist: a misspelt name is the usual cause.
        """
        try:
            return dict(self.get(f"/services/{quote(name, safe='')}"))
        except errors.NotFound as problem:
            known = sorted(service["Spec"]["Name"] for service in self.services())
            raise errors.NotFound(
                f"a service called {name!r}.",
                f"this swarm has {', '.join(known) or 'no service'}.",
                _advice(name, known),
                docker_says=problem.docker_says,
                status=problem.status,
            ) from None

    def tasks(self, **filters: str) -> list[dict[str, Any]]:
        """Return the tasks that pass all filters, such as `service="dc_worker"`."""
        return list(self.get("/tasks", filters={key: [value] for key, value in filters.items()}))

    def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
        """Return a service and its tasks at this moment.

        With `known` only the tasks are asked for, and the service is taken to be as it was,
        and each node as it was.
        A service that has been removed gives its last tasks until they have stopped;
        then, as for a name that never was, this raises `NotFound`.
        """
        from labkit.recordings.values import Service, Snapshot

        at = self.now()
        service, missing = known, None
        if service is None:
            try:
                service = Service.from_api(self.service(name))
            except errors.NotFound as problem:
                missing = problem
            self._ask_for_nodes()
        # After the service: what a task did is known no later than what came of it. And by
        # name, which the tasks of a removed service keep; the engine matches a prefix.
        tasks = self.task_values(name=f"{service.name if service else name}.")
        if missing and not tasks:
            raise missing
        if self._clock.own:
            at = self.now()  # as the engine has just told, with these tasks
        return Snapshot(at=at, service=service, tasks=tasks, nodes=self._there)

    def task_values(self, **filters: str) -> tuple[Task, ...]:
        """Return the tasks that pass all filters, as values, with the names of their nodes."""
        path = f"/tasks{_query({}, {key: [value] for key, value in filters.items()})}"
        body = self._call("GET", path).body
        # most polls find what the one before found, and comparing bytes is nearly free
        read = self._read
        if read[:3] != (path, body, self._down):
            tasks = self._task_values(body)
            self._read = read = path, body, self._down, tasks
        return read[3]

    def _task_values(self, body: bytes) -> tuple[Task, ...]:
        from labkit.recordings.values import Task

        # most tasks are as they were: one whose JSON is known is not read again
        known, down, whole = self._values, self._down, body.strip()[1:-1]
        apart = whole.replace(b'},{"ID":', b'}\n{"ID":').split(b"\n")
        try:
            new = {each: json.loads(b"[%b]" % each) for each in apart if (each, down) not in known}
        except ValueError:  # the volumes of a task begin with an ID, too
            apart, new = [whole], {whole: json.loads(body)}
        raw = [task for tasks in new.values() for task in tasks]
        unknown = any(task.get("NodeID") and task["NodeID"] not in self._nodes for task in raw)
        # after the tasks: where one has taken the place of a lost one, its node is known as down
        if unknown or (raw and len(self._nodes) > 1):
            self._ask_for_nodes()
            if self._down != down:
                return self._task_values(body)
        known = known | {
            (each, down): [Task.from_api(task, self._nodes, down) for task in tasks]
            for each, tasks in new.items()
        }
        self._values = {(each, down): known[each, down] for each in apart}
        return tuple(task for each in apart for task in known[each, down])

    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes, in the order of their names."""
        self._ask_for_nodes()
        return self._there

    def _ask_for_nodes(self) -> None:
        from labkit.recordings.values import Node

        nodes = [Node.from_api(node) for node in self.get("/nodes")]
        self._there = tuple(sorted(nodes, key=lambda node: (node.name, node.id)))
        # tasks of a node that was removed keep its id
        self._nodes = self._nodes | {node.id: node.name for node in nodes}
        self._down = frozenset(node.id for node in nodes if node.state == "down")

    def container_logs(self, container: str, tail: int) -> str:
        """Return the last lines that a container of this node wrote. Raises `NotFound`."""
        from docker.errors import APIError

        try:
            written = self.client.api.logs(container, tail=tail)
        except APIError as problem:
            raise errors.NotFound(
                f"container {container[:12]} on this node.",
                "its logs are not available: it was removed, or is on another node.",
                "ask the node that the task ran on, with `docker logs`.",
                docker_says=str(problem.explanation),
                status=problem.status_code or 404,
            ) from None
        except OSError as problem:
            raise no_engine(self.url, problem) from None
        return bytes(written).decode("utf-8", "replace").rstrip("\n")

    def task_log(self, task: str, tail: int) -> bytes:
        """Return the last lines that a task wrote, on any node, or nothing if they cannot be had.

        Each line begins with the engine's header of eight bytes, and its time. Only of a task
        that runs: the engine was seen to hang when a task's container is gone.
        """
        wanted = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(tail)}
        try:
            path = f"/tasks/{task}/logs{_query(wanted)}"
            return self._call("GET", path, timeout=_LOG_SECONDS).body
        except errors.LabError:
            return b""

    def events(self, **filters: list[str]) -> wire.Events:
        """Follow the engine's events on a connection of its own; `close()` ends it."""
        return self._wire.events(filters)

    # ---- writing -------------------------------------------------------------------

    def update_service(
        self,
        name: str,
        change: Callable[[dict[str, Any]], dict[str, Any]] = dict,
        *,
        rollback: bool = False,
        read: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Post what `change` makes of a service's spec.

        The spec is `read` without defaults filled in, so nothing but the change is sent.
        Another writer may come between reading and writing (the engine itself is one); then both
        are done again on the fresh version, and no change is lost. Returns the service as it was
        before.
        """
        extra = {"rollback": "previous"} if rollback else {"registryAuthFrom": "spec"}
        while True:
            service, read = read or self.service(name), None
            try:
                self.post(
                    f"/services/{service['ID']}/update",
                    change(service["Spec"]),
                    version=str(service["Version"]["Index"]),
                    **extra,
                )
            except errors.OutOfSequence:
                continue
            return service

    # ---- the wire ------------------------------------------------------------------

    def get(
        self, path: str, *, filters: Mapping[str, list[str]] | None = None, **params: str
    ) -> Any:
        """`GET` a path of the Engine API, without its version, and return the JSON."""
        return json.loads(self._call("GET", f"{path}{_query(params, filters)}").body)

    def post(self, path: str, body: Any = None, **params: str) -> Any:
        """`POST` JSON to a path of the Engine API; returns the JSON that comes back, or `None`."""
        sent = None if body is None else json.dumps(body).encode()
        answer = self._call("POST", f"{path}{_query(params)}", sent).body
        return json.loads(answer) if answer else None

    def delete(self, path: str) -> None:
        """`DELETE` a path of the Engine API."""
        self._call("DELETE", path)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        timeout: float = wire.TIMEOUT_SECONDS,
    ) -> wire.Answer:
        try:
            target = f"/v{self._wire.version}{path}"
            answer = self._wire.ask(method, target, body, timeout)
        except OSError as problem:
            self._identity = "", -1
            raise no_engine(self.url, problem) from None
        self._date = answer.date
        if answer.time:
            self._clock.set(datetime.fromisoformat(answer.time))
        if answer.status >= 400:
            raise refusal(f"{method} {target}", answer)
        return answer


def _query(params: Mapping[str, str], filters: Mapping[str, list[str]] | None = None) -> str:
    filtering = {"filters": json.dumps(filters)} if filters else {}
    words = urlencode({**params, **filtering})
    return f"?{words}" if words else ""


def _advice(name: str, known: list[str]) -> str:
    if not known:
        return "deploy the stack first (`labkit up`)."
    import difflib  # only mistakes need it

    close = difflib.get_close_matches(name.lower(), known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return "use one of those names, or deploy the stack first (`labkit up`)."
