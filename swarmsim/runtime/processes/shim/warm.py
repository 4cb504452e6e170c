"""A Python that has loaded what tasks usually import, and forks into each of them.

The engine runs it by its path (`machine.forking`). Its standard input is a socket: a request
is a command with its folder and its variables, and brings three descriptors: where the task
writes, where it writes errors, and a socket that gets two messages, the task's number from
the task itself (it leads its group by then) and, from here, how it ended.

A task finds what it would in a Python of its own, and ends as there. It may notice that
modules are loaded that it has not imported: `http.client` after `import http`. Where the
image has a module of such a name, or the program cannot be read, a new Python is executed.
Names in this folder are hidden from what tasks write, so their tracebacks do not show it.
"""

import asyncio  # noqa: F401 - for the tasks, as are the next ones
import atexit
import builtins
import bz2
import contextlib
import datetime  # noqa: F401
import encodings.idna  # noqa: F401 - for names that are looked up
import gc
import http.server  # noqa: F401
import io
import json
import os
import pathlib  # noqa: F401
import select
import socket
import sys
import threading
import time
import tokenize
import urllib.request  # noqa: F401
from importlib.machinery import BuiltinImporter, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

import sitecustomize  # type: ignore[import-not-found]  # it is beside this file

#: They keep `open`, which `sitecustomize` replaces in a task.
_KEEPING_OPEN: tuple[Any, ...] = (bz2, tokenize)
_LOADED = {name.partition(".")[0] for name in sys.modules}


def serve() -> tuple[Any, list[int]]:
    """Fork for each request; return it, with its descriptors, in the fork only."""
    requests = socket.socket(fileno=0)
    running: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select.select([0, *running], [], [])
        for descriptor in {*ready} & running.keys():
            _report(descriptor, *running.pop(descriptor))
        if 0 not in ready:
            continue
        request, passed, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not request:  # the engine has ended
            os._exit(0)
        number = os.fork()
        if not number:
            requests.detach()
            inherited = [each for it in running.items() for each in (it[0], it[1][1])]
            return json.loads(request), [*passed, *inherited]
        running[os.pidfd_open(number)] = number, passed[2]
        for each in passed[:2]:
            os.close(each)


def _report(descriptor: int, number: int, teller: int) -> None:
    _, status = os.waitpid(number, 0)
    with contextlib.suppress(OSError):  # the engine has ended
        os.write(teller, b"%d" % os.waitstatus_to_exitcode(status))
    os.close(descriptor)
    os.close(teller)


def become(request: Any, descriptors: list[int]) -> tuple[CodeType, dict[str, Any]]:
    """Become a task; return its program, and the names of its `__main__`."""
    words, env = request["words"], request["env"]
    os.setpgid(0, 0)  # no session of its own: to Linux an application is one that wants to run
    output, errors, teller, *_ = descriptors
    for target, source in enumerate((os.open(os.devnull, os.O_RDONLY), output, errors)):
        os.dup2(source, target)
        descriptors.append(source)
    os.chdir(request["cwd"])
    os.write(teller, b"%d" % os.getpid())
    for each in {*descriptors} - {0, 1, 2}:
        os.close(each)
    try:
        code, main = _program(words[1:])
    except (OSError, SyntaxError, ValueError):
        os.execve(words[0], words, env)  # noqa: S606 - this Python
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    if env.get("PYTHONUNBUFFERED"):
        _write_at_once()
    sitecustomize.main()
    for each in _KEEPING_OPEN:
        setattr(each, "_builtin_open", open)  # noqa: B010 - a name of their own
    return code, main.__dict__


def _program(words: list[str]) -> tuple[CodeType, ModuleType]:
    """Return a program, after setting what Python sets before it runs one."""
    sys.orig_argv, sys.argv = [sys.executable, *words], words
    main: Any = ModuleType("__main__")
    main.__builtins__, main.__annotations__ = builtins, {}
    if words[0] == "-c":
        folder, path, source = "", "<string>", words[1].encode()
        sys.argv = ["-c", *words[2:]]
        main.__loader__ = BuiltinImporter
    else:
        path = os.path.join(os.getcwd(), words[0])
        folder = os.path.dirname(os.path.realpath(path))
        with open(path, "rb") as file:
            source = file.read()
        main.__file__, main.__cached__ = path, None
        main.__loader__ = SourceFileLoader("__main__", path)
    if not _LOADED.isdisjoint(name.partition(".")[0] for name in os.listdir(folder or ".")):
        raise ValueError("the image has a module of a name that is loaded")
    sys.path[0] = folder
    sys.modules["__main__"] = main
    return compile(source, path, "exec", dont_inherit=True), main


def _write_at_once() -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        was = getattr(sys, name)
        raw = io.FileIO(number, "w", closefd=False)
        raw.name = f"<{name}>"
        now = io.TextIOWrapper(raw, was.encoding, was.errors, "\n", write_through=True)
        setattr(sys, name, now)
        setattr(sys, f"__{name}__", now)


def end(names: dict[str, Any], status: int) -> None:
    """End as Python does, without taking apart what is shared: that would copy all of it.

    Copying would take ten milliseconds of processor time a task.
    """
    # what Python calls at its end, and nothing else does it
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    sys.setswitchinterval(1000)  # no other thread runs any more
    own = [it for name, it in sys.modules.items() if name.partition(".")[0] not in _LOADED]
    for each in (names, *map(vars, own)):
        each.clear()
    gc.collect()  # what the program has left open is closed
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # it was closed
            stream.flush()
    os._exit(status)


def _status(given: object) -> int:
    """Return what `sys.exit` with this is to a shell; a text is written."""
    if given is None or isinstance(given, int):
        return (given or 0) & 0xFF
    sys.stderr.write(f"{given}\n")
    return 1


if __name__ == "__main__":
    os.nice(5)  # an engine keeps its times while tasks take all that the processor has
    gc.freeze()  # what is here is shared as long as nobody touches it
    code, names = become(*serve())
    status = 0
    try:
        exec(code, names)  # noqa: S102 - the program of an image
    except SystemExit as problem:
        status = _status(problem.code)
    except BaseException as problem:
        trace = problem.__traceback__
        problem.__traceback__ = trace and trace.tb_next
        sys.excepthook(type(problem), problem, problem.__traceback__)
        if isinstance(problem, KeyboardInterrupt):  # of which Python ends by its signal
            sys.excepthook = lambda *_: None
            raise
        status = 1
    end(names, status)
