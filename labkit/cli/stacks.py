"""Do what `docker stack` does, without a docker command line."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from labkit.base import echo
from labkit.cli.base import main

_NAME: click.Parameter = click.Argument(["name"])
_NO_TRUNC = click.Option(["--no-trunc"], is_flag=True, help="Do not truncate output.")


@main.group("stack")
def _stack() -> None:
    """Do what `docker stack` does, without a docker command line."""


@_stack.command("deploy")
@click.option(
    *("-c", "--compose-file", "files"),
    required=True,
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A compose file, or - for standard input; later files override earlier ones.",
)
@click.option("--prune", is_flag=True, help="Remove services that the files no longer have.")
@click.argument("name")
def _stack_deploy(files: tuple[Path, ...], name: str, *, prune: bool) -> None:
    """Deploy a stack, or update it."""
    from labkit import engines
    from labkit.engines import state

    env = state.compose_environment()
    # which sees for itself whether it is a manager's
    engines.deploy(engines.find().swarm, files, name, prune=prune, env=env, show_command=False)


@_stack.command("rm")
@click.argument("name")
def _stack_rm(name: str) -> None:
    """Remove a stack, and wait until it is gone."""
    from labkit import engines

    engines.remove(engines.connect(), name, show_command=False)


def _say(what: str, **given: Any) -> None:
    """Print the table of that name."""
    from labkit import engines
    from labkit.swarm import stack

    echo.say(getattr(stack, what)(engines.connect(), **given))


for _what, _text, _given in (
    ("ls", "List the stacks.", []),
    ("ps", "List the tasks of a stack.", [_NO_TRUNC, _NAME]),
    ("services", "List the services of a stack.", [_NAME]),
):
    _stack.add_command(click.Command(_what, None, partial(_say, _what), _given, help=_text))
