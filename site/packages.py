"""Pyodide with all that the lesson needs: `python site/packages.py FOLDER`.

Pyodide comes from npm, without packages. Their wheels are made here, and the lock that names them.

A package of Python alone is the same everywhere, so the environment that builds the site has it
already, in the version that the tests passed with. PyYAML and MarkupSafe do without their
extension modules, which are left out.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import IO, Any, cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
PARTS = ROOT / "build" / "site-parts"
#: jupyterlite-pyodide-kernel 0.8.6 is made for this version.
PYODIDE = "pyodide@314.0.6"
_CORE = ("package.json", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide.mjs", "python_stdlib.zip")
_LOCK = "pyodide-lock.json"
#: What the kernel and the engine import in a browser.
_WANTED = ("labkit", "ipython", "micropip")
#: What JupyterLite would have a kernel load later, and one by one, if it were not loaded.
OF_THE_KERNEL = ("piplite", "ipykernel", "pyodide-kernel")
LOADED = (*OF_THE_KERNEL, "micropip", "comm", "jedi", "ipython")
#: What the lab does without there, and what JupyterLite has wheels of its own for.
_LEFT_OUT = {
    *("jupyterlab", "nbconvert", "nbformat", "pandas", "narwhals", "psutil", "tornado"),
    *("widgetsnbextension", "pexpect", "filelock", "prompt-toolkit", "wcwidth"),
}
#: Of these only the version is asked for: plotly.js is in the site as a file.
_NAMES_ONLY = {"plotly"}
#: All but the first three are jedi's, which has most of the files that a kernel unpacks.
_FOLDERS_LEFT_OUT = {
    *("..", "__pycache__", "tests"),
    *("stubs", "django-stubs", "distutils", "encodings", "lib2to3", "tkinter"),
}
#: Of Pygments' languages: IPython colours Python, and the others are a megabyte.
_LEXERS = {"__init__.py", "_mapping.py", "python.py"}
#: JupyterLite asks for this one, which needs a newer Python than the environment may have.
_MICROPIP = "0.11.1"
_WHEEL = "Wheel-Version: 1.0\nGenerator: labkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build(into: Path) -> None:
    """Make a folder that Pyodide is loaded from. What was downloaded is kept in `PARTS`."""
    PARTS.mkdir(parents=True, exist_ok=True)
    into.mkdir(parents=True, exist_ok=True)
    packed = PARTS / f"{PYODIDE.replace('@', '-')}.tgz"
    if not packed.exists():
        subprocess.run(["npm", "pack", "--silent", PYODIDE], cwd=PARTS, check=True)
    with tarfile.open(packed) as archive:
        for name in (*_CORE, _LOCK):
            file = cast(IO[bytes], archive.extractfile(f"package/{name}"))
            (into / name).write_bytes(file.read())
    about = json.loads((into / _LOCK).read_text())["info"]
    found: dict[str, Any] = {}
    ahead = list(_WANTED)
    while ahead:
        if (name := ahead.pop()) not in found:
            found[name] = _entry(name, about, into)
            ahead += found[name]["depends"]
    text = json.dumps({"info": about, "packages": found}, indent=1, sort_keys=True)
    (into / _LOCK).write_text(text)


def prepare(site: Path) -> None:
    """Do what is the same at each visit (`prepare.py`): compile, build the images, pack all.

    What a kernel of JupyterLite is made of is loaded with the rest, too, and not after it.
    """
    into = site / "static" / "pyodide"
    for wheel in site.glob("extensions/*/*/static/pypi/*.whl"):
        if canonicalize_name(parse_wheel_filename(wheel.name)[0]) in OF_THE_KERNEL:
            shutil.copy(wheel, into)
    subprocess.run(["node", ROOT / "site" / "prepare.mjs", site], check=True)
    # not named after gzip: some web servers would have the browser unpack it
    packed = into / "packages.bin"
    packed.write_bytes(gzip.compress(packed.read_bytes(), mtime=0))
    for wheel in into.glob("*.whl"):
        wheel.unlink()
    lock = json.loads((into / _LOCK).read_text())
    (into / _LOCK).write_text(json.dumps(lock | {"packages": {}}))


def _entry(name: str, about: dict[str, str], into: Path) -> dict[str, Any]:
    """Make or get a wheel, and return what a lock says of it."""
    depends = sorted(set(_requires(name, about)) - _LEFT_OUT)
    return _described(name, _wheel(name, about, into), depends)


def _described(name: str, wheel: Path, depends: list[str]) -> dict[str, Any]:
    with zipfile.ZipFile(wheel) as packed:
        tops = {each.partition("/")[0].removesuffix(".py") for each in packed.namelist()}
    return {
        "name": name,
        "version": str(parse_wheel_filename(wheel.name)[1]),
        "file_name": wheel.name,
        "install_dir": "site",
        "package_type": "package",
        "sha256": _sha256(wheel),
        "depends": depends,
        "imports": sorted(top for top in tops if top.isidentifier()),
        "unvendored_tests": False,
    }


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _requires(name: str, about: dict[str, str]) -> Iterator[str]:
    there = {
        "extra": "",
        "sys_platform": "emscripten",
        "platform_system": "Emscripten",
        "python_version": about["python"].rpartition(".")[0],
        "python_full_version": about["python"],
    }
    if name == "micropip":
        return
    for requirement in map(Requirement, distribution(name).requires or ()):
        if requirement.marker is None or requirement.marker.evaluate(there):
            yield canonicalize_name(requirement.name)


def _wheel(name: str, about: dict[str, str], into: Path) -> Path:
    version = _MICROPIP if name == "micropip" else distribution(name).version
    wheel = into / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if name == "labkit":
        _run("hatchling", "build", "--target", "wheel", "--directory", str(into))
    elif name in _NAMES_ONLY:
        _pack(name, wheel, only=".dist-info")
    elif name == "micropip":
        words = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(PARTS)]
        words += ["--python-version", about["python"], f"{name}=={version}"]
        if not (PARTS / wheel.name).exists():
            _run("uv", "tool", "run", "pip", *words)
        shutil.copy(PARTS / wheel.name, into)
    else:
        _pack(name, wheel)
    return wheel


def _pack(name: str, wheel: Path, only: str = "") -> None:
    """Pack the Python files of an installed package, always into the same bytes."""
    found = distribution(name)
    with zipfile.ZipFile(wheel, "w") as packed:

        def add(inside: str, content: str | bytes) -> None:
            packed.writestr(zipfile.ZipInfo(inside), content, zipfile.ZIP_DEFLATED)

        for file in sorted(found.files or ()):
            left_out = bool(_FOLDERS_LEFT_OUT & set(file.parts))
            left_out = left_out or only not in file.parts[0]
            left_out = left_out or (file.parent.name == "lexers" and file.name not in _LEXERS)
            if not left_out and file.suffix != ".so" and file.name not in ("RECORD", "WHEEL"):
                add(file.as_posix(), file.read_binary())
        folder = next(file.parts[0] for file in found.files or () if file.name == "METADATA")
        add(f"{folder}/WHEEL", _WHEEL)
        add(f"{folder}/RECORD", "")


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", *words], check=True, cwd=ROOT)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
