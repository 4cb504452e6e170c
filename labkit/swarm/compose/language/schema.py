"""The language that `docker stack deploy` takes: compose format 3.0 to 3.13.

`format3.yaml` names the keys of each mapping of a file, and the kind of each value; here
is how a kind is read. Values are kept in docker's long form, with durations in nanoseconds
and sizes in bytes, which is what is sent. The keys and kinds are those of docker/cli's
published schema (compose/schema/data); a few values are held to what the engine accepts,
so that a mistake is found before anything has changed.
"""

import math
import pathlib
import re
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

from labkit.base.rules import words
from labkit.swarm.compose.language import shorthand
from labkit.swarm.compose.language.interpolation import FromVariable
from labkit.swarm.compose.language.shorthand import shown
from labkit.swarm.compose.problems import Mistakes, Path, Problems, mistakes

#: The keys of the format, and what is special about some of them.
FORMAT = words(pathlib.Path(__file__).with_name("format3.yaml"))
#: The sections of a file, and what each holds.
SECTIONS = {
    "services": "Service",
    "networks": "Network",
    "volumes": "Volume",
    "configs": "Config",
    "secrets": "Secret",
}

_TRUTH = dict.fromkeys(("y", "yes", "true", "on"), True) | dict.fromkeys(
    ("n", "no", "false", "off"), False
)

K = TypeVar("K", bound=int | str)
#: Reads a value.
Leaf = Callable[[Any], Any]


class Part(dict[str, Any]):
    """A mapping of a file, checked. Its keys are attributes; one that is not given is `None`."""

    def __init__(self, kind: str, found: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(found)
        #: What it is, such as `Service`.
        self.kind = kind

    def __getattr__(self, key: str) -> Any:
        if key not in FORMAT["keys"][self.kind]:
            raise AttributeError(f"{self.kind} has no key {key!r}")
        return self.get(key)

    def with_values(self, **values: Any) -> Self:
        """Return it with other values."""
        return type(self)(self.kind, (self | values).items())

    def present(self) -> dict[str, Any]:
        """Return the keys that have a value, as the Engine API spells them."""
        names = FORMAT["sent as"].get(self.kind, {})
        spelled = {key: names.get(key, key.title().replace("_", "")) for key in self}
        return {
            spelled[key]: _sent(value)
            for key, value in self.items()
            if spelled[key] and value is not None
        }

    def filled(self) -> dict[str, Any]:
        """Return those that are not empty, as Go's `omitempty` does."""
        return {name: value for name, value in self.present().items() if value}


def _sent(value: Any) -> Any:
    if isinstance(value, list):
        return [_sent(each) for each in value]
    return value.present() if isinstance(value, Part) else value


def check(kind: str, value: object, path: Path, problems: Problems) -> Part | None:
    """Return a mapping of the file as it is read, or `None` after noting what is wrong."""
    try:
        return _part(kind, value)
    except ValueError as problem:
        problems.take(problem, path)
        return None


def nearest(key: str, known: Iterable[str]) -> str:
    """Return what to say of a key that nothing knows."""
    return f"no such key{_did_you_mean(key, known)}"


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    import difflib  # only mistakes need it

    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


# ---- mappings and lists ------------------------------------------------------------------


def _read(kind: str, value: Any) -> Any:
    """Return a value of a kind. Raises `ValueError` with what is wrong, or all that is."""
    if kind.endswith("?"):
        return None if value is None else _read(kind[:-1], value)
    if kind.startswith("["):
        items = _a(list, value, "a list")
        return [each for _, each in _each(range(len(items)), lambda n: _read(kind[1:-1], items[n]))]
    if kind.startswith("{"):
        items = _a(dict, value, "a mapping")
        return dict(_each(items, lambda name: _read(kind[1:-1], items[name])))
    if kind in _SHORT:
        long_form, spelled_out = _SHORT[kind]
        return _read(long_form, spelled_out(value))
    return _LEAVES[kind](value) if kind in _LEAVES else _part(kind, value)


def _part(kind: str, value: object) -> Part:
    """Return a mapping of one of those in `format3.yaml`, as `_read` does."""
    given, keys = _a(dict, value, "a mapping"), FORMAT["keys"][kind]
    if kind in FORMAT["extensible"]:
        given = {key: each for key, each in given.items() if not key.startswith("x-")}
    wanted = [key for key, of in keys.items() if key in given or of.endswith("!")]
    unknown = [key for key in given if key not in keys and kind not in FORMAT["open"]]

    def read(key: str) -> Any:
        if key not in keys:
            raise ValueError(nearest(key, keys))
        if key not in given:
            raise ValueError("is missing")
        if given[key] is None and not keys[key].endswith("?"):
            raise ValueError("has no value; give it one or leave it out")
        return _read(keys[key].rstrip("!"), given[key])

    return Part(kind, _each([*wanted, *unknown], read))


def _each(keys: Iterable[K], read: Callable[[K], Any]) -> list[tuple[K, Any]]:
    found: list[tuple[K, Any]] = []
    wrong: list[tuple[Path, str]] = []
    for key in keys:
        try:
            found.append((key, read(key)))
        except ValueError as problem:
            wrong += [((key, *inside), what) for inside, what in mistakes(problem)]
    if wrong:
        raise Mistakes(*wrong)
    return found


def _a(kind: Any, value: object, what: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"must be {what}, not {shown(value)}")
    return value


# ---- single values -----------------------------------------------------------------------


def _text(value: object) -> str:
    return str(_a(str, value, "text (in quotes)"))


def _one_of(*choices: str, any_case: bool = False) -> Leaf:
    def read(value: object) -> str:
        text = _text(value).lower() if any_case else _text(value)
        if text not in choices:
            hint = _did_you_mean(text, choices)
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}{hint}")
        return text

    return read


