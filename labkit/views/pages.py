"""HTML and SVG from the templates in `templates/`.

What a template prints is text, and stays text: it goes through `words.plain`, then Jinja2
escapes it. Only what is `Markup` already is printed as it is.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from labkit.views.state import sentences, words

if TYPE_CHECKING:
    from jinja2 import Environment

#: Line breaks beside a tag or after a statement only lay the template out.
_BREAK = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=<)|\s*\Z")
_WRAP = re.compile(r"\s*\n\s*")


def render(template: str, **what: Any) -> Markup:
    """Return a template as markup, filled in with what it is given."""
    return Markup(_environment().get_template(template).render(what))  # noqa: S704 - escaped


def _printed(said: Any) -> str:
    if isinstance(said, Markup):
        return said
    return _escaped(f"{said:.2f}".rstrip("0").rstrip(".") if isinstance(said, float) else str(said))


@lru_cache(maxsize=2048)  # a drawing says the same states, times and widths many times
def _escaped(said: str) -> Markup:
    return words.for_html(said)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.ext import Extension

    class Layout(Extension):
        """Drops the line breaks and the indentation of a template."""

        def preprocess(self, source: str, *_: str | None) -> str:
            return _WRAP.sub(" ", _BREAK.sub("", source))

    environment = Environment(
        loader=PackageLoader("labkit.views"),
        autoescape=True,
        extensions=[Layout],
        finalize=_printed,
        undefined=StrictUndefined,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters |= {
        "code": words.code,
        "counted": sentences.counted,
        "lines": words.lines,
        "minutes": sentences.minutes,
        "paragraphs": words.paragraphs,
        "prose": words.prose,
        "spoken": sentences.spoken,
    }
    return environment
