"""JSON as the engine takes it and writes it. Which Go types it must have: see `shapes`."""

import json
from typing import Any, NoReturn

from swarmsim.go.errors import ApiError


def dumps(value: Any) -> bytes:
    """Write JSON without blanks; `<`, `>` and `&` as Go escapes them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text.encode("utf-8", "replace")


def quoted(text: str) -> str:
    """Write text as Go's `%q` does."""
    return json.dumps(text, ensure_ascii=False)


def loads(data: bytes | str) -> Any:
    """Read JSON; `ApiError` 400 says what is wrong with it, in Python's words and not in Go's."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    if not text.strip():
        raise ApiError(400, "got EOF while reading request body")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError as problem:
        raise ApiError(400, f"invalid JSON: {problem}") from None
    except RecursionError:
        raise ApiError(400, "invalid JSON: exceeded max depth") from None


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python takes for numbers."""
    raise ValueError(f"{name} is not a number in JSON")
