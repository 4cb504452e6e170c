"""The lab as a whole: what is here, up and down, JupyterLab, back to a step, and its nodes."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

import click

from labkit.base import echo
from labkit.cli.base import main

if TYPE_CHECKING:
    from labkit.lessons.notebooks.versions import VersionName

_engine = click.option(
    "--engine",
    metavar="auto|private|simulated|URL",
    help="Which engine to use; the default is LABKIT_ENGINE, else auto.",
)
_nodes = click.option(
    "--nodes",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="The least number of nodes; missing ones are added as containers "
    "(in a simulated engine: as part of it).",
)


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
@click.pass_context
def _doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is here and what is missing, and how to fix it."""
    from labkit.cli import doctor

    lines = doctor.examine()
    if as_json:
        echo.say(doctor.as_json(lines))
    else:
        for line in lines:
            echo.say(str(line))
    ctx.exit(1 if any(line.verdict == "missing" for line in lines) else 0)


@main.command("up")
@_engine
@_nodes
@click.option("--no-stack", is_flag=True, help="Bring up the engine and the images only.")
def _up(engine: str | None, *, nodes: int, no_stack: bool) -> None:
    """Find or start an engine, make it a swarm, build the images, deploy the stack."""
    from labkit.api import up

    up.up(engine, nodes=nodes, with_stack=not no_stack)


@main.command("down")
@click.option("--all", "everything", is_flag=True, help="Delete the images as well.")
def _down(*, everything: bool) -> None:
    """Remove what `up` made, and nothing else."""
    from labkit.api import up

    up.down(everything=everything)


@main.command("env")
@_engine
def _env(engine: str | None) -> None:
    """Print what makes `docker` in this terminal use the lab's engine.

    Use it as: eval "$(labkit env)"
    """
    from labkit import engines

    echo.say(f"export DOCKER_HOST={shlex.quote(engines.find(engine).url)}")


@main.command("lab", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@_engine
@_nodes
@click.option(
    "--version",
    type=click.Choice(["learner", "instructor", "slides"]),
    help="Open this version of the notebooks, as `labkit notebooks` builds it, and not `lab/`.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER ARGS]...")
@click.pass_context
def _lab(
    ctx: click.Context,
    engine: str | None,
    nodes: int,
    version: VersionName | None,
    arguments: tuple[str, ...],
) -> None:
    """Do as `up`, then start JupyterLab: on the first notebook, later on what was open.

    What is said of a setting in JUPYTER ARGS wins over what labkit would say.
    """
    if {"-h", "--help"} & set(arguments):
        echo.say(ctx.get_help())
        return
    from labkit.cli import jupyter

    up = [*(["--engine", engine] if engine else []), f"--nodes={nodes}"]
    ctx.exit(jupyter.start(arguments, jupyter.version(version) if version else None, up=up))


@main.command("reset")
@click.argument("step", required=False)
@click.option("--forget", is_flag=True, help="Start over: open STEP and later ones in progress.")
def _reset(step: str | None, *, forget: bool) -> None:
    """Bring stack and files to where STEP of the lesson begins (a number or a notebook)."""
    from labkit import engines, lessons

    wanted = lessons.find(step)
    for sentence in lessons.restart(engines.connect(), wanted, forget=forget):
        echo.say(f"- {sentence}.")
    echo.say(f"Step {wanted.number}, {wanted.notebook}, begins.")


@main.group("node")
def _node() -> None:
    """Let a node of the lab die, cut it off, or bring it back.

    NAME is as in `docker node ls`. The manager's own node cannot be taken away.
    """


def _do(what: str, name: str) -> None:
    from labkit import engines
    from labkit.engines import nodes

    echo.say(nodes.disturb(engines.connect(), what, name))


for _what, _text in (
    ("kill", "End a node with all that runs on it, as a power cut does."),
    ("cut", "Cut a node off from the manager; its tasks go on."),
    ("start", "Start a node that was killed, or connect one that was cut off."),
):
    _name = click.Argument(["name"])
    _node.add_command(click.Command(_what, None, partial(_do, _what), [_name], help=_text))
