"""What a check says: how things stand, what was seen, why that is so, and what to try. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from string import Formatter
from typing import Any, Literal

from labkit.base.errors import BadValue
from labkit.base.quoted import unmarked
from labkit.lessons.checks.content import words
from labkit.lessons.checks.wording import counted, seconds
from swarmsim.go.durations import to_text

#: Nothing is ever "wrong": it is done, not done yet, or not tried.
Outcome = Literal["passed", "not yet", "not attempted"]

_MARKS: dict[Outcome, str] = {"passed": "✓", "not yet": "…", "not attempted": "○"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of checking one exercise.

    `saw` is what the recording or the service shows, in slots and seconds; `because` says
    why that is so. A finding without a reason teaches next to nothing, so both are required.
    Raises `BadValue` for one that lacks either, and for one that has not passed and says
    nothing to try.
    """

    outcome: Outcome
    saw: str
    because: str
    try_next: str = ""

    def __post_init__(self) -> None:
        """Refuse a finding that teaches nothing."""
        if not (self.saw and self.because):
            raise BadValue("a finding says what was seen, and why that is so")
        if self.outcome != "passed" and not self.try_next:
            raise BadValue("a finding that has not passed names one thing to try")

    @property
    def passed(self) -> bool:
        """Whether the exercise is done."""
        return self.outcome == "passed"

    @property
    def mark(self) -> str:
        """Its outcome as one character: ✓, … or ○."""
        return _MARKS[self.outcome]

    def __str__(self) -> str:
        lines = [f"{self.mark} {self.outcome}: {self.saw}", f"  {self.because}"]
        if self.try_next:
            lines.append(f"  Try: {self.try_next}")
        return unmarked("\n".join(lines))


class _Words(Formatter):
    """Fills values into the text of a finding."""

    def format_field(self, value: Any, spec: str) -> str:
        """Write a time as `5s`, or as `4.9 s` for the spec `s`; and `{count:slot}` as `2 slots`."""
        if isinstance(value, timedelta):
            return seconds(value) if spec == "s" else to_text(value)
        if isinstance(value, int) and spec[:1].isalpha() and len(spec) > 1:
            return counted(value, spec)
        return format(value, spec)


class Findings:
    """What one module may find. The words stand in its section of `exercises/findings.yaml`."""

    def __init__(self, module: str) -> None:
        self._words: dict[str, Any] = words("exercises/findings")[module]

    def text(self, key: str, **values: object) -> str:
        """Return a text that is a part of several findings, or of none."""
        return _Words().vformat(self._words[key], (), values)

    def passed(self, key: str, **values: object) -> Finding:
        """Return that it is done, and what about the configuration made it so."""
        return self._finding("passed", key, values)

    def not_yet(self, key: str, **values: object) -> Finding:
        """Return that something is missing still."""
        return self._finding("not yet", key, values)

    def not_attempted(self, key: str, **values: object) -> Finding:
        """Return that there is nothing to judge."""
        return self._finding("not attempted", key, values)

    def _finding(self, outcome: Outcome, key: str, values: Mapping[str, object]) -> Finding:
        said = {name: _Words().vformat(text, (), values) for name, text in self._words[key].items()}
        return Finding(outcome, said["saw"], said["because"], said.get("try", ""))
