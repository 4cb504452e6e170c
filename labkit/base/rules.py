"""Rules: which condition says what, read from YAML files beside the code that knows the facts.

The first rule of a list whose `when` holds says how things stand:

    - when: attempt.state == "paused"
      saw: the update was paused{{ attempt.after_failures }}.
      because: …
      try: …

A condition is an expression of Jinja2 and a text a template; both name facts, which come from
the code. A rule with `rules` has a list of its own in place of words, or names a shared one;
if nothing in that holds, the next rule is asked. `say("x")` in a text is the text `x` of the
same section, or of `shared`, under `texts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swarmsim.go.durations import to_text

if TYPE_CHECKING:
    from jinja2 import Environment

Facts = Mapping[str, Any]
Rule = Mapping[str, Any]

#: Of a rule, what is not one of its words.
_LOGIC = ("when", "rules")
#: So many slots a sentence lists before it counts the others, if there are several others.
_LISTED = 3


def seconds(length: timedelta) -> str:
    """Return a measured time, such as `27.4 s`."""
    return f"{length.total_seconds():.1f} s"


def counted(count: int, thing: str) -> str:
    """Return a count with its thing: `1 slot`, `2 slots`, `no slots`."""
    return f"{count or 'no'} {thing}{'s' * (count != 1)}"


def listed(slots: Iterable[int]) -> str:
    """Return which slots, in the order given: `slots 3 and 7`, `slots 1, 4, 7 and 5 others`."""
    names = [str(slot) for slot in slots]
    if len(names) > _LISTED + 1:
        names = [*names[:_LISTED], f"{len(names) - _LISTED} others"]
    if not names:
        return "no slot"
    if len(names) == 1:
        return f"slot {names[0]}"
    return f"slots {', '.join(names[:-1])} and {names[-1]}"


#: What texts may do with facts; rooms add filters of their own.
FILTERS: dict[str, Callable[..., object]] = {
    "counted": counted,
    "g": "{:g}".format,
    "listed": listed,
    "repr": repr,
    "s": seconds,
}


@cache
def words(file: Path) -> dict[str, Any]:
    """Return the sections of a file, in its order."""
    import yaml  # a recorder, which says nothing, does without

    # PyYAML's own parser takes ten times as long, and is there where libyaml is not
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), loader)  # noqa: S506 - a safe one
    return found


def filled(texts: Mapping[str, str], facts: Facts) -> dict[str, str]:
    """Return texts with facts in them."""
    return {key: _template(text)(facts) for key, text in texts.items()}


def first(file: Path, name: str, facts: Facts, of: str = "rules") -> dict[str, str]:
    """Return the words of the first rule of a section that holds, filled in; none if none holds.

    `of` is the list in the section. Lists and texts that sections have in common are in `shared`.
    """
    section, shared = words(file)[name], words(file).get("shared", {})
    texts = {**shared.get("texts", {}), **section.get("texts", {})}

    def say(text: str) -> str:
        return _template(texts[text])(known)

    known = {"say": say, **facts}
    rule = _match(section.get(of, ()), known, shared) or {}
    return filled({key: rule[key] for key in rule if key not in _LOGIC}, known)


def _match(rules: Sequence[Rule] | str, facts: Facts, shared: Mapping[str, Any]) -> Rule | None:
    for rule in shared[rules] if isinstance(rules, str) else rules:
        if _condition(rule.get("when", "true"))(**facts):
            found = _match(rule["rules"], facts, shared) if "rules" in rule else rule
            if found:
                return found
    return None


@cache
def _condition(expression: str) -> Callable[..., Any]:
    return environment().compile_expression(expression, undefined_to_none=False)


@cache
def _template(text: str) -> Callable[[Facts], str]:
    return environment().from_string(text).render


@cache
def environment() -> Environment:
    """Return what reads conditions and texts."""
    from jinja2 import Environment, StrictUndefined  # takes as long to import as labkit does

    made = Environment(  # noqa: S701 - what it makes is text; cards escape it
        undefined=StrictUndefined,
        finalize=lambda value: to_text(value) if isinstance(value, timedelta) else value,
    )
    made.filters |= FILTERS
    return made


# ---- an engine's own words inside of a text ------------------------------------------

# Texts of the lesson use a little Markdown (`code`, **bold**, *italics*). An error of an engine
# may hold the same signs and mean nothing by them. What stands between two marks is shown as it
# is (`labkit.views.state.words`); forms that are plain text go without the marks.

#: Unicode's marks for an annotation: they are never typed, and never shown.
_BEGIN, _END = "\ufff9", "\ufffb"
_MARKS = str.maketrans("", "", _BEGIN + _END)
#: A text that was cut may lack its end.
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*)(?:{_END}|\\Z)")


def verbatim(text: str) -> str:
    """Return a text, marked as one to be shown exactly as it is; `""` stays `""`."""
    return f"{_BEGIN}{unmarked(text)}{_END}" if text else ""


def unmarked(text: str) -> str:
    """Return a text without the marks, for forms in which nothing is markup."""
    return text.translate(_MARKS)


def pieces(text: str) -> list[str]:
    """Return the pieces of a text: what may hold markup and what is verbatim, in turn.

    The first may hold markup, as do the third and all that are odd; none has a mark.
    """
    return [unmarked(piece) for piece in _MARKED.split(text)]
