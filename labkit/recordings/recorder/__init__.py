"""A recorder: threads that look at a service again and again, and record what changed.

It looks often while something moves and seldom while nothing does. Swarm emits no event
for a task, but the engine emits some for its containers and for the service; each of
them wakes the recorder. It never spends more than a tenth of a processor on looking,
however large the service has grown.

| module     | one idea                                                                   |
|------------|----------------------------------------------------------------------------|
| `recorder` | what is held in the hand: start, stop, mark, wait                          |
| `poller`   | when to look, and what to make of an answer, or of none                    |
| `wakeups`  | the engine's events, which wake it                                         |
| `meter`    | the application's own count, in a thread that nobody waits for             |
| `live`     | the recording while several threads add to it; whoever waits for a change  |
| `file`     | the file that it is written to                                             |

A recorder polls anything that has `snapshot(service)`; what it also takes from a `Swarm`
is `events(...)`, `about()`, `provenance`, and the clock (`now()`, `ask_now()`, `speed`),
where there is one.
"""

from __future__ import annotations

from labkit.recordings.recorder.poller import Source
from labkit.recordings.recorder.recorder import Recorder

__all__ = ["Recorder", "Source"]
