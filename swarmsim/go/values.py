"""Truth values and signals, as Docker reads them."""

import signal

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}


def query_flag(text: str) -> bool:
    """Read most query parameters, as moby's `httputils.BoolValue`: true unless it says no."""
    return text.strip().lower() not in {"", "0", "no", "false", "none"}


def truth(text: str) -> bool | None:
    """Read what Go's `strconv.ParseBool` takes; `None` for what it refuses."""
    return text in _TRUE if text in _TRUE | _FALSE else None


def signal_number(text: str) -> int | None:
    """Return the number of a signal of this machine: `SIGHUP`, `hup` or `1` (moby's `pkg/signal`).

    `None` if there is none of that name.
    """
    if text.isascii() and text.isdigit():
        return int(text) if 0 < int(text) < signal.NSIG else None
    found = getattr(signal, f"SIG{text.upper().removeprefix('SIG')}", None)
    return int(found) if isinstance(found, signal.Signals) else None
