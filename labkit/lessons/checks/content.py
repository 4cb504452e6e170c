"""The words of questions, exercises and findings: YAML files beside the code that uses them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

#: PyYAML's own parser takes ten times as long, and is there where libyaml is not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def words(file: str) -> dict[str, dict[str, Any]]:
    """Return what is in a file of these folders, such as `questions/questions`, in its order."""
    text = (Path(__file__).parent / f"{file}.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.load(text, _LOADER)  # noqa: S506 - it is a safe one
    return found
