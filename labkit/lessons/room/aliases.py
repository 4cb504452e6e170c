"""What a learner is called in the room's log: what they choose, or two words drawn once.

Nobody is named after their login: the words are drawn, and kept in `.labkit/alias`.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from labkit.base import settings
from labkit.base.errors import BadValue, LabError

#: What an alias is made of. It also names a file.
FORM = re.compile(r"[A-Za-z0-9_-]{1,40}")

_FIRST = """
amber azure bold brave breezy bright brisk calm candid cheery clever cosy crisp curious
dapper daring eager early earnest fair fancy fleet fluffy fond frosty gentle giddy glad
golden grand happy hardy humble icy jolly keen kind lively lucky lunar mellow merry mighty
misty neat nimble noble patient plucky polite proud quick quiet rapid rosy royal rustic
sandy sharp shiny silent silver smooth snowy solar sound spry steady stellar still sunny
swift tidy tiny tranquil trusty vivid warm wild wise witty young zesty
"""
_SECOND = """
acorn alder anchor apple aspen badger barley basil beaver birch bison breeze brook canyon
cedar cherry clover cobalt comet coral crane cricket daisy delta dolphin eagle elm ember
falcon fern finch fjord fox garnet ginger glacier grove harbour hazel heron hickory ibis iris
island ivy jasper juniper kestrel lagoon lantern lark laurel lemon lily linden lotus lynx
magpie maple marten meadow mint nutmeg oak olive orca otter owl pebble pepper pine plum poppy
prairie quail quartz raven reef river robin saffron sage sparrow spruce summit swallow thistle
thrush tulip turtle valley violet walnut willow wren
"""
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
    raise BadValue(f"LABKIT_ALIAS is up to 40 letters, digits, - and _, not {chosen[:60]!r}")


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
        drawn = f"{secrets.choice(_FIRST.split())}-{secrets.choice(_SECOND.split())}"
        if not (folder and (folder / f"{drawn}.jsonl").exists()):
            break
    try:
        return _keep(drawn)
    except OSError as problem:
        raise LabError(
            f"to keep what you are called in the room's log in {_file()}.",
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
