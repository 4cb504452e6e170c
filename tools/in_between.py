"""Run a command in the processor time that all else leaves: `in_between.py COMMAND …`."""

import os
import sys
from contextlib import suppress
from pathlib import Path

NICE = 5  # a third of the share: more would starve it on a machine that is always busy

os.setsid()  # Linux shares processors out among sessions before it asks who is nice
with suppress(OSError):
    Path("/proc/self/autogroup").write_text(str(NICE))
os.nice(NICE)
os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - there is no shell
