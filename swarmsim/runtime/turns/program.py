"""A program: its modules, folder, variables, output and signals, while it is its turn."""

import builtins
import contextlib
import io
import linecache
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakSet

from swarmsim.runtime.processes.running import Launch
from swarmsim.runtime.turns.fibers import Fiber
from swarmsim.runtime.turns.sockets import Socket, close_all

#: Modules that each program has for itself, besides its own: they keep what it configures.
_APART = ("logging",)
#: Options of Python's that are followed by a word, and those that stand alone and change nothing.
_WITH_WORD, _ALONE = ("-X", "-W"), "-uBOEIsSbqvi"
_KILLED = 137
#: A program that has been told to end this often is parked: its code may catch everything.
_TOLD_OFTEN = 20
#: As they are before programs have folders of their own.
_chdir, _getcwd = os.chdir, os.getcwd
_pids = count(1000)


class Killed(BaseException):
    """The program is to end where it is."""


class Exit(BaseException):
    """What `os._exit` does."""


class Program:
    """A running program."""

    def __init__(self, launch: Launch, task: Any) -> None:
        self.pid = next(_pids)
        #: What the `shim` knows of its task: names, ports, paths.
        self.task = task
        self.path = str(task.root)
        self.sockets: WeakSet[Socket] = WeakSet()
        #: By number: what it has set for a signal.
        self.handlers: dict[int, Any] = {}
        #: Its fibers but the first, and whether it ends without waiting for them.
        self.threads: dict[Fiber, bool] = {}
        self.argv = launch.words[1:]
        self.environ = dict(launch.env)
        self._write, self._ended = launch.write, launch.ended
        self._signals: list[int] = []
        self._over = False
        self._told = 0
        self._cwd = str(launch.cwd)
        self._out, self._err = self._file(is_error=False), self._file(is_error=True)
        self._sys_path = [self._cwd, *sys.path]
        self._modules: dict[str, ModuleType] = {"__main__": ModuleType("__main__")}
        self._loaded = 0
        self._outside: dict[str, Any] = {}
        self.main = Fiber(self, self._run)
        self.main.start()

    # ---- as a process ------------------------------------------------------------------

    def send(self, number: int) -> None:
        """Send a signal; without a function for it, the first process of a container gets none."""
        if number == signal.SIGKILL:
            self.kill()
        elif callable(self.handlers.get(number)):
            self._signals.append(number)
            self.main.poke()

    def kill(self) -> None:
        """End it, wherever it is."""
        self._end(_KILLED)

    def wait(self) -> None:
        """Do nothing more: it has ended."""

    # ---- its turn ----------------------------------------------------------------------

    def enter(self) -> None:
        """Take the Python over."""
        self._outside = {"argv": sys.argv, "path": sys.path, "out": (sys.stdout, sys.stderr)}
        self._outside |= {"environ": os.environ, "cwd": _getcwd()}
        sys.argv, sys.path = self.argv, self._sys_path
        sys.stdout, sys.stderr = self._out, self._err
        os.environ = self.environ
        with contextlib.suppress(OSError):  # of a task that is gone
            _chdir(self._cwd)
        self._outside["modules"] = {name: sys.modules.pop(name, None) for name in _APART}
        sys.modules.update(self._modules)
        self._loaded = len(sys.modules)

    def leave(self) -> None:
        """Give the Python back."""
        if len(sys.modules) != self._loaded:  # which is told quickly
            found = sys.modules.items()
            self._modules = {name: it for name, it in found if self._is_own(name, it)}
        for name in self._modules:
            del sys.modules[name]
        sys.modules.update({k: v for k, v in self._outside["modules"].items() if v is not None})
        with contextlib.suppress(OSError):
            self._cwd = _getcwd()
        _chdir(self._outside["cwd"])
        self.argv, self._sys_path = sys.argv, sys.path
        sys.argv, sys.path = self._outside["argv"], self._outside["path"]
        sys.stdout, sys.stderr = self._outside["out"]
        os.environ = self._outside["environ"]

    def deliver(self, fiber: Fiber) -> None:
        """Handle the signals that have come; raises `Killed` once it has ended."""
        if self._over:
            self._told += 1
            while self._told > _TOLD_OFTEN:
                fiber.rest()
            raise Killed
        while fiber is self.main and self._signals:
            number = self._signals.pop(0)
            self.handlers[number](number, None)

    def _is_own(self, name: str, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None) or ""
        return name in _APART or name == "__main__" or str(file).startswith(self.path)

    # ---- running it --------------------------------------------------------------------

    def _run(self) -> None:
        code = 0
        try:
            self.deliver(self.main)
            self._execute(self.argv)
            for thread in [each for each, is_daemon in self.threads.items() if not is_daemon]:
                thread.join()
        except Killed:
            return
        except Exit as end:
            code = int(end.args[0])
        except SystemExit as end:
            code = self._exit_code(end.code)
        except BaseException as problem:
            self._show(problem)
            code = 1
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with Fiber.current.outside():  # type: ignore[union-attr]
            self._end(code)

    def _end(self, code: int) -> None:
        if self._over:
            return
        self._over = True
        close_all(self.sockets)
        for fiber in (self.main, *self.threads):
            fiber.poke()  # and each finds that it is killed
        self.main.loop.call_soon(self._ended, code)

    def _execute(self, words: list[str]) -> None:
        while words and words[0].startswith("-") and words[0] not in ("-", "-c", "-m"):
            if words[0] not in _WITH_WORD and set(words[0][1:]) - set(_ALONE):
                print(f"Unknown option: {words[0]}", file=sys.stderr)
                raise SystemExit(2)
            words = words[2:] if words[0] in _WITH_WORD else words[1:]
        kind = words[0] if words else "-"
        if kind == "-":  # standard input, in which there is nothing
            return
        if kind == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif kind == "-c":
            sys.argv = ["-c", *words[2:]]
            self._run_source(words[1], "<string>")
        else:
            sys.argv = words
            path = Path(kind).absolute()
            sys.path[0] = str(path.parent)
            self._run_source(self._source(path), str(path))

    def _source(self, path: Path) -> str:
        try:
            with io.open_code(str(path)) as file:
                return io.TextIOWrapper(file, encoding="utf-8").read()
        except OSError as problem:
            said = f"[Errno {problem.errno}] {problem.strerror}"
            print(f"python: can't open file '{path}': {said}", file=sys.stderr)
            raise SystemExit(2) from None

    def _run_source(self, source: str, name: str) -> None:
        module = sys.modules["__main__"]
        module.__dict__.update(__builtins__=builtins, __file__=name)
        linecache.cache[name] = len(source), None, source.splitlines(True), name
        exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)

    def _show(self, problem: BaseException) -> None:
        """Write a traceback, from the program's own code on."""
        found = problem.__traceback__
        while found is not None and found.tb_frame.f_globals.get("__name__") == __name__:
            found = found.tb_next
        lines = traceback.format_exception(type(problem), problem, found)
        print(*lines, sep="", end="", file=sys.stderr)

    @staticmethod
    def _exit_code(code: object) -> int:
        if isinstance(code, int) or code is None:
            return (code or 0) & 0xFF
        print(code, file=sys.stderr)
        return 1

    def _file(self, *, is_error: bool) -> io.TextIOWrapper:
        raw = _Output(lambda data: self._written(is_error, data))
        buffered = io.BufferedWriter(raw)
        return io.TextIOWrapper(buffered, encoding="utf-8", line_buffering=True)

    def _written(self, is_error: bool, data: bytes) -> None:
        if self._over:
            return
        if Fiber.current is None:
            self._write(is_error, data)
            return
        with Fiber.current.outside():
            self._write(is_error, data)


class _Output(io.RawIOBase):
    """A program's output, or its errors."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._take = write

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Pass on what is written."""
        self._take(bytes(data))
        return len(data)
