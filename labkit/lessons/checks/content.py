"""The words of the lesson's questions and exercises, which are YAML files beside their code."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

#: PyYAML's own parser takes ten times as long, and is there where libyaml is not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def words(kind: str) -> dict[str, dict[str, Any]]:
    """Return what each of the `questions`, or of the `exercises`, says, in the lesson's order."""
    file = Path(__file__).parent / kind / f"{kind}.yaml"
    text = file.read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.load(text, _LOADER)  # noqa: S506 - it is a safe one
    return found
