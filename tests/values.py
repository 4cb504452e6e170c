"""Short ways to write the values that tests are about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Header
from labkit.recordings.values import (
    RollbackConfig,
    Service,
    Snapshot,
    Task,
    UpdateConfig,
    UpdateStatus,
)

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def task(slot: int, tag: str = "1.0", state: str = "running", **more: Any) -> Task:
    desired = "running" if state == "running" else "shutdown"
    fields: dict[str, Any] = {
        "id": f"{tag}-{slot}",
        "slot": slot,
        "image": f"lab/dockercoins_worker:{tag}",
        "node": "node-1",
        "state": state,
        "desired_state": desired,
        "status_at": START,
        "created_at": START,
    }
    return Task(**fields | more)


def service(tag: str = "1.0", **more: Any) -> Service:
    fields: dict[str, Any] = {
        "id": "s1",
        "name": "dc_worker",
        "version": 10,
        "image": f"lab/dockercoins_worker:{tag}",
        "replicas": 2,
        "update_config": UpdateConfig(),
        "rollback_config": RollbackConfig(),
        "update_status": None,
    }
    return Service(**fields | more)


def spec(
    name: str = "dc_worker",
    image: str = "lab/dockercoins_worker:1.0",
    replicas: int = 10,
    **more: Any,
) -> dict[str, Any]:
    """The spec of a service, as the Engine API has it."""
    return {
        "Name": name,
        "Labels": {},
        "TaskTemplate": {"ContainerSpec": {"Image": image}},
        "Mode": {"Replicated": {"Replicas": replicas}},
    } | more


def status(state: Any, **more: Any) -> UpdateStatus:
    return UpdateStatus(**{"state": state, "started_at": START, **more})


def snapshot(seconds: float, of: Service | None, *tasks: Task) -> Snapshot:
    return Snapshot(at=at(seconds), service=of, tasks=tasks)


def recording(*snapshots: Snapshot) -> Recording:
    made = Recording(
        header=Header(service="dc_worker", service_id="s1", engine="a test", started=START)
    )
    for each in snapshots:
        made.observe(each)
    return made
