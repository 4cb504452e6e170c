"""The swarm that the engine is the manager of: its spec, its tokens, its configs and secrets."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from swarmsim.go.gojson.shapes import write
from swarmsim.go.times import SECOND

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_DAY = 24 * 3600 * SECOND
_CERTIFICATES_LAST = 90 * _DAY
PORT = 2377

#: The defaults of a swarm's spec, as swarmkit fills them in.
DEFAULTS: dict[str, Any] = {
    "Orchestration": {"TaskHistoryRetentionLimit": 5},
    "Raft": {
        "SnapshotInterval": 10000,
        "KeepOldSnapshots": 0,
        "LogEntriesForSlowFollowers": 500,
        "ElectionTick": 10,
        "HeartbeatTick": 1,
    },
    "Dispatcher": {"HeartbeatPeriod": 5 * SECOND},
    "CAConfig": {"NodeCertExpiry": _CERTIFICATES_LAST},
    "TaskDefaults": {},
    "EncryptionConfig": {"AutoLockManagers": False},
}
#: What is shown of a spec that says nothing, besides zeros that are always shown.
NOTHING: dict[str, dict[str, Any]] = {
    **{part: {} for part in DEFAULTS},
    "Orchestration": {"TaskHistoryRetentionLimit": 0},
    "Raft": {"KeepOldSnapshots": 0},
}


@dataclass(slots=True, kw_only=True)
class Blob:
    """A config or a secret; `spec` is as it was given, its data as bytes."""

    id: str
    version: int
    created_at: int
    updated_at: int
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name, which no update can change."""
        return str(self.spec["Name"])

    @property
    def data(self) -> bytes:
        """What it holds."""
        return bytes(self.spec.get("Data") or b"")


@dataclass(slots=True, kw_only=True)
class Swarm:
    """A swarm with one manager, this engine."""

    id: str
    node_id: str
    version: int
    created_at: int
    updated_at: int
    address: str = "127.0.0.1"
    port: int = PORT
    data_path_port: int = 4789
    #: As requested; `None` for an empty list, which means the default but is shown empty.
    pool: list[str] | None = field(default_factory=lambda: ["10.0.0.0/8"])
    subnet_size: int = 24
    spec: dict[str, Any] = field(default_factory=dict)
    #: What a node would join it with: no other node can.
    tokens: dict[str, str]

    @property
    def history_limit(self) -> int:
        """How many tasks of a slot are kept (`TaskHistoryRetentionLimit`)."""
        return int(self.spec["Orchestration"].get("TaskHistoryRetentionLimit", 5))


def new_tokens(random: Random) -> dict[str, str]:
    """Make join tokens: each begins with what stands for the certificate of the authority."""
    authority, worker, manager = (
        "".join(random.choices(_BASE36, k=length)) for length in (50, 25, 25)
    )
    return {
        "Worker": f"SWMTKN-1-{authority}-{worker}",
        "Manager": f"SWMTKN-1-{authority}-{manager}",
    }


def complete(spec: dict[str, Any]) -> dict[str, Any]:
    """A new swarm's spec with everything that it lacks; zeros count as lacking, as in swarmkit."""
    return _filled(spec, DEFAULTS)


def restated(spec: dict[str, Any]) -> dict[str, Any]:
    """A swarm's spec as an update leaves it: what the update does not say is nothing from then on.

    That goes for the number of old tasks, too: docker-py's `swarm.update(labels=…)` makes it 0.
    """
    return _filled(spec, NOTHING)


def _filled(spec: dict[str, Any], parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    filled: dict[str, Any] = {"Name": "default", "Labels": spec.get("Labels") or {}}
    for part, defaults in parts.items():
        given = {key: value for key, value in (spec.get(part) or {}).items() if value != 0}
        if part == "Orchestration":  # here zero is a limit, and so is less
            given = dict(spec.get(part) or {})
        filled[part] = {**defaults, **given} if part != "TaskDefaults" else {}  # never told again
    return write(filled, "swarm.Spec")
