"""Let a node of the lab die, cut it off, or bring it back."""

from functools import partial

import click

from labkit.base import echo
from labkit.cli.base import main


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
