"""The group that every command joins.

A command's module is imported when the command is called, and so is what it needs: importing all
of labkit takes as long as most commands take to do their work.
"""

import codecs
import os
import sys
from collections.abc import Callable
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from labkit.base import settings
from labkit.base.errors import LabError, refused

#: The module of each command.
_HOMES = {
    **dict.fromkeys(("doctor", "down", "env", "lab", "node", "reset", "up"), "lab"),
    **dict.fromkeys(("predict", "record", "show"), "recordings"),
    **dict.fromkeys(("class", "progress", "report"), "teaching"),
    "notebooks": "notebooks",
    "stack": "stacks",
}


#: What a terminal that has only ASCII shows instead; other characters become question marks.
_PLAIN = dict(zip("✓✗→○●·×▸↶–“”’│─█", '+x>o*-x><-""\'|-#', strict=True)) | {"…": "..."}


def _plainly(problem: UnicodeError) -> tuple[str, int]:
    assert isinstance(problem, UnicodeEncodeError)
    letters = problem.object[problem.start : problem.end]
    return "".join(_PLAIN.get(each, "?") for each in letters), problem.end


codecs.register_error("labkit", _plainly)


class _Commands(click.Group):
    """Commands whose `LabError` is shown whole, with no traceback, and ends in status 1.

    So does what the machine refuses: a disk or an output that is full, say.
    """

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command. Characters that the terminal cannot encode become plain ASCII."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="labkit")
        try:
            return super().main(*args, **options)
        except OSError as problem:
            # else Python writes what is left of the output once more when it ends
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            click.echo(f"The machine refused: {refused(problem)}", err=True)
            sys.exit(1)

    def list_commands(self, _: click.Context) -> list[str]:
        return sorted(_HOMES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _HOMES:
            import_module(f"labkit.cli.{_HOMES[name]}")
        return super().get_command(ctx, name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LabError as problem:
            click.echo(problem, err=True)
            ctx.exit(1)


def output_option(text: str, **options: Any) -> Callable[[Any], Any]:
    """Return the option that names the file to write; `text` is its help."""
    file = click.Path(dir_okay=False, path_type=Path)
    return click.option("-o", "--output", type=file, help=text, **options)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit")
def main() -> None:
    """Watch Docker Swarm update a service, on a real engine or a simulated one."""
    settings.check()
