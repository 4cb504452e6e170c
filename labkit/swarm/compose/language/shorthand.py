"""The short forms of a compose file, spelled out as docker spells them out. Pure.

Each function takes what the file has and returns the long form, or raises `ValueError`
with a clause that says what is expected. The rules are docker/cli's compose/loader, and
go-connections, go-units and shlex, which it uses.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from swarmsim.go import durations

L = TypeVar("L")

_BYTES = re.compile(r"(\d+(?:\.\d*)?|\.\d+) ?(?:([kmgtp])(?:i?b)?|b)?", re.IGNORECASE)
_POWERS = "kmgtp"
HIGHEST_PORT = 65_535
#: A range in the short form of ports.
RANGE = re.compile(r"\b(\d{1,5})-(\d{1,5})\b", re.ASCII)
#: Go writes a float with an exponent outside of these powers of ten.
_LEAST_EXPONENT, _EXPONENT_OF_A_MILLION = -4, 6
_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
#: As Google's shlex has them: a `#` begins a comment only where a word could begin.
_TOKEN = re.compile(
    r"""[ \t\r\n]+ | \#[^\n]* | (?P<word> (?: [^\s"'\\] | \\. | '[^']*' | "(?:[^"\\]|\\.)*" )+ )""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)


def text_of(value: object) -> str:
    """Return a scalar of the file as text, as Go prints it: `1.0` gives `1`, null nothing."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    from decimal import Decimal  # few files have one

    shortest = Decimal(repr(value)).normalize()
    if value == 0 or _LEAST_EXPONENT <= shortest.adjusted() < _EXPONENT_OF_A_MILLION:
        return f"{shortest:f}"
    mantissa, _, exponent = f"{shortest:e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}"


def scalar(value: object) -> str | None:
    """Read a text, a number or nothing."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be text, a number or nothing, not {shown(value)}; put it in quotes")
    return text_of(value)


def pairs(value: object) -> object:
    """Read `["KEY=value", "KEY"]` as a mapping; a key without a value gives `None`."""
    if not isinstance(value, list):
        return value
    found: dict[str, str | None] = {}
    for each in distinct(texts(value)):
        key, equals, content = each.partition("=")
        found[key] = content if equals else None
    return found


def texts(value: list[object]) -> list[str]:
    """Require that everything in a list is text."""
    for each in value:
        if not isinstance(each, str):
            raise ValueError(
                f"must be a list of texts, and {shown(each)} is not text; put it in quotes"
            )
    return [str(each) for each in value]


def distinct(value: L) -> L:
    """Require that nothing is in a list twice."""
    listed = value if isinstance(value, list) else []
    for each in listed:
        if listed.count(each) > 1:
            raise ValueError(f"has {each!r} twice")
    return value


def listed(value: object) -> object:
    """Read one text as a list of one."""
    return [value] if isinstance(value, str) else value


def words(value: object) -> list[str]:
    """Read a command: a list of texts, or one text that is split as a shell splits it."""
    if isinstance(value, list):
        return texts(value)
    if not isinstance(value, str):
        raise ValueError(f"must be text or a list of texts, not {shown(value)}")
    return list(_split(value))


