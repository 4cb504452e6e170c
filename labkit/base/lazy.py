"""Packages whose names are loaded when they are first used."""

from collections.abc import Callable
from importlib import import_module


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return a package's `__getattr__`, `__dir__` and `__all__`, by the imports in its `.pyi`.

    As `lazy_loader.attach_stub` does, but a wrong name is answered with those there are, and
    each line of the stub is `from .module import name as name`: to import a parser would take
    longer than all else that `import labkit` does.
    """
    with open(f"{file.rpartition('.')[0]}.pyi", encoding="utf-8") as stub:  # noqa: PTH123  as above
        imports = [line.split() for line in stub if line.startswith("from ")]
    homes = {name: module for _, module, _, name, *_ in imports}

    def load(name: str) -> object:
        if name in homes:
            return getattr(import_module(homes[name], package), name)
        raise AttributeError(f"{package} has no {name!r}; it has {', '.join(sorted(homes))}")

    return load, lambda: list(homes), list(homes)
