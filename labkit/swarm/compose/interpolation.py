"""`$VAR` and its relatives in a compose file, as `docker stack deploy` fills them in.

| written            | means                                                      |
|--------------------|------------------------------------------------------------|
| `$VAR`, `${VAR}`   | the variable; nothing when it is not set                   |
| `${VAR:-default}`  | the default when the variable is not set or empty          |
| `${VAR-default}`   | the default when the variable is not set                   |
| `${VAR:?message}`  | an error when the variable is not set or empty             |
| `${VAR?message}`   | an error when the variable is not set                      |
| `$$`               | a dollar sign                                              |

Only values are filled in, from the environment alone: `docker stack deploy` reads no
`.env` file. Text that came from a variable becomes a number or a truth value in the
places where docker casts it (docker/cli, compose/loader/interpolate.go), and stays
text anywhere else. `${VAR:+x}` belongs to Docker Compose and not to this.

One difference is meant: in `${VAR:?set-a-tag}` docker takes the dash for the operator
and silently uses `a-tag`. Here the first operator counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from labkit.swarm.compose.problems import Path, Problems

_NAME = r"[_a-zA-Z][_a-zA-Z0-9]*"
_OPERATION = rf"(?P<{{0}}>{_NAME})(?:(?P<{{0}}_operator>:?[-?])(?P<{{0}}_operand>[^}}}}]*))?"
_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|"
    + _OPERATION.format("bare")
    + r"|\{"
    + _OPERATION.format("braced")
    + r"\}|(?P<broken>))"
)


def interpolate(tree: Any, env: Mapping[str, str], problems: Problems, path: Path = ()) -> Any:
    """Return a copy of `tree` with every variable filled in; mistakes go to `problems`."""
    if isinstance(tree, dict):
        return {key: interpolate(value, env, problems, (*path, key)) for key, value in tree.items()}
    if isinstance(tree, list):
        return [interpolate(value, env, problems, (*path, i)) for i, value in enumerate(tree)]
    if not isinstance(tree, str) or "$" not in tree:
        return tree
    try:
        filled = substitute(tree, env)
        return filled if filled == tree else _cast(filled, path)
    except ValueError as problem:
        problems.add(path, str(problem))
        return tree


def substitute(text: str, env: Mapping[str, str]) -> str:
    """Fill in the variables of one text. Raises `ValueError` in a sentence."""
    return _VARIABLE.sub(lambda found: _value(found, text, env), text)


def _value(found: re.Match[str], text: str, env: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    kind = "bare" if found["bare"] else "braced"
    name, operator = found[kind], found[f"{kind}_operator"] or ""
    if not name:
        raise ValueError(
            f"{text!r} has a $ that begins no variable; write $$ for a dollar sign, "
            "and ${NAME}, ${NAME:-default} or ${NAME:?message} for a variable"
        )
    value, operand = env.get(name), found[f"{kind}_operand"] or ""
    missing = not value if operator.startswith(":") else value is None
    if operator.endswith("?") and missing:
        raise ValueError(f"required variable {name} is missing a value: {operand}")
    if operator.endswith("-") and missing:
        return operand
    return value or ""


def _whole(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ValueError(f"must be a whole number, and the variable gives {text!r}")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"must be a number, and the variable gives {text!r}") from None


def _truth(text: str) -> bool:
    if text.lower() in ("y", "yes", "true", "on"):
        return True
    if text.lower() in ("n", "no", "false", "off"):
        return False
    raise ValueError(f"must be true or false, and the variable gives {text!r}")


#: Where text that came from a variable is cast. `*` is any key, `[]` any list index.
_CASTS: dict[tuple[str, ...], Callable[[str], object]] = {
    tuple(place.split(".")): cast
    for cast, places in {
        _whole: (
            "services.*.configs.[].mode",
            "services.*.secrets.[].mode",
            "services.*.healthcheck.retries",
            "services.*.deploy.replicas",
            "services.*.deploy.update_config.parallelism",
            "services.*.deploy.rollback_config.parallelism",
            "services.*.deploy.restart_policy.max_attempts",
            "services.*.deploy.placement.max_replicas_per_node",
            "services.*.ports.[].target",
            "services.*.ports.[].published",
            "services.*.ulimits.*",
            "services.*.ulimits.*.hard",
            "services.*.ulimits.*.soft",
            "services.*.oom_score_adj",
        ),
        _number: (
            "services.*.deploy.update_config.max_failure_ratio",
            "services.*.deploy.rollback_config.max_failure_ratio",
        ),
        _truth: (
            "services.*.healthcheck.disable",
            "services.*.privileged",
            "services.*.read_only",
            "services.*.stdin_open",
            "services.*.tty",
            "services.*.volumes.[].read_only",
            "services.*.volumes.[].volume.nocopy",
            "networks.*.external",
            "networks.*.internal",
            "networks.*.attachable",
            "volumes.*.external",
            "secrets.*.external",
            "configs.*.external",
        ),
    }.items()
    for place in places
}


def _cast(text: str, path: Path) -> object:
    steps = ["[]" if isinstance(step, int) else step for step in path]
    for place, cast in _CASTS.items():
        if len(place) == len(steps) and all(
            wanted in ("*", step) for wanted, step in zip(place, steps, strict=True)
        ):
            return cast(text)
    return text
