"""A service that is updated several times on labkit's model of Swarm, as one recording.

For what reads recordings: seconds of Swarm's time in milliseconds, and any behaviour.

>>> made = Played("1.0")
>>> made.update("1.1", parallelism=2)          # and waits until it has settled
>>> made.update("bugged", CRASHES)
>>> made.recording
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from labkit.recordings.recording import Recording
from labkit.recordings.update.prediction import _ChangeCollector, _ns, _ns_of, _time
from labkit.recordings.values import UpdateConfig
from labkit.swarm.spec_change import SpecChange
from swarmsim.model import Behaviour, Cluster, Scripted, Task
from tests.values import START, spec

#: What tasks of a tag do: all the same, or by the number of their slot.
Does = Behaviour | Callable[[int], Behaviour]

RUNS = Behaviour()
#: As a worker without its imports.
CRASHES = Behaviour(exits_after="300ms", exit_code=1)  # type: ignore[arg-type]
#: As a worker that ignores SIGTERM: Swarm kills it after ten seconds.
DEAF = Behaviour(stops_after=None)


def worker_spec(tag: str, replicas: int = 10, **more: Any) -> dict[str, Any]:
    """The spec of a worker on the lab's network."""
    made = spec("dc_worker", f"lab/dockercoins_worker:{tag}", replicas, **more)
    made["TaskTemplate"]["Networks"] = [{"Target": "dc_dockercoins"}]
    return made


class Played:
    """A worker of ten replicas, and everything that was seen of it."""

    def __init__(
        self, tag: str = "1.0", does: Does = RUNS, replicas: int = 10, seed: int = 0, **config: Any
    ) -> None:
        self._does: dict[str, Does] = {tag: does}
        self.cluster = Cluster(_ns(START), seed=seed, driver=Scripted(self._behaviour))
        self.cluster.add_node("node-1", nano_cpus=4 * 10**9, memory=2**34)
        self._service = self.cluster.create_service(
            worker_spec(tag, replicas, UpdateConfig=UpdateConfig(**config).to_api())
        )
        self.wait(120)
        self._told = _ChangeCollector(self.cluster, self._service)
        self.wait(1)  # what the first look sees began unseen

    @property
    def recording(self) -> Recording:
        """What was seen so far, the service as it was at first included."""
        return self._told.recording

    @property
    def now(self) -> Any:
        """The time by the model's clock."""
        return _time(self.cluster.now)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.cluster.run_until(self.cluster.now + _ns_of(timedelta(seconds=seconds)))

    def update(
        self,
        tag: str = "",
        does: Does | None = None,
        *,
        replicas: int | None = None,
        force: bool = False,
        rollback: dict[str, Any] | None = None,
        seconds: float = 200,
        **config: Any,
    ) -> None:
        """Update it as `labkit.update` does, and let so many seconds go by.

        `config` holds fields of the update config, `rollback` such of the rollback config;
        the others keep their values.
        """
        service = self.cluster.services[self._service.id]
        image = f"lab/dockercoins_worker:{tag}" if tag else None
        if tag:
            self._does[tag] = does or self._does.get(tag, RUNS)
        configs: dict[str, Any] = {"update_config": config, "rollback_config": rollback or {}}
        change = SpecChange.of(image=image, replicas=replicas, force=force, **configs)
        spec = change.applied(service.spec)
        self.cluster.update_service(service.id, service.version, spec)
        self.wait(seconds)

    def roll_back(self, seconds: float = 200) -> None:
        """Roll it back by hand, as `labkit.rollback` does."""
        service = self.cluster.services[self._service.id]
        self.cluster.update_service(service.id, service.version, service.spec, rollback=True)
        self.wait(seconds)

    def _behaviour(self, task: Task) -> Behaviour:
        image = str(task.spec["ContainerSpec"]["Image"])
        does = self._does[image.rpartition(":")[2]]
        return does if isinstance(does, Behaviour) else does(task.slot or 0)
