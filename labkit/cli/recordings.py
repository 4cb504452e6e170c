"""Recordings: made, drawn, and predicted."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labkit.base import echo
from labkit.base.errors import NotSettled, RecordingProblem
from labkit.cli.base import main, output_option
from labkit.recordings.values import RollbackConfig, UpdateConfig

if TYPE_CHECKING:
    from labkit.recordings.recorder import Recorder


class _Seconds(click.FloatRange):
    """A number of seconds, which `nan` and `inf` are not."""

    def convert(self, value: Any, *where: Any) -> float:
        found = float(super().convert(value, *where))
        return found if math.isfinite(found) else self.fail(f"{value} is not a time", *where)


@main.command("record")
@click.argument("service")
@output_option("The file to record to.", required=True)
@click.option("--for", "seconds", type=_Seconds(min=0), help="Stop after so many SECONDS.")
@click.option("--until-settled", is_flag=True, help="Stop when an update has settled (default).")
def _record(service: str, output: Path, seconds: float | None, *, until_settled: bool) -> None:
    """Record SERVICE while it is updated. Ctrl-C ends it, and loses nothing."""
    from labkit import engines
    from labkit.lessons import coins
    from labkit.recordings.update.phases import settled

    until = settled if until_settled or seconds is None else None
    swarm = engines.connect()
    with coins.recorder(swarm, service, output, until=until) as recorder:
        echo.say(f"Recording {recorder.service} to {output}; Ctrl-C ends it.")
        recorder.subscribe(_warner(recorder))
        # with --for, the end of the time is what was asked for
        with contextlib.suppress(KeyboardInterrupt, *([] if seconds is None else [NotSettled])):
            recorder.wait(timeout=math.inf if seconds is None else seconds)
    if recorder.file_error:
        raise RecordingProblem(
            f"{recorder.path} to hold the whole recording.",
            f"{recorder.file_error}. What was written before is in the file.",
            "free some space, or record to another disk.",
        )
    count = len(recorder.recording.changes)
    echo.say(f"{recorder.why} {count} changes are in {recorder.path}.")


def _warner(recorder: Recorder) -> Callable[[], None]:
    """Return what says, at once and once, that something is amiss while it is recorded."""
    said = [""]

    def warn() -> None:
        trouble = recorder.engine_trouble or recorder.file_trouble
        if trouble != said[0]:
            said[0] = trouble
            echo.warn(trouble or "All is well again.")

    return warn


@main.command("show")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@output_option("The page to write; the default is FILE with .html, or comparison.html for several.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts; draw nothing.")
def _show(files: tuple[Path, ...], output: Path | None, *, as_json: bool) -> None:
    """Draw a recording as a page for any browser, with no engine; several, to compare them.

    Of a very long one, the last part.
    """
    from labkit.api import doing
    from labkit.recordings import comparison, story
    from labkit.recordings.recording import Recording
    from labkit.views.live import page as pages

    if as_json and output:
        raise click.UsageError("--json draws nothing, so it cannot be combined with --output.")
    if as_json:
        told = [story.facts(Recording.load(file, comparison.MOST_CHANGES)) for file in files]
        # all of it in ASCII: what an engine said may hold what a terminal obeys
        echo.say(json.dumps(told, indent=1))
        return
    beside = files[0].with_name("comparison.html") if files[1:] else files[0].with_suffix(".html")
    page = output or beside
    pages.write(page, doing.show(*files).page)
    echo.say(f"{page}: open it in a browser.")


def _config_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of `docker service update` for both configs."""
    for prefix, kind in (("rollback", RollbackConfig), ("update", UpdateConfig)):
        for name in reversed([field.name for field in fields(kind)]):
            words = f"{prefix}-{name.replace('_', '-')}"
            form = {"parallelism": int, "max_failure_ratio": float}.get(name, str)
            command = click.option(f"--{words}", type=form, help=_CONFIG_HELP[name])(command)
    return command


_CONFIG_HELP = {
    "parallelism": "How many slots at the same time; 0 means all.",
    "delay": "The pause of an updater after each slot, such as 5s.",
    "failure_action": "pause, continue or rollback (a rollback has the first two).",
    "monitor": "How long after its start a new task's end counts as a failure.",
    "max_failure_ratio": "The share of slots that may fail.",
    "order": "stop-first or start-first.",
}


@main.command("predict")
@click.argument("service")
@click.option("--image", help="The image to update to.")
@click.option("--replicas", type=click.IntRange(0, 10_000), help="The number of replicas.")
@click.option("--force", is_flag=True, help="Replace every task even if nothing differs.")
@_config_options
@click.option("--exits-after", help="When the new tasks end by themselves, such as 2s.")
@click.option("--exit-code", type=int, help="Their exit code; 0 by default.")
@click.option("--stops-after", help="How long tasks take to stop, old and new.")
@click.option("--ignores-stop", is_flag=True, help="Tasks, old and new, ignore SIGTERM.")
@click.option("--healthy-after", help="With a health check: when they become healthy.")
@click.option("--unhealthy-after", help="With a health check: when they become unhealthy.")
@click.option("--seed", type=int, default=0, help="Seeds the random order of slots.")
@output_option("Keep the prediction as a recording, which `labkit show` draws.")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def _predict(
    service: str,
    *,
    image: str | None,
    replicas: int | None,
    force: bool,
    seed: int,
    output: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Predict what an update of SERVICE would do, changing nothing."""
    from labkit.api import doing
    from labkit.recordings import story
    from labkit.swarm.spec_change import SpecChange
    from swarmsim.model import Behaviour

    configs = {
        f"{prefix}_config": _given(given, prefix, UpdateConfig) for prefix in ("update", "rollback")
    }
    behaviour = _given(given, "", Behaviour)
    stops = {key: value for key, value in behaviour.items() if "stop" in key}
    change = SpecChange.of(image=image, replicas=replicas, force=force, **configs)
    with echo.muted():  # of the engine: a machine may read what follows
        expected, *others = doing.predictions(
            service,
            change,
            behaviour=behaviour,
            old_behaviour=stops,  # it is the old tasks that an update stops
            seed=seed,
        )
    if output:
        expected.save(output)
    if as_json:
        facts = story.facts(expected) | {"over_seeds": story.over_seeds([expected, *others])}
        echo.say(json.dumps(facts, indent=1))
    else:
        echo.say(story.in_words(expected, *others))


def _given(options: Mapping[str, Any], prefix: str, kind: type) -> dict[str, Any]:
    """Return those fields of a kind for which an option was given."""
    names = {field.name: f"{prefix}_{field.name}".lstrip("_") for field in fields(kind)}
    return {
        name: options[option] for name, option in names.items() if options.get(option) is not None
    }
