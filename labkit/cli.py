"""The command line: `labkit …` and `python -m labkit …`.

Exit status: 0 done, 1 what was asked failed (the reason is on standard error), 2 wrong
usage. Each command is a few lines here and does its work elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labkit import echo, settings, story
from labkit.errors import LabError, NotSettled, RecordingProblem
from labkit.model import RollbackConfig, UpdateConfig
from labkit.phases import settled
from labkit.prediction import in_words
from labkit.recorder import Recorder
from labkit.recording import Recording
from labkit.rollout import Behaviour

if TYPE_CHECKING:
    from labkit import api, coins, doctor, engines, jupyter, lab, lessons, stack
else:

    class _Later:
        """A module that is imported when it is first used.

        Importing all of labkit takes as long as most commands take to do their work.
        """

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:
            return getattr(import_module(self._name), attribute)

    api, coins, doctor, engines, jupyter, lab, lessons, stack = (
        _Later(f"labkit.{name}")
        for name in ("api", "coins", "doctor", "engines", "jupyter", "lab", "lessons", "stack")
    )


class _Commands(click.Group):
    """Commands whose `LabError` is shown whole, with no traceback, and ends in status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LabError as problem:
            click.echo(problem, err=True)
            ctx.exit(1)


_engine = click.option(
    "--engine",
    metavar="auto|private|simulated|URL",
    help="Which engine to use; the default is LABKIT_ENGINE, else auto.",
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit")
def main() -> None:
    """Watch Docker Swarm update a service, on a real engine or a simulated one."""


# ---- the lab -----------------------------------------------------------------------


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
@click.pass_context
def _doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is here and what is missing, and how to mend it."""
    lines = doctor.examine()
    if as_json:
        echo.say(doctor.as_json(lines))
    else:
        for line in lines:
            echo.say(str(line))
    ctx.exit(1 if any(line.verdict == "missing" for line in lines) else 0)


@main.command("up")
@_engine
@click.option(
    "--nodes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many nodes the swarm has at least; those that it lacks become containers "
    "(of a simulated engine: come with it).",
)
@click.option("--no-stack", is_flag=True, help="Bring up the engine and the images only.")
def _up(engine: str | None, *, nodes: int, no_stack: bool) -> None:
    """Find or start an engine, make it a swarm, build the images, deploy the stack."""
    lab.up(engine, nodes=nodes, with_stack=not no_stack)


@main.command("down")
@click.option("--all", "everything", is_flag=True, help="Delete the images as well.")
def _down(*, everything: bool) -> None:
    """Remove what `up` made, and nothing else."""
    lab.down(everything=everything)


@main.command("env")
@_engine
def _env(engine: str | None) -> None:
    """Print what makes `docker` in this terminal use the lab's engine.

    Use it as: eval "$(labkit env)"
    """
    echo.say(f"export DOCKER_HOST={shlex.quote(engines.find(engine).url)}")


@main.command("lab", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER ARGS]...")
def _lab(arguments: tuple[str, ...]) -> None:
    """Do as `up`, then start JupyterLab on the first notebook."""
    if {"-h", "--help"} & set(arguments):
        echo.say("Usage: labkit lab [JUPYTER ARGS]...\n\n  Do as `up`, then start JupyterLab.")
        return
    swarm = lab.up()
    words = jupyter.command(arguments)
    sys.stdout.flush()
    os.execvpe(words[0], words, jupyter.environment(swarm.url, os.environ))  # noqa: S606


@main.command("reset")
@click.argument("step", required=False)
def _reset(step: str | None) -> None:
    """Bring stack and files to where STEP of the lesson begins (a number or a notebook)."""
    wanted = lessons.find(step)
    for sentence in lessons.reset(engines.connect(), wanted):
        echo.say(f"- {sentence}.")
    echo.say(f"Step {wanted.number}, {wanted.notebook}, begins.")


# ---- stacks ------------------------------------------------------------------------


@main.group("stack")
def _stack() -> None:
    """What `docker stack` does, with no docker command line needed."""


@_stack.command("deploy")
@click.option(
    *("-c", "--compose-file", "files"),
    required=True,
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A compose file; of several, the later ones go over the earlier.",
)
@click.option("--prune", is_flag=True, help="Remove services that the files no longer have.")
@click.argument("name")
def _stack_deploy(files: tuple[Path, ...], name: str, *, prune: bool) -> None:
    """Deploy a stack, or update it."""
    env = settings.compose_environment()
    stack.deploy(engines.connect(), files, name, prune=prune, env=env, show_command=False)


@_stack.command("ls")
def _stack_ls() -> None:
    """List the stacks."""
    echo.say(stack.ls(engines.connect(), show_command=False))


@_stack.command("ps")
@click.option("--no-trunc", is_flag=True, help="Do not cut what is long.")
@click.argument("name")
def _stack_ps(name: str, *, no_trunc: bool) -> None:
    """List the tasks of a stack."""
    echo.say(stack.ps(engines.connect(), name, no_trunc=no_trunc, show_command=False))


@_stack.command("services")
@click.argument("name")
def _stack_services(name: str) -> None:
    """List the services of a stack."""
    echo.say(stack.services(engines.connect(), name, show_command=False))


@_stack.command("rm")
@click.argument("name")
def _stack_rm(name: str) -> None:
    """Remove a stack, and wait until it is gone."""
    stack.rm(engines.connect(), name, show_command=False)


# ---- recordings --------------------------------------------------------------------


@main.command("record")
@click.argument("service")
@click.option(
    *("-o", "--output"),
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to record to.",
)
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many SECONDS.")
@click.option("--until-settled", is_flag=True, help="Stop when an update has settled (default).")
def _record(service: str, output: Path, seconds: float | None, *, until_settled: bool) -> None:
    """Record SERVICE while it is updated. Ctrl-C ends it, and loses nothing."""
    until = settled if until_settled or seconds is None else None
    swarm = engines.connect()
    meter = coins.meter(swarm, service)
    with Recorder(swarm, service, output, until=until, meter=meter) as recorder:
        echo.say(f"Recording {recorder.service} to {output}; Ctrl-C ends it.")
        # with --for, the end of the time is what was asked for
        with contextlib.suppress(KeyboardInterrupt, *([NotSettled] if seconds else [])):
            recorder.wait(timeout=math.inf if seconds is None else seconds)
    if recorder.file_error:
        raise RecordingProblem(
            f"{output} to take the whole recording.",
            f"{recorder.file_error}. What was written before is in the file.",
            "make room, or record to another disk.",
        )
    echo.say(f"{recorder.why} {len(recorder.recording.changes)} changes are in {output}.")


@main.command("show")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write; the default is FILE with .html, or comparison.html for several.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what they tell; draw nothing.")
def _show(files: tuple[Path, ...], output: Path | None, *, as_json: bool) -> None:
    """Draw a recording as a page for any browser, with no engine; several, to compare them."""
    if as_json and output:
        raise click.UsageError("--json draws nothing, so it goes without --output.")
    recordings = [Recording.load(file) for file in files]
    if as_json:
        told = [story.facts(recording) for recording in recordings]
        # all of it in ASCII: what an engine said may hold what a terminal obeys
        echo.say(json.dumps(told, indent=1))
        return
    page = output or _page_beside(files)
    drawn = api.show(*recordings, names=[file.stem for file in files]).page
    for file, recording in zip(files, recordings, strict=True):
        if recording.torn_lines:
            echo.say(f"{file}: {_torn(recording.torn_lines)} left out.")
    _write_page(page, drawn, keep=files)
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
    "parallelism": "How many slots at the same time; 0 for all.",
    "delay": "What a worker pauses after each slot, such as 5s.",
    "failure_action": "pause, continue or rollback (a rollback has the first two).",
    "monitor": "How long a new task's death counts as a failure.",
    "max_failure_ratio": "The share of slots that may fail.",
    "order": "stop-first or start-first.",
}


@main.command("predict")
@click.argument("service")
@click.option("--image", help="The image to update to.")
@click.option("--replicas", type=click.IntRange(min=0), help="The number of replicas.")
@click.option("--force", is_flag=True, help="Replace every task although nothing differs.")
@_config_options
@click.option("--exits-after", help="When the new tasks end by themselves, such as 2s.")
@click.option("--exit-code", type=int, help="With what they end; 0 without it.")
@click.option("--stops-after", help="How long tasks take to stop, old and new.")
@click.option("--ignores-stop", is_flag=True, help="Tasks, old and new, have to be killed.")
@click.option("--healthy-after", help="With a healthcheck: when they are first found healthy.")
@click.option("--unhealthy-after", help="With a healthcheck: when they are found unhealthy.")
@click.option("--seed", type=int, default=0, help="Draws which slot comes first.")
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the prediction as a recording, which `labkit show` draws.",
)
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
    """Work out what an update of SERVICE would do. Nothing is changed."""
    configs = {
        f"{prefix}_config": _given(given, prefix, UpdateConfig) for prefix in ("update", "rollback")
    }
    behaviour = _given(given, "", Behaviour)
    if given["ignores_stop"]:
        behaviour["stops_after"] = None
    stops = {name: behaviour[name] for name in behaviour if name == "stops_after"}
    with echo.muted():  # what it says follows, in one form or the other
        expected = api.predict(
            service,
            image=image,
            replicas=replicas,
            force=force,
            behaviour=behaviour,
            old_behaviour=stops,  # it is the old tasks that an update stops
            seed=seed,
            **configs,
        )
    if output:
        expected.save(output)
    if as_json:
        echo.say(json.dumps(story.facts(expected), indent=1))
    else:
        echo.say(in_words(expected))


def _given(options: Mapping[str, Any], prefix: str, kind: type) -> dict[str, Any]:
    """Return those fields of a kind for which an option was given."""
    names = {field.name: f"{prefix}_{field.name}".lstrip("_") for field in fields(kind)}
    return {
        name: options[option] for name, option in names.items() if options.get(option) is not None
    }


def _page_beside(files: tuple[Path, ...]) -> Path:
    return files[0].with_name("comparison.html") if files[1:] else files[0].with_suffix(".html")


def _torn(count: int) -> str:
    return "1 torn line was" if count == 1 else f"{count} torn lines were"


def _write_page(page: Path, drawn: str, keep: tuple[Path, ...]) -> None:
    if page.resolve() in [file.resolve() for file in keep]:
        raise LabError(
            f"to write {page}.", "it is the recording itself.", "name another file with -o."
        )
    try:
        page.write_text(drawn, encoding="utf-8")
    except OSError as problem:
        raise LabError(
            f"to write {page}.", str(problem), "name a file in a folder that is there."
        ) from None
