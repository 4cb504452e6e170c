"""A program that ends the engine's processes when the engine has ended, however it did.

Its standard input is a pipe from the engine: a line `+123` names a process group, `-123`
takes it back. When the pipe ends the engine is gone, and remaining processes are killed.
This works where there is no `PR_SET_PDEATHSIG`, and for all of a group. It is run by its
path, by a Python that imports nothing else.
"""

import os
import signal
import sys


def main() -> None:
    """Keep the list until the pipe ends, and kill what is on it."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # only the end of the engine ends this
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line.startswith("+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except OSError:  # it has gone by itself
            continue


if __name__ == "__main__":
    main()
