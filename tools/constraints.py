"""Print the versions of all that labkit and its tests need, as installed in this environment.

    .venv/bin/python tools/constraints.py >constraints.txt

To renew them: make an environment with `pip install -e '.[hub,test]'` and no constraints, of
the oldest Python that is supported (Debian 12 has 3.11.2, and packages ask for 3.11.5),
run every test in it, then run this.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEADER = """\
# The versions that every test passed with, direct and indirect, for Python 3.11 to 3.13.
# Written by tools/constraints.py; pyproject.toml says what is needed and why."""


def needed(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """Yield what a distribution needs with these extras on this machine."""
    for text in distribution(name).requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement


def versions(name: str, extras: frozenset[str]) -> dict[str, str]:
    """Return the version of everything that a distribution needs, however indirectly."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    ahead = [(name, extras)]
    while ahead:
        if (each := ahead.pop()) in seen:
            continue
        seen.add(each)
        for requirement in needed(*each):
            key = canonicalize_name(requirement.name)
            try:
                found[key] = distribution(key).version
            except PackageNotFoundError as problem:
                raise SystemExit(f"{key} is needed and not installed") from problem
            ahead.append((key, frozenset(requirement.extras)))
    return found


if __name__ == "__main__":
    print(HEADER)
    for key, version in sorted(versions("labkit", frozenset({"hub", "test"})).items()):
        print(f"{key}=={version}")
