"""Configs and secrets: `docker config` and `docker secret`, `create`, `ls`, `inspect`, `rm`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from swarmsim.api.asking import body_of, filters_of, find, version
from swarmsim.api.documents import meta
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.specs import validation
from swarmsim.engine.engine import Engine
from swarmsim.engine.swarm import Blob
from swarmsim.go.errors import rpc
from swarmsim.go.filters import Filters
from swarmsim.go.gojson.shapes import write

routes = Routes()

_SPECS = {"config": "swarm.ConfigSpec", "secret": "swarm.SecretSpec"}
#: Bytes that swarmkit takes, one less.
_LIMITS = {"config": 1000 * 1024, "secret": 500 * 1024}


def _blobs(engine: Engine, kind: str) -> dict[str, Blob]:
    engine.manager()
    return engine.configs if kind == "config" else engine.secrets


def _found(call: Call, kind: str) -> Blob:
    return find(_blobs(call.engine, kind), call.path["id"], kind, lambda blob: blob.name)


def _json(blob: Blob, kind: str) -> dict[str, Any]:
    spec = {**blob.spec, "Labels": blob.spec.get("Labels") or {}}
    if kind == "secret":  # what it holds is never shown
        spec.pop("Data", None)
    return {**meta(blob), "Spec": write(spec, _SPECS[kind])}


async def _list(call: Call, kind: str) -> Answer:
    filters = filters_of(call, "name", "id", "label", *(["names"] if kind == "secret" else []))
    blobs = _blobs(call.engine, kind)
    found = [blobs[key] for key in sorted(blobs) if _matches(blobs[key], filters)]
    return Answer([_json(blob, kind) for blob in found])


def _matches(blob: Blob, filters: Filters) -> bool:
    """Whether a name or an id is one of those asked for, and all the labels are there."""
    ways = [
        test(key, value)
        for key, value, test in (
            ("names", blob.name, filters.exact),
            ("name", blob.name, filters.prefix),
            ("id", blob.id, filters.prefix),
        )
        if key in filters
    ]
    return (any(ways) or not ways) and filters.swarm_labels("label", blob.spec.get("Labels") or {})


async def _create(call: Call, kind: str) -> Answer:
    spec = await body_of(call, _SPECS[kind])
    engine = call.engine
    blobs = _blobs(engine, kind)
    validation.check_blob_name(spec.get("Name", ""))
    if (driver := spec.get("Driver")) is not None:  # a plugin that keeps it: there are none here
        if not driver.get("Name"):
            raise rpc("InvalidArgument", "secret driver must have a name")
        raise rpc("Unknown", f'plugin "{driver["Name"]}" not found')
    if not 0 < len(spec.get("Data", b"")) < _LIMITS[kind]:
        message = f"{kind} data must be larger than 0 and less than {_LIMITS[kind]} bytes"
        raise rpc("InvalidArgument", message)
    if spec["Name"].lower() in {blob.name.lower() for blob in blobs.values()}:
        raise rpc("AlreadyExists", f"{kind} {spec['Name']} already exists")
    now, cluster = engine.now, engine.cluster
    index = cluster.bump()
    blob = Blob(id=cluster.new_id(), version=index, created_at=now, updated_at=now, spec=spec)
    blobs[blob.id] = blob
    engine.publish(kind, "create", blob.id, {"name": blob.name}, "swarm")
    return Answer({"ID": blob.id}, 201)


async def _update(call: Call, kind: str) -> Answer:
    spec = await body_of(call, _SPECS[kind])
    of_version = version(call, kind, explained=False)
    engine = call.engine
    blob = _found(call, kind)
    changed = spec.get("Data") and spec["Data"] != blob.data
    if spec.get("Name", "") != blob.name or changed:
        raise rpc("InvalidArgument", "only updates to Labels are allowed")
    if of_version != blob.version:
        raise rpc("Unknown", "update out of sequence")
    blob.spec = {**blob.spec, "Labels": spec.get("Labels") or {}}
    blob.version, blob.updated_at = engine.cluster.bump(), engine.now
    engine.publish(kind, "update", blob.id, {"name": blob.name}, "swarm")
    return Answer()


async def _remove(call: Call, kind: str) -> Answer:
    engine = call.engine
    blob = _found(call, kind)
    if users := sorted(_users(engine, kind, blob.id)):
        plural = "service" if len(users) == 1 else "services"
        listed = ", ".join(users)
        message = f"{kind} '{blob.name}' is in use by the following {plural}: {listed}"
        raise rpc("InvalidArgument", message)
    del _blobs(engine, kind)[blob.id]
    engine.publish(kind, "remove", blob.id, {"name": blob.name}, "swarm")
    return Answer(status=204)


def _users(engine: Engine, kind: str, blob_id: str) -> Iterator[str]:
    key = kind.title()
    for service in engine.cluster.services.values():
        references = service.template["ContainerSpec"].get(f"{key}s") or []
        if blob_id in [it[f"{key}ID"] for it in references]:
            yield service.name


async def _inspect(call: Call, kind: str) -> Answer:
    return Answer(_json(_found(call, kind), kind))


for _kind in _SPECS:  # the two differ in little but their name
    routes.get(f"/{_kind}s")(partial(_list, kind=_kind))
    routes.post(f"/{_kind}s/create")(partial(_create, kind=_kind))
    routes.get(f"/{_kind}s/{{id}}")(partial(_inspect, kind=_kind))
    routes.post(f"/{_kind}s/{{id}}/update")(partial(_update, kind=_kind))
    routes.delete(f"/{_kind}s/{{id}}")(partial(_remove, kind=_kind))
