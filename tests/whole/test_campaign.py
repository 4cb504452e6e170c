"""A campaign of faults while a service is recorded: no row is lost, and none is made up.

Each fault breaks something and mends it. What was in the file before it is there after it, row
by row; what nobody could see is a gap with nothing in it; the file is what the recorder knows.
The service's image exists nowhere, so that its tasks come and go all the time.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit import engines
from labkit.api import up
from labkit.base.errors import LabError, NotAManager, NotFound, RecordingProblem
from labkit.engines import membership, nodes, state
from labkit.engines.background import BackgroundEngine
from labkit.engines.private.private import PrivateEngine
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Gap, ServiceRemoved, ServiceSeen, TaskSeen
from labkit.recordings.values import Snapshot
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests.engines.disturbed import NEW, OLD, played
from tests.waiting import until
from tests.whole.labs import home
from tests.whole.test_faults import NOBODY_HAS, create

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

#: Longer than an answer may take without leaving a gap.
FROZEN_SECONDS = 3.5


@dataclass
class Lab:
    """An engine, and a recorder of its service `s`."""

    engine: BackgroundEngine
    recorder: Recorder
    #: How often the recorder has polled.
    polls: Callable[[], int]

    def await_gap(self) -> None:
        until(lambda: self.recorder.engine_trouble, "the gap", 60)

    def await_polls(self) -> None:
        """Wait until the recorder has seen what there is to see now."""
        enough = self.polls() + 3
        until(lambda: self.polls() >= enough, "three more polls", 60)


# ---- the faults ------------------------------------------------------------------------


def freeze(lab: Lab) -> None:
    process = lab.engine.process()
    process.suspend()
    thaws = time.monotonic() + FROZEN_SECONDS
    until(lambda: time.monotonic() > thaws, "the time that it is frozen for")
    lab.engine.wake()


def kill(lab: Lab) -> None:
    lab.engine.process().kill()
    lab.await_gap()
    lab.engine.start()


def restart(lab: Lab) -> None:
    lab.engine.stop()
    lab.await_gap()
    lab.engine.start()


def leave(lab: Lab) -> None:
    swarm = Swarm.at(lab.engine.url)
    swarm.post("/swarm/leave", force="true")
    lab.await_gap()
    membership.ensure(swarm)


def lose_a_node(lab: Lab) -> None:
    nodes.disturb(Swarm.at(lab.engine.url), "kill", "node-2")
    lab.recorder.wait_for(lambda r: "down" in {node.state for node in r.nodes}, "its silence", 60)


def tear_the_network(lab: Lab) -> None:
    assert isinstance(lab.engine, PrivateEngine)
    subprocess.run(["ip", "link", "del", lab.engine.network.name], check=True)
    lab.engine.start()
    assert lab.engine.network.is_whole(lab.engine.process().pid)


def lock(lab: Lab) -> None:
    swarm = Swarm.at(lab.engine.url)
    _autolock(swarm, True)
    key = swarm.get("/swarm/unlockkey")["UnlockKey"]
    lab.engine.stop()
    lab.await_gap()
    with pytest.raises(NotAManager, match="docker swarm unlock"):
        membership.ensure(lab.engine.start())
    swarm.post("/swarm/unlock", {"UnlockKey": key})
    until(lambda: membership.ensure(swarm) is False, "the swarm to be a swarm again")
    _autolock(swarm, False)


def _autolock(swarm: Swarm, on: bool) -> None:
    about = swarm.get("/swarm")
    spec = about["Spec"] | {"EncryptionConfig": {"AutoLockManagers": on}}
    swarm.post("/swarm/update", spec, version=str(about["Version"]["Index"]))


def fill_the_disk(lab: Lab) -> None:
    filler = lab.recorder.path.with_name("filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(512)):
            pass
    until(lambda: lab.recorder.file_trouble, "the disk to be full", 60)
    filler.unlink()
    until(lambda: not lab.recorder.file_trouble, "what is kept in memory to be written", 60)


# ---- the campaign ----------------------------------------------------------------------


def play(engine: BackgroundEngine, fault: Callable[[Lab], None], follows: str, file: Path) -> None:
    """Record, have a fault, and compare."""
    swarm, polls = engine.start(), 0
    membership.ensure(swarm)
    sooner = {"Delay": (1 if swarm.speed == 1 else 5) * 10**9}
    create(swarm, "s", NOBODY_HAS, replicas=2, RestartPolicy=sooner)
    poll = swarm.snapshot

    def counting(*args: Any) -> Snapshot:
        nonlocal polls
        polls += 1
        return poll(*args)

    swarm.snapshot = counting  # type: ignore[method-assign, assignment]
    recorder = Recorder(swarm, "s", file, until=None).start()
    lab = Lab(engine, recorder, lambda: polls)
    recorder.wait_for(lambda r: len(r.tasks) > 3, "tasks", 60)
    before = file.read_bytes().splitlines(keepends=True)
    known = set(recorder.recording.tasks)

    fault(lab)
    match follows:
        case "goes on":
            recorder.wait_for(lambda r: bool(set(r.tasks) - known), "a new task", 90)
        case "removed":
            recorder.wait_for(lambda r: bool(r.of(ServiceRemoved)), "the service to be gone", 60)
        case "another engine":
            until(lambda: "Another engine" in recorder.engine_trouble, "that to be noticed", 60)
            create(Swarm.at(engine.url), "s", NOBODY_HAS, replicas=2)
            lab.await_polls()
    recorder.stop()
    with suppress(NotFound):
        Swarm.at(engine.url).delete("/services/s")

    assert (fault, follows) != (kill, "goes on") or len(recorder.recording.gaps()) == 1
    compare(recorder, before, ends_silent=follows == "another engine")


def compare(recorder: Recorder, before: list[bytes], *, ends_silent: bool) -> None:
    """Compare a file with what it had before, and with what its recorder knows."""
    assert recorder.path
    rows = recorder.path.read_bytes().splitlines(keepends=True)
    assert rows[: len(before)] == before
    recording = Recording.load(recorder.path)
    assert recording == recorder.recording
    assert not recording.torn_lines
    assert len({each.service.id for each in recording.of(ServiceSeen)}) == 1
    assert [each.at for each in recording.changes] == sorted(each.at for each in recording.changes)
    silent = False
    for change in recording.changes:
        silent = isinstance(change, Gap) or (silent and not isinstance(change, Back))
        assert not (silent and isinstance(change, TaskSeen | ServiceSeen)), change
    assert silent == ends_silent


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "follows"),
    [
        (freeze, "goes on"),
        (kill, "another engine"),
        (restart, "another engine"),
        (leave, "removed"),
        (lose_a_node, "goes on"),
    ],
)
def test_a_recording_on_the_simulated_engine(fault, follows, tmp_path):
    with home(tmp_path):
        engines.simulated().start(1 + (fault is lose_a_node))
        play(engines.simulated(), fault, follows, tmp_path / "r.jsonl")


def restart_in_mid_update(engine: BackgroundEngine, folder: Path, *, goes_on: bool) -> None:
    """Record two updates, one and two slots at a time, and restart their manager meanwhile."""
    swarm = engine.start()
    membership.ensure(swarm)
    base = images.base_image(swarm)
    for name, tag in (image.split(":") for image in (OLD, NEW)):
        swarm.post(f"/images/{base}/tag", repo=name, tag=tag)
    with played(swarm, "", replicas=4) as two:
        files = [folder / f"{name}.jsonl" for name in ("one", "two")]
        recorders = [Recorder(swarm, file.stem, file, until=None).start() for file in files]
        for each in recorders:
            each.wait_for(lambda r: len(r.changes) > 12, "rows", 60)
        before = [file.read_bytes().splitlines(keepends=True) for file in files]
        restart(Lab(engine, recorders[0], int))
        if goes_on:
            last = two.until(lambda look: look.settled, "both updates to be over", 180)
            assert last.states <= {"completed", "rollback_completed"}
        for each in recorders:
            if not goes_on:
                until(partial(_knows_another, each), "another engine to be noticed", 60)
            each.stop()
    for recorder, rows in zip(recorders, before, strict=True):
        compare(recorder, rows, ends_silent=not goes_on)
        for _, _, reason in recorder.recording.gaps():
            # one that ends may have taken its socket away, or closes a connection with no answer
            known = (
                "is restarting|Connection refused|Broken pipe|No such file|Another engine|"
                "Remote end closed connection without response|Connection reset by peer|"
                "code = (Unavailable|Canceled)"
            )
            assert re.search(known, reason), reason


def _knows_another(recorder: Recorder) -> bool:
    return "Another engine" in recorder.engine_trouble


@pytest.mark.long
def test_the_recordings_of_two_updates_end_with_their_simulated_engine(tmp_path: Path) -> None:
    with home(tmp_path):
        restart_in_mid_update(engines.simulated(), tmp_path, goes_on=False)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """A private engine, if one can be had; each fault leaves it whole."""
    engine = PrivateEngine(tmp_path_factory.mktemp("lab") / "engine")
    if why_not := engine.why_not():
        pytest.skip(why_not)
    with closing_engine(engine):
        yield engine


def test_two_updates_go_on_when_their_manager_is_back(private: PrivateEngine, tmp_path: Path):
    restart_in_mid_update(private, tmp_path, goes_on=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("fault", "follows"),
    [
        (freeze, "goes on"),
        (kill, "goes on"),
        (tear_the_network, "goes on"),
        (lock, "goes on"),
        (fill_the_disk, "goes on"),
        (leave, "removed"),
    ],
)
def test_a_recording_on_a_private_engine(fault, follows, private, small_disk):
    play(private, fault, follows, small_disk / "r.jsonl")


@contextmanager
def closing_engine(engine: BackgroundEngine) -> Iterator[BackgroundEngine]:
    try:
        yield engine
    finally:
        engine.remove()


# ---- those who record ------------------------------------------------------------------

#: Does as JupyterLab: has a kernel, which records, and says which process that is.
JUPYTER = """
import sys
from jupyter_client import KernelManager
manager = KernelManager()
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=60)
client.execute(sys.argv[1], reply=True, timeout=60)
print("kernel", manager.provisioner.pid, flush=True)
sys.stdin.read()
"""
IN_THE_KERNEL = """
import labkit
recorder = labkit.record("s", path={file!r}, until_settled=False)
"""


@pytest.mark.long
def test_what_two_kernels_record_is_whole_when_their_jupyterlab_is_killed(tmp_path: Path) -> None:
    """A third goes on with one of them, and nobody writes to the file of another."""
    files = [tmp_path / f"{number}.jsonl" for number in (1, 2)]
    with home(tmp_path), ExitStack() as ended:
        swarm = engines.simulated().start()
        create(swarm, "s", NOBODY_HAS, replicas=2)
        labs = []
        for file in files:
            words = [sys.executable, "-c", JUPYTER, IN_THE_KERNEL.format(file=str(file))]
            pipe = subprocess.PIPE
            labs.append(subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True))
            ended.enter_context(labs[-1])
            ended.callback(labs[-1].kill)
        said = [next(line for line in each.stdout if line.startswith("kernel")) for each in labs]
        kernels = [psutil.Process(int(line.split()[1])) for line in said]
        until(lambda: all(len(Recording.load(file).tasks) > 3 for file in files), "tasks", 60)
        with pytest.raises(RecordingProblem):
            Recorder(swarm, "s", files[0])

        before = [file.read_bytes().splitlines(keepends=True) for file in files]
        for each in labs:
            each.send_signal(signal.SIGKILL)
        until(lambda: not any(each.is_running() for each in kernels), "the kernels to end", 60)

        for file, rows in zip(files, before, strict=True):
            assert file.read_bytes().splitlines(keepends=True)[: len(rows)] == rows
        first, second = map(Recording.load, files)
        assert not first.torn_lines + second.torn_lines
        assert first.ended is second.ended is None
        third = Recorder(swarm, "s", tmp_path / "3.jsonl", until=None, before=first).start()
        third.wait_for(lambda r: bool(set(r.tasks) - set(first.tasks)), "a new task", 60)
        third.stop()
        assert third.recording.changes[: len(first.changes)] == first.changes
        assert Recording.load(tmp_path / "3.jsonl") == third.recording


# ---- down ------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("halted", ["frozen", "killed", "left", "answering"])
def test_down_ends_the_lab_s_own_engine_however_it_is(halted, everything, tmp_path):
    with home(tmp_path):
        engine = engines.simulated()
        swarm = engine.start()
        process = engine.process()
        state.write(state.State(engine=engine.url, kind="simulated", stacks=["dc"]))
        leave = partial(swarm.post, "/swarm/leave", force="true")
        fates: dict[str, Callable[[], object]]
        fates = {"frozen": process.suspend, "killed": process.kill, "left": leave}
        fates.get(halted, lambda: None)()
        began = time.monotonic()
        up.down(everything=everything)

        assert time.monotonic() - began < 15
        assert engine.process() is None
        assert engine.folder.exists() != everything
        assert state.read() == state.State()


@pytest.mark.again  # others show on a simulated engine that `down` ends what cannot be asked
def test_down_ends_a_private_engine_whose_swarm_is_locked(tmp_path, capsys):
    """An engine of yours goes on, and what `up` made on it is remembered until it is unlocked."""
    with home(tmp_path), closing_engine(engines.private()) as engine:
        if why_not := engine.why_not():
            pytest.skip(why_not)
        swarm = engine.start()
        membership.ensure(swarm)
        _autolock(swarm, True)
        engine.stop()
        engine.start()
        made = state.State(engine.url, "yours", swarm_created=True, stacks=["dc"])
        with home(tmp_path / "other"):
            state.write(made)
            with pytest.raises(LabError, match=r"docker swarm unlock(.|\n)* `labkit down` again"):
                up.down(everything=True)
            assert state.read() == made
        for everything in (False, True):
            engine.start()
            state.write(replace(made, kind="private"))
            up.down(everything=everything)
            assert engine.process() is None
            assert engine.folder.exists() != everything
            assert state.read() == state.State()
        assert "Its stacks were not removed, and come back with it" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("fate", ["left", "killed"])
def test_down_knows_what_it_could_not_remove_from_an_engine_of_yours(fate, tmp_path, capsys):
    """Of a swarm that was left nothing is left to remove."""
    with home(tmp_path), closing_engine(engines.simulated()) as engine:
        swarm = engine.start()
        yours = tmp_path / "yours.sock"
        yours.symlink_to(engine.url.removeprefix("unix://"))
        made = state.State(f"unix://{yours}", "yours", swarm_created=True, stacks=["dc"])
        state.write(made)
        if fate == "left":
            swarm.post("/swarm/leave", force="true")
            up.down()
            said = capsys.readouterr().out
            assert "The swarm was left before, and its stacks ended with it." in said
            assert state.read() == state.State()
        else:
            engine.stop()
            with pytest.raises(Exception, match="`labkit down` again: it knows what `up` made"):
                up.down()
            assert state.read() == made
