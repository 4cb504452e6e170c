"""Each time that somebody wrote a service: an update, a scale, a deploy that changed nothing.

Only a change of what a task is made of begins an update. A change of the replica count, or
the same spec once more, is to be seen in the service alone: in its version, and in its
update status, which every write takes away. Pure.
"""

from dataclasses import dataclass

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, ServiceRemoved, ServiceSeen, TaskSeen
from labkit.recordings.update.phases import leaving
from labkit.recordings.values import Service, Task


@dataclass(frozen=True, slots=True)
class SpecUpdate:
    """A write, and what came of it until another spec was written."""

    before: Service
    after: Service
    #: The slots that had a task when it was written, and the ids of all tasks seen by then.
    had: frozenset[int | None]
    known: frozenset[str]
    #: What was seen from then on, with what was there.
    since: Recording

    @property
    def same(self) -> bool:
        """Whether it asked for the image and the replicas that were asked for already."""
        return _image_and_replicas(self.before) == _image_and_replicas(self.after)

    @property
    def scaled(self) -> bool:
        """Whether it asked for another number of replicas."""
        return self.before.replicas != self.after.replicas

    @property
    def over(self) -> bool:
        """Whether everything that is asked for is there, and nothing else."""
        service = self.since.service
        if service is None:
            return False
        status = service.update_status
        if status is not None and not status.settled:
            return False
        if status is not None and status.state != "completed":
            return True  # it goes no further, whatever runs
        live = [task for task in self.since.current if not task.ended]
        running = [task for task in live if task.running and task.image == service.image]
        enough = service.replicas is None or len(running) == service.replicas
        return enough and len(running) == len(live) and not any(map(leaving, live))

    @property
    def new(self) -> list[Task]:
        """The tasks that were made since, in the order in which they were first seen."""
        return [task for key, task in self.since.tasks.items() if key not in self.known]

    @property
    def replaced(self) -> list[int]:
        """The slots that had a task and were given another one, in that order."""
        slots = (task.slot for task in self.new if task.slot is not None)
        return [slot for slot in dict.fromkeys(slots) if slot in self.had]

    @property
    def filled(self) -> list[int]:
        """The slots that had no task and were given one, by number."""
        return sorted({task.slot for task in self.new if task.slot is not None} - self.had)


def spec_updates(recording: Recording) -> list[SpecUpdate]:
    """Return what was written under a recording, the oldest first.

    What was there at the first look, or at the first after a gap, was written unseen.
    """
    made: list[SpecUpdate] = []
    lasting: list[SpecUpdate] = []
    seen = Recording(recording.header)
    unseen = True
    for change in recording.changes:
        before = None if unseen else seen.service
        if isinstance(change, ServiceRemoved | Back):
            unseen = True
        elif isinstance(change, ServiceSeen):
            # what was seen last may be a write whose update is yet to come
            last = bool(made) and before is not None and before.update_status is None
            may_come = last and made[-1].after == before
            if before and _is_spec_update(before, change.service, may_come=may_come):
                requested = _image_and_replicas(change.service)
                lasting = [
                    update for update in lasting if _image_and_replicas(update.after) == requested
                ]
                made.append(_spec_update(seen, before, change.service))
                lasting.append(made[-1])
            unseen = False
        seen.add(change)
        for update in lasting:
            update.since.add(change)
    return made


def _spec_update(seen: Recording, before: Service, after: Service) -> SpecUpdate:
    """Return a write with nothing that came of it yet."""
    there = (TaskSeen(seen.last_at, task) for task in seen.current)
    since = Recording(seen.header).add_all(there)
    had = frozenset(task.slot for task in seen.current if not task.ended)
    return SpecUpdate(before, after, had, frozenset(seen.tasks), since)


def _is_spec_update(before: Service, now: Service, *, may_come: bool) -> bool:
    """Whether a service as it is now was written since it was as before."""
    status, last = now.update_status, before.update_status
    if _image_and_replicas(before) != _image_and_replicas(now):
        # a rollback by Swarm itself is the same update still
        return not (status and last and status.started_at == last.started_at)
    if status is None:
        return now.version != before.version
    if last is None:
        return not may_come
    return status.started_at != last.started_at


def _image_and_replicas(service: Service) -> tuple[object, ...]:
    return service.image, service.replicas
