"""An engine's own words inside of a text of the lesson: marked, so that none of them is markup.

Texts of the lesson use a little Markdown (`code`, **bold**, *italics*). An error of an engine
may hold the same signs and mean nothing by them. What stands between two marks is shown as it
is (`labkit.views.state.words`); forms that are plain text go without the marks.
"""

import re

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
