"""One finding of the doctor's, and how it is made of facts. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, ParamSpec

from labkit.base import rules
from labkit.base.rules import Facts

#: "missing" is what the lab cannot do without; "limited" is what it can.
Verdict = Literal["ok", "limited", "missing"]
MARKS: dict[Verdict, str] = {"ok": "✓ ok     ", "limited": "! limited", "missing": "✗ missing"}
_FILE = Path(__file__).with_name("lines.yaml")

P = ParamSpec("P")


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


def line(name: str) -> Callable[[Callable[P, Facts]], Callable[P, Line]]:
    """Return what makes a line of a function that looks up its facts; `lines.yaml` words it."""

    def looks(facts: Callable[P, Facts]) -> Callable[P, Line]:
        def look(*args: P.args, **kwargs: P.kwargs) -> Line:
            said: dict[str, Any] = rules.first(_FILE, name, facts(*args, **kwargs))
            return Line(name, **{"verdict": "limited", **said})

        return look

    return looks
