"""What a learner is called in the room's log: what they choose, or two words drawn once.

Nobody is named after their login: the words are drawn, and kept in `.labkit/alias`.
"""

import os
import re
import secrets
from pathlib import Path

from labkit.base import settings
from labkit.base.errors import BadValue, LabError
from labkit.base.rules import words

#: What an alias is made of. It also names a file.
FORM = re.compile(r"[A-Za-z0-9_-]{1,40}")

#: The first and the second words of a drawn one.
_WORDS = Path(__file__).with_name("aliases.yaml")
_TRIES = 20


def alias() -> str:
    """Return what this learner is called; draws it the first time.

    Raises `BadValue` for an invalid `LABKIT_ALIAS`, and `LabError` where a drawn one
    cannot be kept.
    """
    chosen = settings.chosen_alias()
    if not chosen:
        return kept() or _drawn()
    if FORM.fullmatch(chosen):
        return chosen
    raise BadValue(f"LABKIT_ALIAS must be up to 40 letters, digits, - and _, not {chosen[:60]!r}")


def kept() -> str:
    """Return what was drawn before; `""` if nothing was."""
    try:
        found = _file().read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    return found if FORM.fullmatch(found) else ""


def _drawn() -> str:
    """Draw an alias that is not in the room's folder yet, and keep it."""
    folder = settings.class_folder()
    drawn = ""
    for _ in range(_TRIES):
        drawn = "-".join(secrets.choice(each.split()) for each in words(_WORDS).values())
        if not (folder and (folder / f"{drawn}.jsonl").exists()):
            break
    try:
        return _keep(drawn)
    except OSError as problem:
        raise LabError(
            f"to store your alias for the room's log in {_file()}.",
            f"{problem}.",
            "choose a name yourself: LABKIT_ALIAS=…",
        ) from None


def _keep(drawn: str) -> str:
    """Keep an alias, and return it, or the one that another kernel has just kept."""
    _file().parent.mkdir(parents=True, exist_ok=True)
    mine = _file().with_name(f"alias.{secrets.token_hex(4)}")
    mine.write_text(drawn + "\n", encoding="utf-8")
    try:
        os.link(mine, _file())  # of two at once, one is the first
    except OSError:
        # there is one, or the disk has no links; what is kept may not be an alias
        if not kept():
            mine.replace(_file())
    finally:
        mine.unlink(missing_ok=True)
    return kept() or drawn


def _file() -> Path:
    return settings.state_dir() / "alias"
