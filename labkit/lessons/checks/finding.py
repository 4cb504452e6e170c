"""What a check says: how things stand, what was seen, why that is so, and what to try. Pure."""

from dataclasses import dataclass
from typing import Literal

from labkit.base.errors import BadValue
from labkit.base.rules import unmarked

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
