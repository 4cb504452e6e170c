"""Build the lesson as a site that needs no server of its own: JupyterLite, Pyodide, an engine.

    build/site/            what any web server can serve, at any path, with no headers of its own
    build/site-parts/      what it is made of, kept for the next time

Everything comes from PyPI and npm, through their own tools, and from what is installed here.
`--serve` shows the site on this machine.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import documentation
import packages

from labkit.base.files import copies
from labkit.lessons import workspace
from labkit.lessons.notebooks import cells
from labkit.views.live import page, server

ROOT = packages.ROOT
#: The engine's way rests on two names of JupyterLite's service worker (`engine/engine.js`).
LITE = ("jupyterlite-core==0.8.6", "jupyterlite-pyodide-kernel==0.8.6")
#: Packages whose extensions of JupyterLab are part of the site.
EXTENSIONS = ("anywidget", "jupyterlab-widgets", "jupyter-server")
_SITE, _PARTS = ROOT / "build" / "site", packages.PARTS
_PORT = 8080
#: What the lab does without, and what Chromium, Firefox and WebKit do not load.
_NOT_OFFLINE = {"doc", "docs", "replays", ".eot", ".svg", ".ttf", ".txt", ".woff"}
#: Of the page that has the lab.
_TITLE = "Docker Swarm updates"
#: Of the kernel, in its own memory.
_HOME = "/home/pyodide"


def build() -> None:
    """Build the site anew."""
    shutil.rmtree(_SITE, ignore_errors=True)
    lite = _PARTS / "lite"
    shutil.rmtree(lite, ignore_errors=True)
    packages.build(lite / "static" / "pyodide")
    _contents(lite / "files")
    _jupyterlite(lite)
    packages.prepare(_SITE)
    shutil.copytree(ROOT / "site" / "engine", _SITE / "engine")
    shutil.copytree(ROOT / "site" / "extension", _SITE / "extensions" / "labkit-engine")
    _views(_SITE / "labkit")
    _configure(_SITE / "jupyter-lite.json", lite / "files")
    _check_first(_SITE / "lab" / "index.html")
    documentation.build(_SITE)
    _work_offline()


def _contents(into: Path) -> None:
    """Put the learner's notebooks and files where JupyterLite's file browser begins."""
    for source, target in workspace.shipped_files():
        path = into / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(workspace.for_learners(source))
    for path in into.glob("*.ipynb"):
        notebook = cells.read(path)
        # JupyterLite asks which kernel to take for a notebook of `python3`
        notebook["metadata"]["kernelspec"] |= {"name": "python", "display_name": "Python (Pyodide)"}
        path.write_text(cells.written(notebook), encoding="utf-8")


def _jupyterlite(lite: Path) -> None:
    """Build JupyterLite, in an environment of its own: its extensions are not for JupyterLab."""
    uv = [
        sys.executable,
        "-m",
        "uv",
        "tool",
        "run",
        "--from",
        LITE[0],
        "--constraint",
        str(ROOT / "constraints.txt"),
    ]
    extra = [word for each in (*LITE[1:], *EXTENSIONS) for word in ("--with", each)]
    words = ["jupyter-lite", "build", "--lite-dir", str(lite), "--output-dir", str(_SITE)]
    words += ["--contents", str(lite / "files"), "--apps", "lab", "--no-sourcemaps"]
    words += ["--no-unused-shared-packages"]
    wheel = next((lite / "static" / "pyodide").glob("labkit-*.whl"))
    words += [f"--LiteBuildConfig.federated_extensions={wheel}"]
    subprocess.run([*uv, *extra, *words], cwd=lite, check=True)


def _views(into: Path) -> None:
    """Write what labkit's server extension serves on a desktop."""
    into.mkdir()
    (into / "watch.js").write_text(page.module(), encoding="utf-8")
    (into / "views.css").write_text(page.style(), encoding="utf-8")
    (into / "lab.js").write_bytes(server.EXTENSION.read_bytes())
    (into.parent / page.PLOTLY).write_bytes(server.PLOTLY.read_bytes())


def _configure(path: Path, files: Path) -> None:
    """Add the engine's extension, and have nothing looked for outside of the site."""
    settings = json.loads(path.read_text())
    config = settings["jupyter-config-data"]
    config["federated_extensions"].append(
        {"name": "labkit-engine", "extension": "./extension", "load": "static/remoteEntry.js"}
    )
    kernel = "@jupyterlite/pyodide-kernel-extension:kernel"
    settings_of_kernel = config.setdefault("litePluginSettings", {}).setdefault(kernel, {})
    settings_of_kernel["disablePyPIFallback"] = True
    settings_of_kernel["pyodideUrl"] = "./engine/python.mjs"
    settings_of_kernel["loadPyodideOptions"] = {
        "env": {"HOME": _HOME, "LABKIT_HOME": _HOME},
        "packages": packages.LOADED,
    }
    config["disabledExtensions"] = [
        *config.get("disabledExtensions", []),
        "@jupyterlab/apputils-extension:announcements",
    ]
    config["exposeAppInBrowser"] = True
    config["appName"] = _TITLE
    # what a browser has saved of another lesson's files would hide these
    config["contentsStorageName"] = f"labkit {_digest(*copies.files(files))}"
    path.write_text(json.dumps(settings, indent=1))


def _check_first(path: Path) -> None:
    """Have the page say what a browser lacks before it loads JupyterLite (`engine/start.js`)."""
    html, version = path.read_text(), LITE[0].rpartition("=")[2]
    start = f"if (!(await (await import('../engine/start.js')).mayStart('{version}'))) return;"
    end = "      }.call(this));"
    for old, new in (
        ("        await import(\n", f"        {start}\n        await import(\n"),
        (end, f"        (await import('../engine/start.js')).nameFiles();\n{end}"),
        ("<title>JupyterLite</title>", f"<title>{_TITLE}</title>"),
        ("Loading JupyterLite...", "Loading the lab …"),
    ):
        if html.count(old) != 1:
            raise ValueError(f"{path} has {old!r} {html.count(old)} times")
        html = html.replace(old, new)
    path.write_text(html)


def _work_offline() -> None:
    """Put the site's service worker above JupyterLite's, with what it copies (`engine/`)."""
    ours, theirs = (_SITE / folder / "service-worker.js" for folder in ("engine", "."))
    theirs.write_text(ours.read_text() + theirs.read_text())
    ours.unlink()
    names = {path: path.relative_to(_SITE) for path in copies.files(_SITE) if path != theirs}
    digests = {
        str(name): _digest(path)
        for path, name in names.items()
        if not {name.parts[0], path.suffix} & _NOT_OFFLINE
    }
    (_SITE / "engine" / "offline.json").write_text(json.dumps(digests, indent=1))


def _digest(*files: Path) -> str:
    """Return a short hash of what is in files."""
    return copies.digest(b"".join(path.read_bytes() for path in files))[:8]


def serve() -> None:
    """Serve the site until it is interrupted, under a path of its own, as it may be elsewhere."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(_SITE.parent))
    with ThreadingHTTPServer(("127.0.0.1", _PORT), handler) as running:
        print(f"http://127.0.0.1:{_PORT}/{_SITE.name}/lab/index.html?path=00-start-here.ipynb")
        running.serve_forever()


if __name__ == "__main__":
    build()
    if "--serve" in sys.argv:
        serve()
