"""One update of ten replicas, seen by `labkit record` and by `watch -n1 "docker service ps"`.

Both look at the same update at the same time. Latency is the time from a task's change of
state, by the engine's own timestamp, to its being in the recording, and in what `watch`
printed. Cost is the processor time of `labkit record` from its start to its end, imports
included, and of `watch` with every process that it started, over the same seconds.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from resource import struct_rusage
from tempfile import TemporaryDirectory

from benchmarks.coins import NEW_TAG, Coins, deployed
from benchmarks.report import pair
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import TaskSeen
from labkit.swarm import services
from tests.waiting import until

#: A state that lasts shorter than `watch` waits is never seen by it; these last.
_LASTING = {"running", "shutdown"}


def run() -> None:
    """Update all ten replicas once, and print both figures."""
    with deployed() as coins, TemporaryDirectory() as folder:
        file, log = Path(folder) / "update.jsonl", Path(folder) / "watch.log"
        labkit = _start_labkit(coins, file)
        watch = _start_watch(coins, log)
        _update(coins)
        _, _, labkit_used = os.wait4(labkit.pid, 0)
        watch.send_signal(signal.SIGINT)
        _, _, watch_used = os.wait4(watch.pid, 0)
        changed = _changes(Recording.load(file))
        print(f"{len(changed)} changes of state that last")
        mine = [(seen - at).total_seconds() * 1000 for (_, _), (at, seen) in changed.items()]
        theirs = list(_latencies_of_watch(log, changed))
    pair("change of state to being seen", mine, theirs, "ms", "watch")
    pair(
        "processor time over the whole update",
        [_cpu(labkit_used)],
        [_cpu(watch_used)],
        "s",
        "watch",
    )


def _update(coins: Coins) -> None:
    """Update worker to the same image under another tag."""
    with redirect_stdout(io.StringIO()):
        repository = coins.image("").rstrip(":")
        coins.swarm.post(f"/images/{coins.image('1.0')}/tag", repo=repository, tag=NEW_TAG)
        services.update(coins.swarm, coins.worker, image=coins.image(NEW_TAG))


def _start_labkit(coins: Coins, file: Path) -> subprocess.Popen[bytes]:

    def start(file: Path, *until: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "labkit", "record", coins.worker, "-o", str(file), *until]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, env=coins.environment)

    # what it needs is compiled by then
    start(file.with_name("first.jsonl"), "--for", "0.1").wait()
    process = start(file, "--until-settled")
    until(file.exists, "the recording to begin")
    return process


def _start_watch(coins: Coins, log: Path) -> subprocess.Popen[bytes]:
    watch = shutil.which("watch")
    if watch is None or shutil.which("docker") is None:
        raise SystemExit("this benchmark compares with `watch` and `docker`; install both")
    look = (
        f"{{ docker service ps --no-trunc "
        f"--format '{{{{.ID}}}} {{{{.CurrentState}}}}' {coins.worker}; date +'=%s.%N'; }} >> {log}"
    )
    environment = coins.environment | {"TERM": "xterm"}
    return subprocess.Popen(
        [watch, "-n1", look], stdout=subprocess.DEVNULL, env=environment, stdin=subprocess.DEVNULL
    )


def _changes(recording: Recording) -> dict[tuple[str, str], tuple[datetime, datetime]]:
    """Return, for each task and lasting state that came up: when it came, and when it was seen."""
    found: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for change in recording.changes:
        if not isinstance(change, TaskSeen) or change.task.state not in _LASTING:
            continue
        if change.task.status_at > recording.header.started:
            key = change.task.id, change.task.state
            found.setdefault(key, (change.task.status_at, change.at))
    return found


def _latencies_of_watch(
    log: Path, changed: dict[tuple[str, str], tuple[datetime, datetime]]
) -> Iterator[float]:
    """Return after how many milliseconds `watch` showed each change; `=` is when it printed."""
    waiting = dict(changed)
    listed: list[tuple[str, str]] = []
    for line in log.read_text().splitlines():
        if line.startswith("="):
            printed = datetime.fromtimestamp(float(line[1:]), UTC)
            for key in listed:
                if key in waiting:
                    yield (printed - waiting.pop(key)[0]).total_seconds() * 1000
            listed = []
        elif row := re.match(r"(\w{25}) (\w+)", line):
            listed.append((row.group(1), row.group(2).lower()))


def _cpu(used: struct_rusage) -> float:
    return float(used.ru_utime + used.ru_stime)
