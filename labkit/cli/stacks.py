"""What `docker stack` does, with no docker command line needed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from labkit.base import echo, settings
from labkit.cli.base import main


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
    # the models of a compose file have no plugins; pydantic would search all that is installed
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from labkit import engines
    from labkit.swarm import stack

    env = settings.compose_environment()
    stack.deploy(engines.connect(), files, name, prune=prune, env=env, show_command=False)


@_stack.command("ls")
def _stack_ls() -> None:
    """List the stacks."""
    from labkit import engines
    from labkit.swarm import stack

    echo.say(stack.ls(engines.connect(), show_command=False))


@_stack.command("ps")
@click.option("--no-trunc", is_flag=True, help="Do not cut what is long.")
@click.argument("name")
def _stack_ps(name: str, *, no_trunc: bool) -> None:
    """List the tasks of a stack."""
    from labkit import engines
    from labkit.swarm import stack

    echo.say(stack.ps(engines.connect(), name, no_trunc=no_trunc, show_command=False))


@_stack.command("services")
@click.argument("name")
def _stack_services(name: str) -> None:
    """List the services of a stack."""
    from labkit import engines
    from labkit.swarm import stack

    echo.say(stack.services(engines.connect(), name, show_command=False))


@_stack.command("rm")
@click.argument("name")
def _stack_rm(name: str) -> None:
    """Remove a stack, and wait until it is gone."""
    from labkit import engines
    from labkit.swarm import stack

    stack.rm(engines.connect(), name, show_command=False)
