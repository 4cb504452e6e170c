"""Text that comes from an engine, made harmless for each place that shows it. Pure.

A tag, a node's name or an error may hold anything. Three places show them:

* the live view sets text nodes, which need nothing but `plain`;
* saved HTML goes through `for_html`;
* Plotly reads a little markup (`<b>`, `<a href>`, `<br>`), entities, and `$…$` as
  mathematics where MathJax is loaded, so its labels go through `for_plotly`.
"""

from __future__ import annotations

import html
import unicodedata

#: Characters of one text that a view shows; what follows is cut, with `…` in its place.
LONGEST = 1000
#: Control, format (bidirectional marks among them), surrogate, line and paragraph separator.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Return text in which every character can be seen, and which is not too long.

    Characters that steer a terminal or turn the direction of writing are spelled as
    escapes, such as `\x1b` or `\u202e`.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def for_html(text: str, longest: int = LONGEST) -> str:
    """Return text as HTML that shows exactly this text, in an element or an attribute."""
    return html.escape(plain(text, longest), quote=True)


def for_plotly(text: str) -> str:
    """Return text as a Plotly label that shows exactly this text."""
    return html.escape(plain(text, 60), quote=False).replace("$", "&#36;")


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("unicode_escape").decode("ascii")
