"""Does when the site is built what would be the same at each visit, in the site's own Pyodide.

- The images of dockercoins are built, as `labkit up` builds them, into `images.zip`: the folder in
  which an engine keeps its images (`swarmsim.images.store`).
- What kernel and engine import is compiled, in the packages and in Python's own library. The rest
  stays source, which is smaller.
- All files of the packages come into one archive, `packages.bin`, which a page unpacks in a third
  of the time that Python needs (`engine/python.mjs`). It is compressed outside, in half of the
  time.
"""

import json
import os
import shutil
import sys
import zipfile
from importlib import import_module
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]
from importlib.util import source_hash
from pathlib import Path
from site import getsitepackages

FOLDER = Path("/site/static/pyodide")
LIBRARY = FOLDER / "python_stdlib.zip"
#: What is imported when it is needed: by a view, by dockercoins, and by a kernel that asks.
LATER = ("jinja2", "http.client", "http.server", "swarmsim.doors.posting")
PACKAGES = Path(getsitepackages()[0])


def unpack() -> None:
    """Unpack all packages, where a kernel has them."""
    for wheel in FOLDER.glob("*.whl"):
        shutil.unpack_archive(wheel, PACKAGES, "zip")


def build_images() -> None:
    """Build the images, and pack what the engine keeps of them."""
    from labkit.base import settings
    from labkit.swarm.client import Swarm
    from labkit.swarm.images import images
    from swarmsim import Engine

    engine = Engine(data=Path("/engine"), speed=1)
    sources = settings.lesson_files() / "dockercoins"
    images.build_all(Swarm(engine.client(), "unix://here"), settings.docker_id(), sources)
    shutil.make_archive(str(FOLDER / "images"), "zip", engine.data)


def import_all() -> None:
    """Import all that a learner's names need, what the engine needs, and then a kernel."""
    for package in map(import_module, ("labkit", "labkit.lessons", "labkit.views")):
        for name in package.__all__:
            getattr(package, name)
    for each in ("swarmsim.doors.in_browser", "swarmsim.runtime.turns.system", *LATER):
        import_module(each)
    del sys.modules["pyodide_kernel"]
    streams = sys.stdout, sys.stderr
    for each in ("piplite.piplite", "pyodide_kernel"):
        import_module(each)
    sys.stdout, sys.stderr = streams


def compile_library() -> None:
    """Put compiled modules into Python's own library."""
    files = prepared(LIBRARY, Path(os.__file__).parent)
    with zipfile.ZipFile(LIBRARY, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def pack_packages() -> None:
    """Pack the packages: a line with the path and the length of each file, and then all of them."""
    wheels = (prepared(wheel, PACKAGES) for wheel in sorted(FOLDER.glob("*.whl")))
    files = {f"{PACKAGES}/{name}": content for wheel in wheels for name, content in wheel.items()}
    index = json.dumps([(path, len(content)) for path, content in files.items()])
    content = b"".join((index.encode(), b"\n", *files.values()))
    (FOLDER / "packages.bin").write_bytes(content)


def prepared(archive: Path, top: Path) -> dict[str, bytes]:
    """Return an archive's files, with the compiled module in the place of each that is imported."""
    imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    files = {}
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            path, content = f"{top}/{name}", packed.read(name)
            if path in imported:
                name, content = f"{name}c", compiled(path, content)
            files[name] = content
    return files


def compiled(path: str, source: bytes) -> bytes:
    """Compile a module; Python takes what comes of it without looking for a newer source."""
    code = compile(source, path, "exec", dont_inherit=True)
    return bytes(_code_to_hash_pyc(code, source_hash(source), checked=False))


sys.modules["pyodide_kernel"] = None  # type: ignore[assignment] # labkit would look for its page
unpack()
build_images()
import_all()
compile_library()
pack_packages()
