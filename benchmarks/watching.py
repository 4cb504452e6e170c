"""One update of ten replicas, seen by `labkit record` and by `watch -n1 "docker service ps"`.

Both look at the same update at the same time. Latency is the time from a task's change of
state, by the engine's own timestamp, to its being in the recording, and in what `watch`
printed. Cost is the processor time of `labkit record` from its start to its end, imports
included, and of `watch` with every process that it started, over the same seconds.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from resource import struct_rusage
from tempfile import TemporaryDirectory

from benchmarks.report import pair
from labkit import engines, images, lessons, services
from labkit.recording import Recording, TaskSeen
from labkit.swarm import Swarm

#: A state that lasts shorter than `watch` waits is never seen by it; these last.
_LASTING = {"running", "shutdown"}


def run() -> None:
    """Update all ten replicas once, and print both figures."""
    swarm = engines.connect()
    step = lessons.find(1)
    with redirect_stdout(io.StringIO()):
        lessons.reset(swarm, step)
    with TemporaryDirectory() as folder:
        file, log = Path(folder) / "update.jsonl", Path(folder) / "watch.log"
        labkit = _start_labkit(step.worker, file)
        watch = _start_watch(step.worker, log)
        with redirect_stdout(io.StringIO()):
            services.update(swarm, step.worker, image=_other_image(swarm, step))
        _, _, labkit_used = os.wait4(labkit.pid, 0)
        watch.send_signal(signal.SIGINT)
        _, _, watch_used = os.wait4(watch.pid, 0)
        recording = Recording.load(file)
        changed = _changes(recording)
        print(f"{len(changed)} changes of state that last, by {recording.header.engine}")
        mine = [(seen - at).total_seconds() * 1000 for (_, _), (at, seen) in changed.items()]
        theirs = list(_latencies_of_watch(log, changed))
    pair("change of state to being seen, median", _median(mine), _median(theirs), "ms", "watch")
    pair("processor time over the whole update", _cpu(labkit_used), _cpu(watch_used), "s", "watch")


def _other_image(swarm: Swarm, step: lessons.Step) -> str:
    """Return an image for the update: the same one under another tag will do."""
    images.tag(swarm, step.image("1.0"), step.image("bench"))
    return step.image("bench")


def _start_labkit(service: str, file: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "labkit", "record", service, "-o", str(file), "--until-settled"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    while not file.exists():
        time.sleep(0.02)
    return process


def _start_watch(service: str, log: Path) -> subprocess.Popen[bytes]:
    watch = shutil.which("watch")
    if watch is None or shutil.which("docker") is None:
        raise SystemExit("this benchmark compares with `watch` and `docker`; install both")
    look = (
        f"{{ docker service ps --no-trunc "
        f"--format '{{{{.ID}}}} {{{{.CurrentState}}}}' {service}; date +'=%s.%N'; }} >> {log}"
    )
    environment = os.environ | {"TERM": "xterm"}
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


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


def _cpu(used: struct_rusage) -> float:
    return float(used.ru_utime + used.ru_stime)
