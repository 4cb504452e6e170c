"""`tools/bootstrap.sh` makes the environment: with uv where it can, and with pip where not.

What it installs here is a project of two files, from a folder of wheels that nothing but
pip's configuration names, so that no test asks a package index.
"""

import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import uv

from tools import uv_like_pip

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "labkit"
version = "0"
dependencies = ["thing"]
"""
#: Installs a `labkit` that prints the version of the thing that it needs.
BACKEND = '''
import zipfile
META = "labkit-0.dist-info"

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/labkit-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("labkit.py", "def main(): import thing; print(thing.version)")
        wheel.writestr(f"{META}/METADATA", """Metadata-Version: 2.1
Name: labkit
Version: 0
Requires-Dist: thing
""")
        wheel.writestr(f"{META}/WHEEL", """Wheel-Version: 1.0
Root-Is-Purelib: true
Tag: py3-none-any
""")
        wheel.writestr(f"{META}/entry_points.txt", "[console_scripts]\\nlabkit = labkit:main\\n")
        wheel.writestr(f"{META}/RECORD", "")
    return "labkit-0-py3-none-any.whl"
'''
NO_UV = "exit 127"
BROKEN_UV = '[ "$1" = --version ]'


@dataclass
class Checkout:
    """A fresh checkout on a machine with a Python, a shell, and the `uv` that a test gives it."""

    folder: Path

    def bootstrap(self) -> str:
        """Make the environment, and return what is said about it."""
        return self._run("tools/bootstrap.sh", "lab").stderr

    def thing(self) -> str:
        """Return the version of what was installed with labkit."""
        return self._run(".venv/bin/labkit").stdout.strip()

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "PIP_CONFIG_FILE": str(self.folder / "pip.conf"),
            "LABKIT_ENGINE": "simulated",  # or it installs Docker on a Debian without
        }
        return subprocess.run(
            words, cwd=self.folder, env=env, check=True, capture_output=True, text=True
        )

    def has(self, **wheels: str) -> None:
        """Put wheels where pip's configuration leads: names with a line of Python each."""
        for name, line in wheels.items():
            project, version = name.split("_", 1)
            meta = f"{project}-{version}.dist-info"
            path = self.folder / "shelf" / f"{project}-{version}-py3-none-any.whl"
            path.parent.mkdir(exist_ok=True)
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr(f"{project}.py", line)
                about = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
                wheel.writestr(f"{meta}/METADATA", about)
                kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                wheel.writestr(f"{meta}/WHEEL", kind)
                wheel.writestr(f"{meta}/RECORD", "")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    (tmp_path / "tools").mkdir()
    for name in ("bootstrap.sh", "uv_like_pip.py"):
        shutil.copy(TOOLS / name, tmp_path / "tools")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "constraints.txt").write_text("thing==1\n")
    (tmp_path / "pip.conf").write_text(
        f"[global]\nno-index = true\nfind-links =\n  {tmp_path}/missing\n  {tmp_path}/shelf\n"
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    made = Checkout(tmp_path)
    made.has(thing_1="version = 1", thing_2="version = 2", pip_99="")
    return made


def give_uv(checkout: Checkout, script: str) -> None:
    path = checkout.folder / "bin" / "uv"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.engine
@pytest.mark.long
def test_uv_installs_what_only_pips_configuration_leads_to(checkout: Checkout) -> None:
    give_uv(checkout, f'exec "{uv.find_uv_bin()}" --no-cache "$@"')
    said = checkout.bootstrap()
    assert checkout.thing() == "1"  # as constraints.txt has it
    assert "with uv" in said
    assert "pip tries" not in said
    assert checkout.bootstrap() == ""  # there is nothing left to do


@pytest.mark.engine
@pytest.mark.long
@pytest.mark.parametrize(("script", "why"), [(NO_UV, "uv cannot be had"), (BROKEN_UV, "uv failed")])
def test_pip_installs_it_where_uv_does_not(checkout: Checkout, script: str, why: str) -> None:
    give_uv(checkout, script)
    said = checkout.bootstrap()
    assert checkout.thing() == "1"
    assert why in said
    assert checkout.bootstrap() == ""


def test_uv_is_told_all_that_says_where_packages_come_from():
    listed = """\
:env:.proxy='http://proxy.example'
global.cert='/etc/certificates.pem'
global.extra-index-url='\\nhttps://a.example/simple\\nfile:///no/such/folder'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
global.timeout='180'
"""
    assert uv_like_pip.variables(uv_like_pip.options(listed), {}) == {
        "HTTP_PROXY": "http://proxy.example",
        "HTTPS_PROXY": "http://proxy.example",
        "SSL_CERT_FILE": "/etc/certificates.pem",
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_INDEX": "https://a.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_uv_is_configured_with_itself_stays():
    configured = {"index-url": "https://pip.example/simple", "cert": "/etc/pips.pem"}
    env = {"UV_INDEX_URL": "https://uv.example/simple", "SSL_CERT_FILE": "/etc/everybodys.pem"}
    assert uv_like_pip.variables(configured, env) == {}


def test_pips_constraints_hold_for_uv_too():
    assert uv_like_pip.arguments({"constraint": "a.txt b.txt", "no-index": "true"}) == [
        "--no-index",
        *("--constraint", "a.txt"),
        *("--constraint", "b.txt"),
    ]