def _constraint(value: object) -> str:
    if not re.fullmatch(r"\s*[\w.\-]+\s*(==|!=)\s*.+", _text(value)):
        raise ValueError(f"must be like 'node.role == worker', with == or !=, not {value!r}")
    return _text(value)


def _cast(value: object, to: Callable[[str], object], what: str) -> object:
    """Read text from a variable as a value, where docker does (its loader/interpolate.go)."""
    if not isinstance(value, FromVariable):
        return value
    try:
        return to(value)
    except (ValueError, KeyError):
        raise ValueError(f"must be {what}, and the variable gives {str(value)!r}") from None


def _whole(value: object) -> int:
    """Read a whole number; `2.0` is one in JSON, by whose rules docker checks a file."""
    found = _cast(value, _digits, "a whole number")
    found = int(found) if isinstance(found, float) and found.is_integer() else found
    return int(_a(int, found, "a whole number"))


def _digits(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _bool(value: object) -> bool:
    found = _cast(value, lambda text: _TRUTH[text.lower()], "true or false")
    return bool(_a(bool, found, "true or false"))


def _within(read: Leaf, least: int, most: float = math.inf) -> Leaf:
    def bounded(value: object) -> Any:
        found = read(value)
        if not least <= found <= most:
            bound = f"at most {most}" if found > most else f"{least} or more"
            raise ValueError(f"must be {bound}, not {found!r}")
        return found

    return bounded


def _external(value: object) -> bool | str:
    """Read `external: {name: x}`, the old way to write `external: true` and `name: x`, as `x`."""
    if not isinstance(value, dict):
        return _bool(value)
    if [*value] != ["name"] or not isinstance(value["name"], str):
        raise ValueError("must be true, false or a mapping with a name")
    return value["name"]


def _texts(value: object) -> list[str]:
    return shorthand.distinct(_read("[text]", value))


# ---- short forms -------------------------------------------------------------------------


def _attachments(value: object) -> object:
    if isinstance(value, list):
        return dict.fromkeys(shorthand.distinct(shorthand.texts(value)))
    return value


def _ulimit(value: object) -> object:
    is_one = isinstance(value, int | FromVariable) and not isinstance(value, bool)
    return {"soft": value, "hard": value} if is_one else value


def _ports(value: object) -> list[Part]:
    """Read ports: a short form may mean several, each with the address that was given with it."""
    listed = value if isinstance(value, list) else ()
    ranges = (each for form in listed for each in shorthand.RANGE.findall(str(form)))
    if sum(max(0, int(last) - int(first)) for first, last in ranges) > 2 * shorthand.HIGHEST_PORT:
        raise ValueError("has ranges of more ports than there are")
    return [port for ports in _read("[port]", shorthand.distinct(value)) for port in ports]


def _port(value: object) -> list[Part]:
    if isinstance(value, dict):
        return [_part("Port", value)]
    what = "a port such as 80 or '8000:80', or a mapping"
    return [_part("AddressedPort", port) for port in shorthand.ports(_a(str | int, value, what))]


#: How a single value of a kind is read. Raises `ValueError` with what is expected.
_LEAVES: dict[str, Leaf] = {
    "text": _text,
    "texts": _texts,
    "text_or_texts": lambda value: _texts(shorthand.listed(value)),
    "scalar": shorthand.scalar,
    "filled": lambda value: shorthand.scalar(value) or "",
    "words": shorthand.words,
    "health_test": shorthand.health_test,
    "hosts": shorthand.hosts,
    "whole": _whole,
    "count": _within(_whole, 0),
    "port_number": _within(_whole, 0, shorthand.HIGHEST_PORT),
    "ratio": _within(lambda it: _a(float | int, _cast(it, float, "a number"), "a number"), 0, 1),
    "bool": _bool,
    "literal_bool": lambda value: _a(bool, value, "true or false"),
    "external": _external,
    "duration": shorthand.nanoseconds,
    "bytes": shorthand.number_of_bytes,
    "cpus": shorthand.nano_cpus,
    "constraint": _constraint,
    "order": _one_of("start-first", "stop-first"),
    "action": _one_of("pause", "continue", "rollback"),
    "condition": _one_of("none", "on-failure", "any"),
    "mode": _one_of("replicated", "global", "replicated-job", "global-job"),
    "endpoint_mode": _one_of("vip", "dnsrr", any_case=True),
    "protocol": _one_of("tcp", "udp", "sctp", any_case=True),
    "publish_mode": _one_of("ingress", "host", any_case=True),
    "volume_type": _one_of("volume", "bind", "tmpfs", "image"),
    "ports": _ports,
    "port": _port,
    "build": lambda value: _a(str | dict, value, "text or a mapping"),
}
#: Kinds that have a short form: what the long form is, and what spells the short one out.
_SHORT: dict[str, tuple[str, Leaf]] = {
    "pairs": ("{scalar}", shorthand.pairs),
    "labels": ("{filled}", shorthand.pairs),
    "scalars": ("[filled]", shorthand.distinct),
    "attachments": ("{Attachment?}", _attachments),
    "mount": ("Mount", lambda it: shorthand.volume(it) if isinstance(it, str) else it),
    "file_reference": (
        "FileReference",
        lambda it: {"source": it} if isinstance(it, str) else it,
    ),
    "ulimit": ("Ulimit", _ulimit),
}
