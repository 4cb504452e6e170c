"""There is one list of dependencies, under pip's names and under conda's."""

import ast
import re
import sys
import tomllib
from importlib.metadata import requires
from itertools import chain
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"labkit", "swarmsim"}
#: Where conda-forge has another name.
CONDA_NAMES = {"docker": "docker-py"}
#: Distributions whose modules have other names.
MODULES = {"pyyaml": "yaml"}
#: What labkit imports that comes with a dependency of its own, by that dependency's choice:
#: whatever it brings is the right version.
COMES_WITH = {
    "requests": "docker",
    "urllib3": "docker",
    "jupyter_core": "jupyterlab",
    "jupyter_server": "jupyterlab",
    "tornado": "jupyterlab",
    "traitlets": "jupyterlab",
    "IPython": "ipywidgets",
    "markupsafe": "jinja2",
}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_conda_gets_the_same_list_as_pip():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    wanted = [Requirement(each) for each in project()["dependencies"]]

    assert [each for each in listed if isinstance(each, str)] == [
        f"python{project()['requires-python']}",
        "pip",
        *(f"{CONDA_NAMES.get(each.name, each.name)}{each.specifier}" for each in wanted),
    ]
    assert listed[-1]["pip"][-1] == "-e ."


def test_every_dependency_is_pinned_and_the_pin_is_allowed():
    pins = dict(line.split("==") for line in constraints())
    extras = project()["optional-dependencies"].values()
    for text in chain(project()["dependencies"], *extras):
        wanted = Requirement(text)
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier, text


def test_constraints_are_names_and_versions_and_no_addresses():
    assert [
        line for line in constraints() if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)
    ] == []


def test_all_that_is_imported_is_declared_or_comes_with_what_is():
    declared = {Requirement(each).name for each in project()["dependencies"]}
    known = {MODULES.get(name, name) for name in declared} | COMES_WITH.keys() | PACKAGES
    known |= {"jupyterhub"}  # imported by a server that it has started
    known |= {"_typeshed"}  # type checkers have it, and nothing imports it when it runs
    known |= {"sitecustomize"}  # it is beside what imports it
    # Pyodide has them, and nothing imports them elsewhere
    known |= {"js", "pyodide", "pyodide_js", "pyodide_kernel"}
    imported = {
        name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in roots(node)
    }

    assert imported - known - sys.stdlib_module_names == set()
    assert declared >= set(COMES_WITH.values())


def test_what_comes_with_a_dependency_does():
    for module, parent in COMES_WITH.items():
        needs = {canonicalize_name(Requirement(each).name) for each in requires(parent) or []}
        assert canonicalize_name(module) in needs, (module, parent)


def roots(node: ast.AST) -> list[str]:
    """The top-level modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [str(node.module).split(".")[0]]
    return []
