"""Volumes as `docker volume inspect` and `docker system df` show them."""

from swarmsim.api.documents import Json
from swarmsim.engine.engine import Engine
from swarmsim.engine.volumes import ANONYMOUS, Volume
from swarmsim.go.times import SECOND, stamp


def volume_json(volume: Volume) -> Json:
    """A volume."""
    return {
        "CreatedAt": stamp(volume.created_at // SECOND * SECOND),
        "Driver": "local",
        "Labels": {ANONYMOUS: ""} if volume.anonymous else volume.labels,
        "Mountpoint": str(volume.path),
        "Name": volume.name,
        "Options": volume.options,
        "Scope": "local",
    }


def usage_json(engine: Engine, volume: Volume) -> Json:
    """A volume, with how many containers mount it and how many bytes it has."""
    users = engine.containers.mounting(volume.name)
    usage = {"RefCount": len(users), "Size": volume.size()}
    return {**volume_json(volume), "UsageData": usage}
