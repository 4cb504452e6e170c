"""The words of questions, exercises and findings: YAML files beside the code that uses them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

import yaml

#: PyYAML's own parser takes ten times as long, and is there where libyaml is not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class HasName(Protocol):
    """A question or an exercise."""

    @property
    def name(self) -> str:
        """What it is called in its file of words."""


Named = TypeVar("Named", bound=HasName)


@cache
def words(file: str) -> dict[str, dict[str, Any]]:
    """Return what is in a file of these folders, such as `questions/questions`, in its order."""
    text = (Path(__file__).parent / f"{file}.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.load(text, _LOADER)  # noqa: S506 - it is a safe one
    return found


def in_order(kind: type[Named], modules: Iterable[ModuleType], file: str) -> dict[str, Named]:
    """Return what of a kind is written in modules, by name, in the order of its words."""
    written = [each for module in modules for each in vars(module).values()]
    found = {each.name: each for each in written if isinstance(each, kind)}
    return {name: found[name] for name in words(file)}
