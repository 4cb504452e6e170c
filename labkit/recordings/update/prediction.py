"""What an update will do, worked out before it is run, as a recording. Pure.

The model of Swarm (`swarmsim.model`) runs the service as it is, then the update, on its
own clock; each step takes what it takes on a real engine. What comes back draws, compares
and answers like any other recording, and says of itself that it is predicted.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from labkit.base.fields import build
from labkit.recordings import values
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import (
    Ended,
    Header,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.update.phases import leaving, settled
from swarmsim.go.durations import Duration, to_text, to_timedelta
from swarmsim.go.times import stamp
from swarmsim.model import Behaviour as Behaviour
from swarmsim.model import Cluster, Scripted, Service, StoreEvent, Task

#: What the new tasks do: all the same, or by the number of their slot.
Behaviours = Behaviour | Mapping[str, Any] | Callable[[int], "Behaviour | Mapping[str, Any]"]

_ENGINE = "labkit's model of Swarm"
#: How long the service has run before; in this time all of its tasks get to run.
_WARM_UP = timedelta(minutes=2)
#: From the beginning of the recording to the update.
_BEFORE = timedelta(seconds=1)
_STEP = timedelta(seconds=1)
_MICROSECOND = 1000
_ON_THE_WAY = ("assigned", "accepted", "preparing", "starting")
#: Runs that show what chance can do; and how many replicas they may have all together.
SEEDS, _LEAST_SEEDS, _TASKS = 20, 3, 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


#: A node as the Engine API has it, as far as placing tasks on it is concerned.
_NODE = {
    "Spec": {"Name": "node", "Labels": {}, "Role": "manager", "Availability": "active"},
    "Description": {"Resources": {"NanoCPUs": 4 * 10**9, "MemoryBytes": 2**34}},
}


def in_pieces(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    behaviour: Behaviours | None = None,
    old_behaviour: Behaviours | None = None,
    nodes: Sequence[Mapping[str, Any]] = (_NODE,),
    began: datetime,
    up_to: Duration = "1h",
    seed: int = 0,
) -> Iterator[Recording]:
    """Return what an update from one spec to another will do, while it is worked out.

    It is the same recording again and again, so that something else may come between; the
    last time it has ended.

    `before` and `after` are specs of the Engine API, and `nodes` nodes of it. `behaviour` says
    what tasks made from `after` do, and `old_behaviour` what all others do: a `Behaviour`, a
    mapping of some of its fields, or a function from the number of a slot to one of these (0
    for a task of a global service); without it they run until they are told to stop. The
    update begins a second after `began`; the prediction ends when the update has settled,
    when nothing more would ever happen, or `up_to` later. Which slot comes first is drawn by
    `seed`.

    Raises `BadValue` for an invalid behaviour.
    """
    new, old = _by_slot("behaviour", behaviour), _by_slot("old_behaviour", old_behaviour)
    template = after.get("TaskTemplate")
    driver = Scripted(lambda task: (new if task.spec == template else old)(task.slot or 0))
    cluster = Cluster(_ns(began - _WARM_UP), seed=seed, driver=driver)
    for node in nodes:
        _join(cluster, node)
    service = cluster.create_service(dict(before))
    cluster.run_until(_ns(began))
    collector = _ChangeCollector(cluster, service)
    cluster.run_until(_ns(began + _BEFORE))
    cluster.update_service(service.id, service.version, dict(after))
    pieces = _run(cluster, collector.recording, began + to_timedelta(up_to), up_to)
    collector.end((yield from pieces))
    yield collector.recording


def over_seeds(
    before: Mapping[str, Any], after: Mapping[str, Any], *, seed: int = 0, **more: Any
) -> Iterator[Recording]:
    """Return the same as `in_pieces` for one seed after another: what differs is chance.

    There are `SEEDS` of them for a small service, and fewer the more replicas it has.
    """
    mode = after.get("Mode") or {}
    replicas = (mode.get("Replicated") or {}).get("Replicas") or 1
    for number in range(max(_LEAST_SEEDS, min(SEEDS, _TASKS // replicas))):
        yield from in_pieces(before, after, seed=seed + number, **more)


def _run(
    cluster: Cluster, recording: Recording, deadline: datetime, up_to: Duration
) -> Generator[Recording, None, str]:
    """Let the update happen, and return why that came to an end.

    Once it has settled, the tasks of that moment are waited for: where tasks fail again and
    again, later ones are always on their way.
    """
    since: datetime | None = None
    while True:
        yield recording
        now = _time(cluster.now)
        status = recording.service.update_status if recording.service else None
        # while an update runs, it has not settled: the question would cost time
        if status is None or status.settled:
            why = settled(recording, now)
            if why:
                since = since or now
                if not any(task.created_at <= since for task in _moving(recording)):
                    return why
        if cluster.next_due() is None:
            errors = [task.error for task in recording.current if task.error and not task.ended]
            return f"Nothing more will happen by itself{f': {errors[0]}' if errors else ''}."
        if now >= deadline:
            return f"It has not settled within {to_text(to_timedelta(up_to))}."
        cluster.run_until(cluster.now + _ns_of(_STEP))


def _moving(recording: Recording) -> Iterator[values.Task]:
    """Yield the tasks that stop, and those that a node is about to run.

    One that waits for its restart is not counted.
    """
    for task in recording.current:
        on_its_way = task.state in _ON_THE_WAY and task.desired_state == "running"
        if on_its_way or (task.running and leaving(task)):
            yield task


class _ChangeCollector:
    def __init__(self, cluster: Cluster, service: Service) -> None:
        self._cluster = cluster
        self._names = {node.id: node.hostname for node in cluster.nodes.values()}
        now = _time(cluster.now)
        self.recording = Recording(
            Header(
                service=service.name,
                service_id=service.id,
                engine=_ENGINE,
                started=now,
                provenance="predicted",
            )
        )
        self.recording.add(ServiceSeen(now, _service(service)))
        tasks = cluster.tasks_of(service.id)
        self.recording.add_all(TaskSeen(now, self._task(task)) for task in tasks)
        cluster.watch(self._changed)

    def end(self, why: str) -> None:
        """Say why the recording ends."""
        self.recording.add(Ended(_time(self._cluster.now), why))

    def _changed(self, change: StoreEvent) -> None:
        now = _time(self._cluster.now)
        if isinstance(change.object, Task):
            if change.action == "remove":
                self.recording.add(TaskForgotten(now, change.object.id))
            else:
                self.recording.add(TaskSeen(now, self._task(change.object)))
        elif isinstance(change.object, Service):
            gone = change.action == "remove"
            seen = ServiceRemoved(now) if gone else ServiceSeen(now, _service(change.object))
            self.recording.add(seen)

    def _task(self, task: Task) -> values.Task:
        return values.Task(
            id=task.id,
            slot=task.slot,
            image=task.image,
            node=self._names.get(task.node_id, ""),
            state=task.state,
            desired_state=task.desired_state,
            status_at=_time(task.status_at),
            created_at=_time(task.created_at),
            message=task.message,
            error=task.error,
            exit_code=task.exit_code if task.ended else None,
            service_id=task.service_id,
            node_id=task.node_id,
        )


def _service(service: Service) -> values.Service:
    status = service.update_status
    told = status and {
        "State": status.state,
        "Message": status.message,
        "StartedAt": stamp(status.started_at),
        "CompletedAt": status.completed_at and stamp(status.completed_at),
    }
    return values.Service.from_api(
        {
            "ID": service.id,
            "Version": {"Index": service.version},
            "Spec": service.spec,
            "PreviousSpec": service.previous_spec,
            "UpdateStatus": told,
        }
    )


def _join(cluster: Cluster, node: Mapping[str, Any]) -> None:
    about, has = node["Description"], node["Description"].get("Resources", {})
    joined = cluster.add_node(
        node["Spec"].get("Name") or about["Hostname"],
        nano_cpus=has.get("NanoCPUs", 0),
        memory=has.get("MemoryBytes", 0),
    )
    cluster.update_node(joined.id, joined.version, dict(node["Spec"]))
    if node.get("Status", {}).get("State") == "down":
        cluster.set_node_state(joined.id, "down")


def _by_slot(name: str, given: Behaviours | None) -> Callable[[int], Behaviour]:
    if given is None:
        always = Behaviour()
    elif callable(given):
        return lambda slot: build(Behaviour, given(slot), name)
    else:
        always = build(Behaviour, given, name)
    return lambda _: always


def _ns(moment: datetime) -> int:
    return _ns_of(moment - _EPOCH)


def _ns_of(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * _MICROSECOND


def _time(ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ns // _MICROSECOND)
