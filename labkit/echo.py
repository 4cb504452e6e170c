"""What labkit says to a learner: the docker command that does the same, and sentences.

This is the one place that prints, so that a test or a script can take its words
from one stream, and so that nothing prints from a background thread.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def command(words: Sequence[str]) -> None:
    """Show the docker command that does what labkit is about to do."""
    print("$ " + shlex.join(words), flush=True)


def say(sentence: str = "") -> None:
    """Print a sentence, or a line of what an engine says."""
    print(sentence, flush=True)
