"""The `filters` of a list: `{"key": {"value": true}}`, or `{"key": ["value"]}`.

Moby matches them in several ways (`api/types/filters`), swarmkit in two more.
"""

import re
from collections.abc import Collection, Mapping

from swarmsim.go import gojson, values
from swarmsim.go.errors import ApiError, NotAFilter
from swarmsim.go.gojson.shapes import read

Wanted = Mapping[str, Collection[str] | None]


class Filters:
    """Keys and the values that are asked for. A key that is absent lets everything through."""

    def __init__(self, values: Wanted) -> None:
        self._values = {key: list(dict.fromkeys(wanted or ())) for key, wanted in values.items()}

    @classmethod
    def parse(cls, text: str, status: int = 500) -> "Filters":
        """Read a query parameter; most lists answer 500 if it is not JSON."""
        if not text:
            return cls({})
        try:
            return cls(_read(gojson.loads(text)))
        except ApiError as problem:
            raise NotAFilter(status, problem.message) from None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self._values)

    def __contains__(self, key: str) -> bool:
        """Whether a key is there."""
        return key in self._values

    def get(self, key: str) -> list[str]:
        """The values of a key."""
        return self._values.get(key, [])

    def allow(self, *accepted: str, also: Collection[str] = ()) -> None:
        """Refuse keys that this list does not know, and those that only Docker's `also` has."""
        for key in self._values:
            if key in also:
                known = ", ".join(accepted)
                raise ApiError(501, f"a simulated engine has no filter '{key}' here, only {known}")
            if key not in accepted:
                raise ApiError(400, f"Invalid filter '{key}'")

    def exact(self, key: str, value: str) -> bool:
        """Whether one of the values is this one."""
        return not self.get(key) or value in self.get(key)

    def word(self, key: str, value: str) -> bool:
        """Whether one of the values is this word, in any case; empty values are ignored."""
        wanted = [each.lower() for each in self.get(key) if each]
        return not wanted or value in wanted

    def prefix(self, key: str, value: str) -> bool:
        """Whether the value begins with one of those wanted."""
        return not self.get(key) or any(value.startswith(wanted) for wanted in self.get(key))

    def pattern(self, key: str, value: str) -> bool:
        """Whether one of the values is this one, or a regular expression found in it."""
        return self.exact(key, value) or any(_found(wanted, value) for wanted in self.get(key))

    def has_labels(self, key: str, labels: Mapping[str, str]) -> bool:
        """Whether all the labels asked for are there: `name`, or `name=value`."""
        return all(has_label(wanted, labels) for wanted in self.get(key))

    def swarm_labels(self, key: str, labels: Mapping[str, str]) -> bool:
        """The same as swarmkit does it: an empty value is any value."""
        return all(has_label(wanted.removesuffix("="), labels) for wanted in self.get(key))

    def truth(self, key: str) -> bool | None:
        """The truth value that is asked for, if one is; `ApiError` 400 for what is none."""
        meant = {values.truth(wanted) for wanted in self.get(key)}
        if len(meant) > 1 or None in meant:
            raise ApiError(400, f"Invalid filter '{key}=[{' '.join(sorted(self.get(key)))}]'")
        return next(iter(meant), None)


def has_label(wanted: str, labels: Mapping[str, str]) -> bool:
    """Whether a label is there: `name`, or `name=value`."""
    name, equals, value = wanted.partition("=")
    return name in labels and (not equals or labels[name] == value)


def _read(value: object) -> Wanted:
    try:
        sets: Wanted = read(value, "map[string]map[string]bool") or {}
    except ApiError as problem:
        try:
            lists: Wanted = read(value, "map[string][]string")
        except ApiError:
            raise problem from None
        return lists
    return sets


def _found(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return False