def _split(text: str) -> Iterator[str]:
    """Split as Google's shlex does: quotes, backslashes, and comments between words."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(f"has a quote or a backslash with nothing to match it: {text!r}")
        if found["word"]:
            yield _QUOTED.sub(_unquoted, found["word"])
        at = found.end()


def _unquoted(found: re.Match[str]) -> str:
    escaped, single, double = found.groups("")
    return escaped + single + re.sub(r"\\(.)", r"\1", double, flags=re.DOTALL)


def health_test(value: object) -> list[str]:
    """Read a health check's test; a text is run by the container's shell."""
    return ["CMD-SHELL", value] if isinstance(value, str) else words(value)


def hosts(value: object) -> list[str]:
    """Read extra hosts, `{name: address}` or `["name:address"]`, as `address name` lines."""
    if isinstance(value, dict):
        return [_host(f"{name}:{text_of(value[name])}") for name in sorted(value)]
    if not isinstance(value, list):
        raise ValueError(f"must be a mapping or a list of NAME:ADDRESS texts, not {shown(value)}")
    return [_host(each) for each in distinct(texts(value))]


def _host(text: str) -> str:
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not separator or not address:
        raise ValueError(f"must be NAME:ADDRESS, not {text!r}")
    if re.fullmatch(r"\[.+\]", address):
        address = address[1:-1]
    return f"{address} {name}"


def nanoseconds(value: object) -> int:
    """Read a duration such as `1m30s`."""
    if not isinstance(value, str):
        raise ValueError(f"must be a duration such as '5s', not {shown(value)}; a unit is needed")
    count = durations.to_nanoseconds(value)
    if count < 0:
        raise ValueError(f"must be zero or more, not {value!r}")
    return count


def number_of_bytes(value: object) -> int:
    """Read a size such as `512m` or `1.5GiB`; every unit is a power of 1024."""
    found = _BYTES.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"must be a size such as '50M', in quotes, not {shown(value)}")
    power = _POWERS.index(found[2].lower()) + 1 if found[2] else 0
    return int(float(found[1]) * 1024**power)


def nano_cpus(value: object) -> int:
    """Read a number of processors such as `'0.5'`, as billionths of one."""
    from fractions import Fraction  # few files limit processors

    try:
        count = Fraction(value) * 10**9 if isinstance(value, str) else Fraction(1, 7)
    except (ValueError, ZeroDivisionError):
        count = Fraction(1, 7)
    if count.denominator != 1 or count < 0:
        raise ValueError(
            f"must be a number of processors such as '0.5', in quotes, not {shown(value)}"
        )
    return int(count)


def ports(value: object) -> list[dict[str, Any]]:
    """Read `8000`, `"8000:80"`, `"127.0.0.1:8000-8002:80-82/udp"` as long forms.

    A service of a swarm listens on every address, so docker leaves the address out and
    says so; here it comes back as `host_ip`.
    """
    text = str(value)
    front, _, container = text.rpartition(":")
    address, _, published = front.rpartition(":")
    target, _, protocol = container.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"{text!r} has the protocol {protocol!r}; it can be tcp, udp or sctp")
    targets = _port_range(target, text)
    publisheds = _port_range(published, text) if published else [0] * len(targets)
    if len(targets) == 1:
        targets *= len(publisheds)
    if len(targets) != len(publisheds):
        raise ValueError(f"{text!r} has two ranges of different lengths")
    same = {"protocol": protocol, "mode": "ingress", "host_ip": _address(address, text)}
    pairs = zip(targets, publisheds, strict=True)
    found = [{"target": target, "published": port, **same} for target, port in pairs]
    # docker's order: by "80/tcp" as text, before all are sorted by what they publish
    return sorted(found, key=lambda port: f"{port['target']}/{protocol}")


def _port_range(text: str, whole: str) -> list[int]:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text, re.ASCII)
    if not found:
        raise ValueError(f"must be a port such as 80 or '8000:80', not {whole!r}")
    first, last = int(found[1]), int(found[2] or found[1])
    if not first <= last <= HIGHEST_PORT:
        raise ValueError(f"{whole!r} has no port or range of ports up to {HIGHEST_PORT}")
    return [*range(first, last + 1)]


def _address(text: str, whole: str) -> str:
    if not text:
        return ""
    try:
        found = ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(f"{whole!r} begins with {text!r}, which is not an IP address") from None
    return "" if found.is_unspecified else str(found)


def volume(value: str) -> dict[str, Any]:
    """Read `name:/path:ro`, `./here:/there` or `/anonymous` as a long form."""
    parts = value.split(":")
    if not all(parts) or len(parts) > 3:
        raise ValueError(f"must be SOURCE:TARGET:OPTIONS, and {value!r} is not")
    if any(re.fullmatch("[A-Za-z]", part) for part in parts[:-1]):
        raise ValueError(
            f"docker takes the one letter before a colon in {value!r} for a Windows drive; "
            "give the volume a longer name"
        )
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    found: dict[str, Any] = {"source": parts[0], "target": parts[1]}
    found["type"] = "bind" if parts[0][0] in "./~" else "volume"
    for option in parts[2].split(",") if len(parts) == 3 else ():
        if option in ("ro", "rw"):
            found["read_only"] = option == "ro"
        elif option == "nocopy":
            found["volume"] = {"nocopy": True}
        elif option in _PROPAGATIONS:
            found["bind"] = {"propagation": option}
    return found


def env_file(text: str, env: Mapping[str, str]) -> dict[str, str]:
    """Read an `env_file`: `KEY=VALUE` lines taken as they are, quotes and blanks included.

    A key without `=` takes its value from the environment, and is left out without one.
    Raises `ValueError`.
    """
    found = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw.lstrip()
        if not line or line.startswith("#"):
            continue
        key, equals, content = line.partition("=")
        if not key or re.search(r"[ \t]", key):
            raise ValueError(f"line {number} must be KEY=VALUE, and {line!r} is not")
        if equals:
            found[key] = content
        elif key in env:
            found[key] = env[key]
    return found


def shown(value: object) -> str:
    """Return a value of the file in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)
