"""What labkit says to a learner: the docker command that does the same, and sentences.

This is the one place that prints, so that a test or a script can take its words
from one stream, and so that nothing prints from a background thread.
"""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

#: Letters that go into a line of a cell beside a view.
_LINE = 60
_muted = ContextVar("_muted", default=False)


def command(words: Sequence[str]) -> None:
    """Show the docker command that does what labkit is about to do.

    A long one has a line for each flag: a browser breaks a line after any dash of `--`.
    """
    line = shlex.join(words)
    if len(line) > _LINE:
        quoted = map(shlex.quote, words)
        line = " ".join(f"\\\n    {each}" if each.startswith("--") else each for each in quoted)
    say("$ " + line)


def say(sentence: str = "") -> None:
    """Print a sentence, or a line of what an engine says."""
    if not _muted.get():
        print(sentence, flush=True)


def warn(sentence: str) -> None:
    """Print a sentence where it disturbs no output that a program reads."""
    print(sentence, file=sys.stderr, flush=True)


def replace_line(sentence: str = "") -> None:
    """Write a sentence over the line that this wrote before; with none, clear that line.

    Only where a terminal shows it: anything else would keep every line.
    """
    if sys.stderr.isatty():
        print(f"\r\x1b[K{sentence}", end="", file=sys.stderr, flush=True)


@contextmanager
def muted() -> Iterator[None]:
    """Say nothing inside of a `with`: for what is a means and not what was asked for."""
    before = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(before)
