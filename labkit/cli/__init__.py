"""The command line: `labkit …` and `python -m labkit …`.

Exit status: 0 done, 1 what was asked failed (the reason is on standard error), 2 wrong
usage. Each command is a few lines here and does its work elsewhere.
"""

from labkit.cli.base import main

__all__ = ["main"]
