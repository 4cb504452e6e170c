"""A recorder: jobs that poll a service and record what changed.

It polls often while something moves and rarely while nothing does. Swarm emits no event
for a task, but the engine emits some for its containers and for the service; each of
them wakes the recorder, which then polls very often until it sees what the event announced.
It never spends more than a tenth of a processor on polling, however large the service has
grown.

| module     | one idea                                                                   |
|------------|----------------------------------------------------------------------------|
| `recorder` | the recorder itself: start, stop, mark, wait; the application's own count |
| `poller`   | polling: when, and what to make of an answer, or of none                   |
| `timeline` | a time line that goes on evenly when a clock is set                        |
| `wakeups`  | the engine's events, which wake it                                         |
| `live`     | the recording while jobs add to it and others wait for changes; its file   |

A recorder polls anything that has `snapshot(service)`; what it also takes from a `Swarm`
is `events(...)`, `about()`, `provenance`, `identity()`, and the clock (`now()`, `ask_now()`,
`speed`), where there is one.
"""

from labkit.recordings.recorder.recorder import Recorder

__all__ = ["Recorder"]
