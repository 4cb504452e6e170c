"""The examples of the documents do what the documents say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```python(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str) -> dict[str, str]:
    """The Python in a document, by the names of the files that it is shown as."""
    return dict(_BLOCK.findall((ROOT / document).read_text()))


def test_the_example_of_testing_passes(tmp_path: Path):
    for name, text in blocks("docs/testing-with-swarmsim.md").items():
        (tmp_path / name).write_text(text)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    # other plugins are of no use there, and take seconds to load
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""}
    environment = {"PYTHONPATH": f"{ROOT}:{tmp_path}", **alone}
    ran = subprocess.run(
        [*words, str(tmp_path)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert re.search(r"^7 passed", ran.stdout, re.MULTILINE), ran.stdout


def test_the_example_of_the_face_prints_what_it_says(capsys: pytest.CaptureFixture[str]):
    exec(blocks("swarmsim/README.md")[""], {})
    assert capsys.readouterr().out == "['running']\n"
