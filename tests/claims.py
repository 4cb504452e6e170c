"""Claims that are written as data: a YAML file beside the module that holds labkit to them."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

#: By libyaml, if it is there: all files of claims would take seconds without.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """Return what is written in YAML."""
    return yaml.load(text, _LOADER)


def claims(module: str, part: str = "") -> Any:
    """Return what is in the file of a module (its `__file__`), or in a part of it.

    >>> claims("tests/swarm/test_compose.py", "sizes")      # of tests/swarm/test_compose.yaml
    """
    found = _read(Path(module).with_suffix(".yaml"))
    return found[part] if part else found


@cache
def _read(path: Path) -> Any:
    return load(path.read_text(encoding="utf-8"))


def each_claim(module: str, part: str, *names: str) -> pytest.MarkDecorator:
    """Return the mark that makes a test of each claim in a part of a module's file.

    A part is a list of rows, whose values are `names`, or a mapping of claims, each with a case.
    """
    found = claims(module, part)
    name = names if len(names) > 1 else names[0]
    if isinstance(found, dict):
        return pytest.mark.parametrize(name, list(found.values()), ids=list(found))
    return pytest.mark.parametrize(name, found)
