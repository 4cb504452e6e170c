"""What the program of a task would do, as far as its text says: for where it can't be run.

This reads the Python file that the task's command names, for what decides an update: how it
takes the stop signal, whether it ends as it starts, and whether it ever gets to work.
"""

import ast
import builtins
import traceback
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path, PurePosixPath

from swarmsim.model import Behaviour, Task
from swarmsim.runtime import plan
from swarmsim.runtime.plan import Plan
from swarmsim.runtime.port import Host

#: How long Python takes to start, and to come to what ends it.
_STARTS = timedelta(seconds=0.3)


def behaviour(host: Host, task: Task) -> Behaviour:
    """Return what a task would do; one that has no Python file runs until it is stopped."""
    image = host.images.get(task.image)
    if image is None:
        return Behaviour()
    it = plan.make(task, image.id, image.config, None)
    named = next((word for word in it.command if word.endswith(".py")), "")
    path = PurePosixPath("/", it.working_dir, named)
    folder = host.images.files(image)
    try:
        text = (folder / path.relative_to("/")).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return Behaviour()
    try:
        tree = ast.parse(text, str(path))
    except SyntaxError as problem:
        return _ending(1, "".join(traceback.format_exception_only(problem)))
    if name := next(_missing(tree), None):
        return _ending(1, _traceback(path, text, name))
    for given in _refusals(tree, it.env):
        return _ending(given, "") if isinstance(given, int) else _ending(1, f"{given}\n")
    waits = _waits_for_a_file(tree, folder / it.working_dir.lstrip("/"))
    return Behaviour(
        ignores_stop=not _hears_the_stop_signal(tree),
        unhealthy_after=_found_after(it) if waits else None,
    )


def _ending(code: int, stderr: str) -> Behaviour:
    return Behaviour(exits_after=_STARTS, exit_code=code, stderr=stderr)


def _found_after(it: Plan) -> timedelta | None:
    """Return when a healthcheck has failed often enough; `None` without one."""
    if check := it.healthcheck:
        return timedelta(microseconds=check.interval * check.retries // 1000)
    return None


def _missing(tree: ast.Module) -> Iterator[ast.Name]:
    """Yield the names that the module itself uses, outside of functions, and nothing makes."""
    made = set(dir(builtins)) | {"__file__", "__name__"}
    for each in ast.walk(tree):
        match each:
            case ast.alias(name=name, asname=other):
                made.add(other or name.partition(".")[0])
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                made.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
            case ast.AsyncFunctionDef(name=name) | ast.ExceptHandler(name=str(name)):
                made.add(name)
    for step in tree.body:
        if not isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            used = (each for each in ast.walk(step) if isinstance(each, ast.Name))
            yield from (each for each in used if not made & {each.id, "*"})


def _traceback(path: PurePosixPath, text: str, name: ast.Name) -> str:
    line = text.splitlines()[name.lineno - 1].strip()
    where = f'  File "{path}", line {name.lineno}, in <module>\n    {line}\n'
    why = f"NameError: name {name.id!r} is not defined\n"
    return f"Traceback (most recent call last):\n{where}{why}"


def _refusals(tree: ast.Module, env: Mapping[str, str]) -> Iterator[object]:
    """Yield what is given to `sys.exit` where a variable of the environment asks for it."""
    for each in ast.walk(tree):
        match each:
            case ast.If(
                test=ast.Compare(
                    left=ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=name)]),
                    ops=[ast.In()],
                    comparators=[ast.List(elts=values)],
                ),
                body=[
                    ast.Expr(
                        value=ast.Call(
                            func=ast.Attribute(attr="exit"), args=[ast.Constant(value=given)]
                        )
                    )
                ],
            ) if env.get(str(name)) in [getattr(it, "value", None) for it in values]:
                yield given


def _hears_the_stop_signal(tree: ast.Module) -> bool:
    """Whether there is a handler of SIGTERM; by default Linux keeps it from a first process."""
    for each in ast.walk(tree):
        if isinstance(each, ast.Call):
            names = {it.attr for it in each.args if isinstance(it, ast.Attribute)}
            if "SIGTERM" in names:
                return "SIG_IGN" not in names
    return False


def _waits_for_a_file(tree: ast.Module, folder: Path) -> bool:
    """Whether there is a loop that waits for a file that nothing makes."""
    for each in ast.walk(tree):
        match each:
            case ast.While(
                test=ast.UnaryOp(
                    op=ast.Not(),
                    operand=ast.Call(
                        func=ast.Attribute(attr="exists"), args=[ast.Constant(value=str(name))]
                    ),
                )
            ):
                return not (folder / name).exists()
    return False
