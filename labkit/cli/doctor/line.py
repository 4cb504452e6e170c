"""One finding of the doctor's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: "missing" is what the lab cannot do without; "limited" is what it can.
Verdict = Literal["ok", "limited", "missing"]
MARKS: dict[Verdict, str] = {"ok": "✓ ok     ", "limited": "! limited", "missing": "✗ missing"}
#: What to do about a simulated engine; where Docker is looked for has lines of its own.
A_REAL_ONE = "the lesson is complete on it; for a real one start Docker, or install it."


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: what was looked at, how it is, and how to fix it where needed."""

    name: str
    verdict: Verdict
    saw: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f"\n{'':12}→ {self.mend}" if self.mend else ""
        return f"{MARKS[self.verdict]} {self.name}: {self.saw}{mend}"
