"""Signals as Docker names them: `SIGHUP`, `hup` or `1` (moby's `pkg/signal`)."""

from __future__ import annotations

import signal


def number(text: str) -> int | None:
    """Return the number of a signal on this machine; `None` if there is none of that name."""
    if text.isascii() and text.isdigit():
        return int(text) if 0 < int(text) < signal.NSIG else None
    found = getattr(signal, f"SIG{text.upper().removeprefix('SIG')}", None)
    return int(found) if isinstance(found, signal.Signals) else None
