"""How fast dockercoins works, asked of its own web page."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from labkit.base.errors import LabError, NotSettled
from labkit.base.jobs import poll
from labkit.engines import page, ports
from labkit.engines.private.private import ADDRESS_LABEL
from labkit.recordings.recorder import Recorder
from labkit.recordings.recorder.poller import Until
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen
from labkit.recordings.speed import rate
from labkit.recordings.update.phases import settled
from labkit.recordings.values import Service
from labkit.swarm.client import Swarm
from labkit.swarm.client.wire import Connection
from labkit.swarm.ownership import NAMESPACE

#: A worker that redis did not answer tries again after ten seconds.
_PATIENCE_SECONDS = 36
_POLL_SECONDS = 0.2
#: Between two samples of the counter, as in a recording.
_SAMPLE_SECONDS = 0.5
#: Of a worker's log; with DEBUG, it writes a dozen lines for each that `_COUNTED` matches.
_LAST_LINES = 20
#: What a worker writes whenever it adds to the counter, after the engine's time of the line.
_COUNTED = re.compile(rb"([\d:.TZ-]+) [^\n]*?(\d+) units of work done")
#: How long one answer may take; the meter's next question is due sooner.
_ANSWER_SECONDS, _METER_SECONDS = 5, 2


#: In place of an address.
_NO_PAGE = ports.Address("(no web page: a browser opens no port of the engine in it)")


_Page = Connection | page.Published


class _Answer(NamedTuple):
    hashes: int
    #: The page's own clock, in seconds since 1970.
    now: float


def webui(swarm: Swarm, stack: str) -> ports.Address:
    """Return the address of the stack's web page for the learner's browser."""
    published = port(swarm, stack)
    if swarm.url == page.URL:
        return _NO_PAGE
    return ports.address(published, host(swarm), here=ports.are_here(swarm))


def port(swarm: Swarm, stack: str) -> int:
    """Return the port that the stack's web page is published on."""
    published = ports.of_service(swarm.service(f"{stack}_webui"))
    if not published:
        raise LabError(
            f"{stack}_webui to publish a port.",
            "it does not publish one.",
            "deploy the stack from the lab's docker-compose.yml.",
        )
    return published[0]


def host(swarm: Swarm) -> str:
    """Return the host at which this machine reaches the ports that the engine publishes.

    A private engine has a network of its own, and says where in a label.
    """
    engine = urlsplit(swarm.url)
    if engine.scheme in ("tcp", "http", "https", "ssh") and engine.hostname:
        return engine.hostname
    return swarm.labels().get(ADDRESS_LABEL, "localhost")


def speed(swarm: Swarm, stack: str, seconds: float = 4) -> float:
    """Return how many hashes a second all workers make together, measured over `seconds`.

    Measures once every replica has added to the counter, and again if one of them adds
    nothing meanwhile: an application that has only half started has no speed yet. Raises
    `NotSettled` after 36 s of that, and `LabError` if the web page does not answer. Where
    tasks only act, it returns 0: there is no web page, and nothing makes hashes.
    """
    if swarm.provenance == "acted":
        return 0
    worker = f"{stack}_worker"
    with closing(_page(swarm, stack)) as page:
        for waited in poll(_PATIENCE_SECONDS, _POLL_SECONDS):
            replicas, before = _counted(swarm, worker)
            counting = len(before)
            if counting != replicas:
                continue
            try:
                samples = [_ask(page) for _ in poll(seconds, _SAMPLE_SECONDS)]
            except LabError:
                if waited >= _PATIENCE_SECONDS:
                    raise
                continue
            after = _counted(swarm, worker)[1]
            counting = sum(after.get(task, when) != when for task, when in before.items())
            # the counter falls where redis was started again
            if counting == len(after) == replicas and samples == sorted(samples):
                return rate(
                    [HashesSeen(datetime.fromtimestamp(each.now, UTC), *each) for each in samples]
                )
    raise NotSettled(
        f"all {replicas} workers of {stack} to make hashes.",
        f"{counting} of them did within {_PATIENCE_SECONDS} s, so their speed is not known.",
        f"see which of them do not run with `labkit stack ps {stack}`, or read their output with "
        f'`labkit.logs("{worker}")`; then measure again.',
    )


def _counted(swarm: Swarm, worker: str) -> tuple[int, dict[str, bytes]]:
    """Return how many replicas worker is to have, and which tasks have counted: when last."""
    service = Service.from_api(swarm.service(worker))
    tasks = [
        task.id
        for task in swarm.task_values(service=service.id)
        if task.running and task.desired_state == "running"
    ]
    counted = {}
    for task in tasks:
        lines = _COUNTED.findall(swarm.task_log(task, _LAST_LINES))
        if lines and int(lines[-1][1]):  # the first line of each worker says 0
            counted[task] = lines[-1][0]
    return len(tasks) if service.replicas is None else service.replicas, counted


def recorder(
    swarm: Swarm,
    service: str,
    path: Path,
    *,
    until: Until | None = settled,
    before: Recording | None = None,
) -> Recorder:
    """Return a recorder of a service, not started yet, that also counts its stack's hashes.

    With `before` it goes on with what was recorded before.
    """
    counts = meter(swarm, service)
    return Recorder(swarm, service, path, until=until, meter=counts, before=before)


def meter(swarm: Swarm, service: str) -> Callable[[], tuple[int, float]] | None:
    """Return what asks the web page of the service's stack how many hashes were made, and when.

    The time is the page's own, in seconds since 1970. `None` if the service is of no stack,
    or its stack has no `webui` that publishes a port. What is returned raises `LabError`
    where there is no answer within two seconds.
    """
    try:
        stack = (swarm.service(service)["Spec"].get("Labels") or {}).get(NAMESPACE)
        return _Meter(_page(swarm, stack), swarm.sleep_after) if stack else None
    except LabError:
        return None


class _Meter:
    """Asks the page again and again, on one connection until that is closed.

    An application that sleeps where nobody looks at it would not, if it was always asked.
    """

    def __init__(self, page: _Page, sleep_after: float | None) -> None:
        self._page = page
        self.patience = sleep_after or float("inf")
        self.close = page.close

    def __call__(self) -> _Answer:
        return _ask(self._page, _METER_SECONDS)


def _page(swarm: Swarm, stack: str) -> _Page:
    at, in_browser = port(swarm, stack), swarm.url == page.URL
    return page.Published(at) if in_browser else Connection(f"{host(swarm)}:{at}")


def _ask(page: _Page, timeout: float = _ANSWER_SECONDS) -> _Answer:
    try:
        answer = page.ask("GET", "/json", None, timeout)
        if answer.status >= 400:
            raise OSError(f"status {answer.status}")
        said = json.loads(answer.body)
        return _Answer(int(said["hashes"]), float(said["now"]))
    # an OverflowError is for JSON's Infinity
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as problem:
        raise LabError(
            f"the web page of dockercoins at http://{page.host}:{page.port}.",
            f"no readable answer: {problem}",
            "see whether webui and redis run: `labkit stack ps` and the name of your stack.",
        ) from None
