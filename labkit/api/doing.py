"""What a learner calls: `import labkit`, then a dozen names.

Each call uses the engine that `connect` found last, and finds one if there was no call
to `connect` yet.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from labkit import engines, lessons
from labkit.api import up as lab
from labkit.base import browser, echo, settings
from labkit.base.errors import BadValue
from labkit.base.fields import blanks
from labkit.base.files import unused
from labkit.engines import nodes as node_containers
from labkit.engines import page, state
from labkit.lessons import coins, room
from labkit.lessons.notebooks import cells
from labkit.lessons.practice import activity_log, exercise_session
from labkit.recordings import comparison, story
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording import Recording
from labkit.recordings.update import prediction
from labkit.recordings.update.phases import settled
from labkit.swarm import services, spec_change
from labkit.swarm.client import Swarm
from labkit.swarm.images import images

if TYPE_CHECKING:
    from labkit.views import Comparison, Replay, Watch


class _HasRecording(Protocol):
    @property
    def recording(self) -> Recording: ...


#: What `show` takes: a recording, the path of its file, or a view or recorder with one.
Shown = Recording | Path | str | _HasRecording

_current: Swarm | None = None
_recorder: Recorder | None = None
#: What was built last: its tag, its id, the folder, and the hash of the folder's files then.
_built: tuple[str, str, Path, str] | None = None


def connect(engine: str | None = None) -> Swarm:
    """Find the lab's engine and say which it is. Later calls use it.

    `engine` is as in `labkit up --engine`; without it, the one that `labkit up` chose.
    Raises `NoEngine` or `NotAManager`, each with what to do about it.
    """
    global _current
    if engine is not None:
        require_text(engine=engine)
    if browser.is_here():  # where nobody else brings it up
        echo.say("Bringing up the lab in this page …")
        with echo.muted():
            lab.up()
    _current = engines.connect(engine)
    echo.say(f"Connected to {_current.about()}.")
    if (provenance := _current.provenance) != "engine":
        for line in engines.what_it_is(acts=provenance == "acted"):
            echo.say(line)
    if said := room.announcement():
        echo.say(said)
    return _current


def current_swarm() -> Swarm:
    """Return the swarm in use, connecting first if need be."""
    return connect() if _current is None or page.has_ended(_current) else _current


def watch(
    service: str,
    *,
    path: Path | str | None = None,
    until_settled: bool = True,
    parts: Sequence[str] | None = None,
) -> Watch:
    """Watch a service live, and record it. The view moves while other cells run.

    It ends by itself when an update has settled, unless `until_settled` is false.
    The recording goes to `path`, or to a new file under `.labkit/recordings/`.
    `parts` names what the view shows, such as `["replicas", "speed"]`; by default everything.
    """
    from labkit.views import Watch
    from labkit.views.parts import known_parts

    shown = known_parts(parts)  # what is refused is refused before anything is recorded
    return Watch(record(service, path=path, until_settled=until_settled), parts=shown)


def record(service: str, *, path: Path | str | None = None, until_settled: bool = True) -> Recorder:
    """Record a service in the background, without a view. Returns the running recorder.

    Where the service's stack has dockercoins' web page, its hashes are recorded too.

    >>> with labkit.record("dc_worker") as recorder:                # doctest: +SKIP
    ...     labkit.update("dc_worker", image="lab/dockercoins_worker:1.1")
    ...     recorder.wait()
    """
    require_text(service=service)
    global _recorder
    where = _path("path", path) if path is not None else _new_file(service)
    until = settled if until_settled else None
    _recorder = coins.recorder(current_swarm(), service, where, until=until).start()
    return _recorder


def resume() -> Watch | None:
    """Go on where you were after the kernel was restarted; returns the view, to be displayed.

    Gives the notebook `step`, `swarm`, `view` and `recording` back, and what it imports: those
    of the step that began last. What was recorded is there; where it had not ended, the
    recording goes on, in a file of its own. Raises `NotSettled` where no step has begun.
    """
    from labkit.views import Watch

    step, began, exercise_began = activity_log.begun_step()
    swarm = current_swarm()
    names: dict[str, object] = {"step": step, "swarm": swarm}
    recorder = (
        _last_recording(swarm, exercise_began)
        or exercise_session.resume(swarm)
        or _last_recording(swarm, began)
    )
    view = Watch(recorder) if recorder else None
    if view:
        names |= {"view": view, "recording": view.recording}
    notebook = vars(sys.modules["__main__"])
    exec(cells.imports(step.shipped), notebook)  # noqa: S102 - the lesson's own code
    notebook.update(names)
    echo.say(f"Notebook {step.number} continues. You have these again: {', '.join(names)}.")
    return view


def _last_recording(swarm: Swarm, since: datetime) -> Recorder | None:
    global _recorder
    if _recorder and _recorder.alive:  # the kernel was not restarted
        return _recorder
    path = activity_log.newest(settings.state_dir() / "recordings", since)
    if path is None:
        return None
    before = Recording.load(path)
    service = before.header.service
    where = path if before.ended else _new_file(service)
    _recorder = coins.recorder(swarm, service, where, before=before).start()
    return _recorder


def last_recorder() -> Recorder | None:
    """Return the last recorder that `watch` or `record` has made here, or `None`."""
    return _recorder


def show(recording: Shown, *more: Shown, names: Sequence[str] | None = None) -> Replay | Comparison:
    """Show what was recorded, with no engine: one recording to replay, several to compare.

    Each is a `Recording`, the path of its file, or a view or recorder that has one. `names`
    labels them in a comparison; by default with the file's name, or with what was asked of
    Swarm. Of a very long file only the last part is read. `.page` of the result is a page for
    any browser.
    Raises `RecordingProblem` for a file that is not a recording, and in a comparison for a
    recording in which nothing was updated.
    """
    from labkit.views import Comparison, Replay
    from labkit.views.state.view_state import MOST_CHANGES

    given = (recording, *more)
    latest = comparison.MOST_CHANGES if more else MOST_CHANGES
    recordings = [recording_of(each, latest) for each in given]
    if names is not None:
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise BadValue(f"names must be a list of texts, not {names!r}")
        for name in names:
            require_text(**{"each of the names": name})
        if len(names) != len(given):
            counts = f"{len(given)} recordings, but {len(names)} names"
            raise BadValue(f"each recording needs a name: {counts}")
    if not more:
        path = recording if isinstance(recording, str | Path) else None
        return Replay(recordings[0], path=path)  # a mark on a file goes into the file
    return Comparison(recordings, names or [*map(_name, given, recordings)])


def deploy(
    file: Path | str | Sequence[Path | str], name: str | None = None, *, prune: bool = False
) -> None:
    """Deploy a compose file as a stack, as `docker stack deploy -c FILE NAME` does."""
    several = file if isinstance(file, Sequence) and not isinstance(file, str) else [file]
    files = [_path("file", each) for each in several]
    name = _stack(name)
    engines.deploy(current_swarm(), files, name, prune=prune, env=state.compose_environment())


def remove(name: str | None = None) -> None:
    """Remove a stack, as `docker stack rm NAME` does, and wait until its last task is gone."""
    name = _stack(name)
    engines.remove(current_swarm(), name)


def update(
    service: str,
    *,
    image: str | None = None,
    replicas: int | None = None,
    update_config: spec_change.ConfigChange | None = None,
    rollback_config: spec_change.ConfigChange | None = None,
    force: bool = False,
) -> None:
    """Change a service, as `docker service update` does, and return at once.

    A config is given whole (`UpdateConfig(parallelism=2)`), or as some of its fields
    (`{"failure_action": "rollback"}`): then the others keep their values. `force` replaces
    every task even if nothing differs. If a value is still `...`, it says so and changes
    nothing.
    """
    require_text(service=service)
    asked = spec_change.Asked(
        image=image,
        replicas=replicas,
        update_config=update_config,
        rollback_config=rollback_config,
        force=force,
    )
    if left := blanks(asked):
        echo.say(f"A blank is left: {', '.join(left)}. Nothing was changed.")
        return
    swarm = current_swarm()
    services.update(swarm, service, **asked)
    if image and _edited_since_built(swarm, image):
        echo.say(
            f"Files in the folder of {image} have changed since you built it, and the image does "
            "not have those changes. Build it again, and update with force=True: to Swarm the same "
            "tag is the same image."
        )
    if (image or force or replicas is not None) and _view_has_ended(service):
        echo.say(f"The view of {service} has ended: labkit.watch opens one that shows this.")


def _edited_since_built(swarm: Swarm, image: str) -> bool:
    if not _built or _built[0] != image:
        return False
    _, built, folder, source = _built
    edited = images.source_hash(folder) != source
    return edited and images.has(swarm, image) and images.inspect(swarm, image)["Id"] == built


def _view_has_ended(service: str) -> bool:
    return bool(
        _recorder
        and not _recorder.alive
        and _recorder.recording.header.service == service
        and not exercise_session.is_recording()
    )


def predict(
    service: str,
    *,
    image: str | None = None,
    replicas: int | None = None,
    update_config: spec_change.ConfigChange | None = None,
    rollback_config: spec_change.ConfigChange | None = None,
    force: bool = False,
    behaviour: prediction.Behaviours | None = None,
    old_behaviour: prediction.Behaviours | None = None,
    seed: int = 0,
) -> Recording:
    """Predict what `update` would do and say it, changing nothing; returns a recording.

    Takes what `update` takes, and in `behaviour` what the new tasks do; without it they run
    until they are told to stop. It may have these keys, with durations such as "2s"::

        exits_after, exit_code          when they end by themselves, and how; 0 by default
        stops_after, stop_code          how long they take to stop, and with which exit code
        ignores_stop                    whether they ignore SIGTERM, and are killed
        healthy_after, unhealthy_after  with a health check: when they become so
        pull_error, start_error         why the image cannot be pulled, or the program not started
        stdout, stderr                  what they write, for logs; a prediction keeps none

    A function from a slot's number to such a mapping lets slots differ. `old_behaviour` is
    for the current tasks, which the update stops. The order of slots is random, from `seed`;
    where it matters, the sentence gives ranges over several seeds.

    >>> labkit.predict("dc_worker", image="lab/dockercoins_worker:1.1",
    ...                behaviour={"exits_after": "1s", "exit_code": 1})             # doctest: +SKIP
    >>> labkit.predict("dc_worker", image="lab/dockercoins_worker:1.1",
    ...                old_behaviour={"ignores_stop": True})
    >>> labkit.show(expected, view, names=["expected", "seen"])                     # doctest: +SKIP
    """
    change = spec_change.SpecChange.of(
        image=image,
        replicas=replicas,
        update_config=update_config,
        rollback_config=rollback_config,
        force=force,
    )
    expected = predictions(
        service, change, behaviour=behaviour, old_behaviour=old_behaviour, seed=seed
    )
    echo.say(story.in_words(*expected))
    return expected[0]


def predictions(service: str, change: spec_change.SpecChange, **more: Any) -> list[Recording]:
    """Return the prediction of a change with each of some seeds, saying nothing.

    `more` is as in `labkit.recordings.update.prediction.in_pieces`.
    """
    require_text(service=service)
    swarm = current_swarm()
    before = swarm.service(service)["Spec"]
    after = change.applied(before)
    nodes, began = swarm.get("/nodes"), swarm.now()
    runs = prediction.over_seeds(before, after, nodes=nodes, began=began, **more)
    return [run for run in runs if run.ended]


def rollback(service: str) -> None:
    """Bring back the previous spec of a service, as `docker service rollback` does."""
    require_text(service=service)
    services.rollback(current_swarm(), service)


def logs(service: str, *, tail: int = 20) -> None:
    """Print the output of the task that failed last, or of a running one if none failed."""
    require_text(service=service)
    services.logs(current_swarm(), service, tail=tail)


def reset(step: int | str | None = None, *, forget: bool = False) -> lessons.Step:
    """Reset the stack and your files to the start of a step, and say what was done.

    `step` is a number or a notebook's name; by default the first. You can call it at any
    time. Your own changes to `worker.py` or the compose file are kept beside it. The step's
    questions are asked again, and what you have done stays done; with `forget`, this step and
    later ones start over (the journal keeps what you did).
    """
    wanted = lessons.find(step)
    for sentence in lessons.restart(current_swarm(), wanted, forget=forget):
        echo.say(f"- {sentence}.")
    echo.say(
        f"Step {wanted.number} begins: {wanted.worker} runs "
        f"{lessons.REPLICAS} replicas of {wanted.tag}."
    )
    return wanted


def build(folder: Path | str, tag: str, *, args: Mapping[str, str] | None = None) -> None:
    """Build an image from a folder with a Dockerfile, showing what the engine says.

    Nodes that are containers of the lab get the image as well.
    """
    where = _path("folder", folder)
    require_text(tag=tag)
    if not isinstance(args or {}, Mapping):
        raise BadValue(f"args must be a mapping of texts, not {args!r}")
    for key, value in (args or {}).items():
        if not isinstance(value, str):
            raise BadValue(f"the values of args must be text, and {key!r} is {value!r}")
    global _built
    source = images.source_hash(where)
    _built = tag, images.build(current_swarm(), where, tag, buildargs=args), where, source
    for sentence in node_containers.share(current_swarm()):
        echo.say(f"{sentence}.")


def push(image: str) -> None:
    """Push an image to its registry, as `docker image push` does."""
    require_text(image=image)
    images.push(current_swarm(), image)


def _stack(name: str | None) -> str:
    if name is None:
        return settings.stack_name()
    require_text(name=name)
    return name


def require_text(**given: object) -> None:
    """Raise `BadValue` for anything but text, before contacting the engine."""
    for what, value in given.items():
        if not isinstance(value, str) or not value:
            raise BadValue(f"{what} must be text, not {value!r}")


def recording_of(given: object, latest: tuple[int, int] | None = None) -> Recording:
    """Return the recording that something is, names, or has.

    Of a file, the `latest` of it, and what is not shown of it is said.
    """
    if isinstance(given, str | Path):
        from labkit.views.state import sentences

        read = Recording.load(given, latest)
        for sentence in filter(None, [sentences.left_out(read), sentences.torn(read.torn_lines)]):
            echo.say(f"{given}: {sentence}")
        return read
    found = getattr(given, "recording", given)
    if not isinstance(found, Recording):
        raise BadValue(f"show takes a recording, its path, or a view, not {given!r}")
    return found


def _name(given: object, recording: Recording) -> str:
    return Path(given).stem if isinstance(given, str | Path) else comparison.name_of(recording)


def _path(what: str, given: object) -> Path:
    if not isinstance(given, str | Path):
        raise BadValue(f"{what} must be a path, not {given!r}")
    return Path(given)


def _new_file(service: str) -> Path:
    folder = settings.state_dir() / "recordings"
    return unused(lambda number: folder / f"{service}-{number}.jsonl")
