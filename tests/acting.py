"""A swarm that acts an update, for views: what it shows depends on the time alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from labkit.recordings.values import (
    RollbackConfig,
    Service,
    Snapshot,
    Task,
    UpdateConfig,
    UpdateStatus,
)

#: Markup, a script, mathematics, an entity, a template, text turned round, a terminal's escape.
HOSTILE = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    "$x$ &amp; %{y} \u202eevil\x1b[31m"
)
#: The same, as far as an image's tag may go before it ends at a slash.
HOSTILE_TAG = "<img src=x onerror=window.hacked=1>$x$ \u202e"


class ActedSwarm:
    """Ten slots go from `1.0` to `1.1`, one every `pace` seconds, beginning after `rest`.

    Of more slots, `at_once` go together. A failed task of slot 3 stays in the history.
    With `hostile`, that task's error, tag, image, node and ports, the new tag, and the
    message of the update, try to be markup.
    """

    def __init__(
        self,
        *,
        pace: float = 1.0,
        rest: float = 1.0,
        slots: int = 10,
        at_once: int = 1,
        hostile: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.pace, self.rest, self.slots, self.hostile = pace, rest, slots, hostile
        self.at_once = at_once
        self.new = HOSTILE_TAG + "1.1" if hostile else "1.1"
        self.now = now
        self.began = now()
        #: What `snapshot` raises when asked, if anything.
        self.trouble: Exception | None = None

    def about(self) -> str:
        """Say that this is no engine."""
        return "an acted engine"

    def snapshot(self, name: str, known: Service | None = None) -> Snapshot:
        """Return what there is to see now; what is `known` changes nothing."""
        del known
        if self.trouble:
            raise self.trouble
        at = self.now()
        tasks = [self._failed()]
        for slot in range(1, self.slots + 1):
            tasks += self._slot(slot, at)
        return Snapshot(at=at, service=self._service(name, at), tasks=tuple(tasks))

    def _slot(self, slot: int, at: datetime) -> list[Task]:
        turn = self.began + timedelta(seconds=self.rest + (slot - 1) // self.at_once * self.pace)
        stopped = turn + timedelta(seconds=self.pace * 0.4)
        started = turn + timedelta(seconds=self.pace * 0.8)
        if at < turn:
            return [self._task(slot, "1.0", "running", "running", self.began)]
        if at < stopped:
            return [
                self._task(slot, "1.0", "running", "shutdown", self.began),
                self._task(slot, self.new, "preparing", "ready", turn, born=turn),
            ]
        new = (
            self._task(slot, self.new, "starting", "running", stopped, born=turn)
            if at < started
            else self._task(slot, self.new, "running", "running", started, born=turn)
        )
        return [self._task(slot, "1.0", "shutdown", "shutdown", stopped), new]

    def _failed(self) -> Task:
        error = HOSTILE if self.hostile else "task: non-zero exit (1)"
        return self._task(
            3,
            HOSTILE_TAG if self.hostile else "bugged",
            "failed",
            "shutdown",
            self.began - timedelta(minutes=3),
            born=self.began - timedelta(minutes=4),
            node=HOSTILE if self.hostile else "node-1",
            error=error,
            ports=HOSTILE if self.hostile else "",
        )

    def _task(
        self,
        slot: int,
        tag: str,
        state: str,
        desired: str,
        at: datetime,
        *,
        born: datetime | None = None,
        node: str = "node-1",
        error: str = "",
        ports: str = "",
    ) -> Task:
        return Task(
            id=f"{slot:04d}{sum(tag.encode()) % 1000:03d}{'abcdefghijklmnopqr'}",
            slot=slot,
            image=f"lab/dockercoins_worker:{tag}",
            node=node,
            state=state,
            desired_state=desired,
            status_at=at,
            created_at=born or self.began - timedelta(minutes=2),
            error=error,
            ports=ports,
            node_id="nodeid",
            service_id="serviceid",
        )

    def _service(self, name: str, at: datetime) -> Service:
        start = self.began + timedelta(seconds=self.rest)
        end = start + timedelta(seconds=(self.slots // self.at_once + 2) * self.pace)
        message = HOSTILE if self.hostile else "update in progress"
        status = None
        if at >= end:
            status = UpdateStatus(
                state="completed", message="update completed", started_at=start, completed_at=end
            )
        elif at >= start:
            status = UpdateStatus(state="updating", message=message, started_at=start)
        return Service(
            id="serviceid",
            name=name,
            version=1,
            image=f"lab/dockercoins_worker:{'1.0' if status is None else self.new}",
            replicas=self.slots,
            update_config=UpdateConfig(),
            rollback_config=RollbackConfig(),
            update_status=status,
        )
