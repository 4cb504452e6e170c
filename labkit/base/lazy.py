"""Packages whose names are loaded when they are first used."""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return a package's `__getattr__`, `__dir__` and `__all__`, by the imports in its `.pyi`.

    As `lazy_loader.attach_stub` does, but a wrong name is answered with those there are.
    """
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    homes = {name.name: f".{node.module}" for node in imports for name in node.names}

    def load(name: str) -> object:
        if name in homes:
            return getattr(import_module(homes[name], package), name)
        raise AttributeError(f"{package} has no {name!r}; it has {', '.join(sorted(homes))}")

    return load, lambda: list(homes), list(homes)
