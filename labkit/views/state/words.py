"""Text that comes from an engine, made harmless for each place that shows it. Pure.

A tag, a node's name or an error may hold anything. Four places show them:

* the live view sets text nodes, which need nothing but `plain`;
* the templates of saved HTML (`labkit.views.pages`) print through `plain`, and escape;
* texts of the lesson, in which an engine's may stand (`labkit.base.rules`), go through `prose`;
* Plotly reads a little markup (`<b>`, `<a href>`, `<br>`), entities, and `$…$` as
  mathematics where MathJax is loaded, so its labels go through `for_plotly`.
"""

import html
import re
import unicodedata

from markupsafe import Markup, escape

from labkit.base.rules import pieces, unmarked

#: Characters of one text that a view shows; what follows is cut, with `…` in its place.
LONGEST = 1000
#: Control, format (bidirectional marks among them), surrogate, line and paragraph separator.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_CODE = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_ITALIC = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])")
#: Where code, and where an engine's words were taken out; no text has such a character once
#: it is HTML.
_ASIDE = re.compile(r"\0(\d+)\0")
_VERBATIM = re.compile(r"\x01(\d+)\x01")
#: Characters of a line of a text; nothing of the lesson is as long, but an engine may be.
_LONGEST_LINE = 4000


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Return text in which every character can be seen, and which is not too long.

    Characters that steer a terminal or turn the direction of writing are spelled as
    escapes, such as `\x1b` or `\u202e`. The marks of `labkit.quoted` go.
    """
    text = unmarked(text)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def for_html(text: str, longest: int = LONGEST) -> Markup:
    """Return text as HTML that shows exactly this text, in an element or an attribute."""
    return escape(plain(text, longest))


def lines(text: str, between: str = "<br>") -> Markup:
    """Return text as HTML with its line ends kept, as `<br>` or as they are."""
    shown = (for_html(line, _LONGEST_LINE) for line in text.split("\n"))
    return Markup(between).join(shown)  # noqa: S704 - one of two constants


def code(text: str) -> Markup:
    """Return code as HTML."""
    return lines(text, "\n")


def prose(text: str) -> Markup:
    """Return a text as HTML, with `code`, **bold** and *italics* marked up and all else escaped.

    What `labkit.base.rules.verbatim` has marked is escaped only, whatever signs it has.
    """
    code: list[str] = []

    def aside(found: re.Match[str]) -> str:
        code.append(found[1])  # a `*` in it does not begin italics
        return f"\0{len(code) - 1}\0"

    shown, verbatim = _with_placeholders(text)
    shown = _ITALIC.sub(r"<i>\1</i>", _BOLD.sub(r"<b>\1</b>", _CODE.sub(aside, shown)))
    shown = _ASIDE.sub(lambda found: f"<code>{code[int(found[1])]}</code>", shown)
    shown = _VERBATIM.sub(lambda found: verbatim[int(found[1])], shown)
    return Markup(shown)  # noqa: S704 - every text in it was escaped before it was marked up


def paragraphs(text: str) -> Markup:
    """Return a text as paragraphs; one whose lines all begin with `- ` is a list."""
    return Markup("").join(map(_block, text.split("\n\n")))


def for_plotly(text: str) -> str:
    """Return text as a Plotly label that shows exactly this text."""
    return html.escape(plain(text, 60), quote=False).replace("$", "&#36;")


def _block(text: str) -> Markup:
    items = text.strip("\n").split("\n")
    if not all(item.startswith("- ") for item in items):
        return Markup("<p>{}</p>").format(prose(text))
    listed = (Markup("<li>{}</li>").format(prose(item[2:])) for item in items)
    return Markup("<ul>{}</ul>").format(Markup("").join(listed))


def _with_placeholders(text: str) -> tuple[str, list[str]]:
    """Return a text as HTML with numbers in place of what is verbatim, and that as HTML."""
    shown: list[str] = [lines(piece) for piece in pieces(text)]
    verbatim = shown[1::2]
    shown[1::2] = [f"\x01{number}\x01" for number in range(len(verbatim))]
    return "".join(shown), verbatim


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("unicode_escape").decode("ascii")
