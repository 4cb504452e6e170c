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
places where docker casts it (`Cast…` in `schema`), and stays text anywhere else.
`${VAR:+x}` belongs to Docker Compose, not to stack files.

One difference is meant: in `${VAR:?set-a-tag}` docker takes the dash for the operator
and silently uses `a-tag`. Here the first operator counts.
"""

import re
from collections.abc import Mapping
from typing import Any

from labkit.swarm.compose.problems import Path, Problems

_VARIABLE = re.compile(
    r"""\$(?:
        (?P<dollar>\$)
        | (?P<brace>\{)?
          (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
          (?: (?P<operator>:?[-?]) (?P<operand>[^}]*) )?
          (?(brace)\})
        | (?P<broken>)
    )""",
    re.VERBOSE,
)


class FromVariable(str):
    """Text that came from a variable, which some places of a file read as something else."""


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
        return filled if filled == tree else FromVariable(filled)
    except ValueError as problem:
        problems.add(path, str(problem))
        return tree


def substitute(text: str, env: Mapping[str, str]) -> str:
    """Fill in the variables of one text. Raises `ValueError` in a sentence."""
    return _VARIABLE.sub(lambda found: _value(found, text, env), text)


def _value(found: re.Match[str], text: str, env: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    name, operator, operand = found["name"], found["operator"] or "", found["operand"] or ""
    if not name:
        raise ValueError(
            f"{text!r} has a $ that begins no variable; write $$ for a dollar sign, "
            "and ${NAME}, ${NAME:-default} or ${NAME:?message} for a variable"
        )
    value = env.get(name)
    missing = not value if operator.startswith(":") else value is None
    if operator.endswith("?") and missing:
        raise ValueError(f"required variable {name} is missing a value: {operand}")
    if operator.endswith("-") and missing:
        return operand
    return value or ""
