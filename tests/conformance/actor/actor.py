"""A task that does as it is told, on any engine: run, fail, hang, be unhealthy, not stop.

What it does stands in the environment variable `ACT` — of the image (a build argument), or
of the service — or in the command's arguments, which come before it. Clauses are separated
by `;`, and all of them hold at once:

    (nothing)               run for ever, and end with code 0 at once when told to stop
    exit 1 after 2          end by itself with code 1 after 2 s; `after 0` is at once
    stop after 3 with 5     take 3 s to stop when told to, and end with code 5
    never stop              ignore SIGTERM
    no handler              leave SIGTERM as Python does, which as process 1 means: ignore it
    healthy after 4         fail the health probe for 4 s, and then pass it
    unhealthy after 3       pass the health probe for 3 s, and then fail it
    print some words        a line on standard output; `complain` is one on standard error

A clause that begins with `slot 2,3:` holds in those slots only (`SLOT` in the environment,
which `{{.Task.Slot}}` fills in), one with `start 2:` only for the second task of its slot,
which are counted in the folder `/actor/state`, a volume (`play.counted`).
`after 1.5*slot` is as many times 1.5 s as the number of the slot. The health probe is
`python actor.py probe`; the actor answers it on a socket in the container.
"""

import os
import re
import signal
import sys
import threading
import time
from types import FrameType

#: Where the health probe asks; containers that have the host's network have their own files.
SOCKET = "health.sock"
_SLOT = os.environ.get("SLOT", "")
#: 0 where there is none: in a global service the template gives the id of the node.
SLOT = int(_SLOT) if _SLOT.isdigit() else 0
BORN = time.monotonic()


def clauses(script: str) -> list[str]:
    """Return the clauses that hold for this task."""
    found = []
    starts: int | None = None
    for clause in filter(None, (part.strip() for part in script.split(";"))):
        only = re.fullmatch(r"(slot|start) ([\d,]+): *(.*)", clause)
        if only is None:
            found.append(clause)
            continue
        which, numbers, then = only.groups()
        if which == "start" and starts is None:
            starts = count_starts()
        if str(SLOT if which == "slot" else starts) in numbers.split(","):
            found.append(then)
    return found


def count_starts() -> int:
    """Return the how many-th task of its slot this is; every one leaves a byte."""
    with open(f"state/{SLOT}", "ab") as file:  # noqa: PTH123 - starts in half the time
        file.write(b".")
        return file.tell()


def seconds(text: str) -> float:
    """Return a number of seconds; `2*slot` is twice the number of the slot."""
    return float(text.removesuffix("*slot")) * (SLOT if text.endswith("*slot") else 1)


def on_sigterm(after: float, code: int) -> None:
    """End so long after SIGTERM, with this code."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        time.sleep(after)
        os._exit(code)

    signal.signal(signal.SIGTERM, end)


def answer(healthy_from: float, healthy_until: float) -> None:
    """Answer the health probe, from a thread."""
    import socketserver

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            fine = healthy_from <= time.monotonic() - BORN < healthy_until
            self.request.sendall(b"healthy" if fine else b"unhealthy")

    server = socketserver.UnixStreamServer(SOCKET, Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def probe() -> int:
    """Ask the actor of this container whether it is healthy; the exit status is the answer."""
    import socket

    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(2)
        asked.connect(SOCKET)
        said = asked.recv(100).decode()
    print(said)
    return 0 if said == "healthy" else 1


class Act:
    """What the clauses of a script add up to."""

    def __init__(self) -> None:
        self.healthy_from = 0.0
        self.healthy_until = float("inf")
        self.probed = False
        #: After how many seconds it ends by itself, and with which code.
        self.end: tuple[float, int] | None = None

    def obey(self, clause: str) -> None:
        """Do what one clause says, or keep it for later."""
        match clause.split():
            case ["exit", code, "after", after]:
                self.end = seconds(after), int(code)
            case ["stop", "after", after, *rest]:
                on_sigterm(seconds(after), int(rest[1]) if rest else 0)
            case ["never", "stop"]:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            case ["no", "handler"]:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            case [("healthy" | "unhealthy") as which, "after", after]:
                self.probed = True
                setattr(
                    self, f"healthy_{'from' if which == 'healthy' else 'until'}", seconds(after)
                )
            case ["print", *words]:
                print(*words)
            case ["complain", *words]:
                print(*words, file=sys.stderr)
            case _:
                sys.exit(f"actor: I do not understand {clause!r}")

    def run(self) -> None:
        """Go on until the end."""
        if self.probed:
            answer(self.healthy_from, self.healthy_until)
        if self.end is None:
            while True:
                signal.pause()
        after, code = self.end
        time.sleep(max(0.0, after - (time.monotonic() - BORN)))
        os._exit(code)


def main(script: str) -> None:
    """Act as the script says."""
    on_sigterm(0, 0)
    act = Act()
    for clause in clauses(script):
        act.obey(clause)
    act.run()


if __name__ == "__main__":
    if sys.argv[1:] == ["probe"]:
        sys.exit(probe())
    main(" ".join(sys.argv[1:]) or os.environ.get("ACT", ""))
