"""Volumes: `docker volume create`, `ls`, `inspect`, `rm`, `prune`."""

from swarmsim.api import versions
from swarmsim.api.asking import body_of, filters_of
from swarmsim.api.documents import Json
from swarmsim.api.documents.objects import volume_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.engine.engine import Engine
from swarmsim.engine.volumes import Volume
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters, has_label

routes = Routes()


@routes.get("/volumes")
async def listed(call: Call) -> Answer:
    """`docker volume ls`."""
    filters = filters_of(call, "dangling", "driver", "label", "name")
    filters.truth("dangling")
    found = [it for it in _all(call.engine) if _matches(call.engine, it, filters)]
    return Answer({"Volumes": [volume_json(it) for it in found], "Warnings": None})


def _all(engine: Engine) -> list[Volume]:
    return sorted(engine.containers.volumes.values(), key=lambda it: it.name)


def _matches(engine: Engine, volume: Volume, filters: Filters) -> bool:
    dangles = not engine.containers.mounting(volume.name)
    return (
        filters.pattern("name", volume.name)
        and filters.exact("driver", "local")
        and filters.has_labels("label", volume.labels or {})
        and filters.truth("dangling") in {None, dangles}
    )


@routes.get("/volumes/{name}")
async def inspect(call: Call) -> Answer:
    """`docker volume inspect`."""
    return Answer(volume_json(_meant(call)))


def _meant(call: Call) -> Volume:
    name = call.path["name"]
    if name not in call.engine.containers.volumes:
        raise ApiError(404, f"get {name}: no such volume")
    return call.engine.containers.volumes[name]


@routes.post("/volumes/create")
async def create(call: Call) -> Answer:
    """`docker volume create`."""
    asked = await body_of(call, "volume.VolumeCreateBody")
    engine, name = call.engine, asked.get("Name", "")
    made = engine.containers.volumes.make(
        name or engine.new_hex_id(),
        engine.now,
        driver=asked.get("Driver", ""),
        options=asked.get("DriverOpts"),
        labels=asked.get("Labels"),
        anonymous=not name,
    )
    engine.publish("volume", "create", made.name, {"driver": "local"}, "local")
    return Answer(volume_json(made), 201)


@routes.delete("/volumes/{name}")
async def remove(call: Call) -> Answer:
    """`docker volume rm`."""
    if call.flag("force") and call.path["name"] not in call.engine.containers.volumes:
        return Answer(status=204)
    volume = _meant(call)
    if users := call.engine.containers.mounting(volume.name):
        ids = ", ".join(container.id for container in users)
        raise ApiError(409, f"remove {volume.name}: volume is in use - [{ids}]")
    call.engine.containers.remove_volume(volume.name)
    return Answer(status=204)


@routes.post("/volumes/prune")
async def prune(call: Call) -> Answer:
    """`docker volume prune`: those that nothing mounts, and that have no options.

    Since API 1.42, one with a name stays unless `all` are asked for.
    """
    filters = filters_of(call, "all", "label", "label!")
    every = filters.truth("all") or not versions.PRUNES_ONLY_ANONYMOUS.shows(call.version)
    gone = [
        volume
        for volume in _all(call.engine)
        if (every or volume.anonymous)
        and not volume.options
        and not call.engine.containers.mounting(volume.name)
        and filters.has_labels("label", volume.labels or {})
        and not any(has_label(it, volume.labels or {}) for it in filters.get("label!"))
    ]
    freed = sum(volume.size() for volume in gone)
    for volume in gone:
        call.engine.containers.remove_volume(volume.name)
    deleted: Json = {"VolumesDeleted": [volume.name for volume in gone]}
    return Answer({**deleted, "SpaceReclaimed": freed})
