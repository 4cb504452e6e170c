"""Claims about files that several processes append to."""

import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from labkit.base.files import lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.jsonl"


def write_fifty(path: Path, who: int) -> None:
    for number in range(50):
        lines.append(path, {"who": who, "number": number, "text": "x" * 500}, mode=0o600)


def test_rows_come_back_in_the_order_in_which_they_were_appended(file: Path):
    for number in range(3):
        lines.append(file, {"n": number, "text": "a\nb\u2028\ud800"}, mode=0o600)
    rows, torn = lines.read(file)
    assert [row["n"] for row in rows] == [0, 1, 2]
    assert rows[0]["text"] == "a\nb\u2028\ud800"
    assert torn == 0


def test_writers_do_not_mix_their_lines(file: Path):
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(write_fifty, [file, file], [1, 2]))
    rows, torn = lines.read(file)
    assert torn == 0
    for who in (1, 2):
        assert [row["number"] for row in rows if row["who"] == who] == list(range(50))


def test_a_torn_line_costs_no_line_but_itself(file: Path):
    lines.append(file, {"n": 1}, mode=0o600)
    file.write_bytes(file.read_bytes() + b'{"n": 2')
    lines.append(file, {"n": 3}, mode=0o600)
    assert lines.read(file) == ([{"n": 1}, {"n": 3}], 1)


@pytest.mark.parametrize(
    "line", [b"[]", b"7", b"\xff", b"[" * 100_000, b'{"n": "' + b"x" * 400_000 + b'"}']
)
def test_what_is_no_object_is_counted_and_left_out(file: Path, line: bytes):
    file.write_bytes(line + b'\n{"n": 1}\n')
    assert lines.read(file) == ([{"n": 1}], 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor pipes")
def test_only_what_is_a_file_is_read_or_written(file: Path, tmp_path: Path):
    """A link may lead anywhere, and whoever opens a pipe waits for its other end."""
    lines.append(file, {"n": 1}, mode=0o600)
    assert file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe")

    for name in ("link", "pipe", "."):
        with pytest.raises(OSError, match=re.escape(str(tmp_path))):
            lines.read(tmp_path / name)
        with pytest.raises(OSError, match=re.escape(str(tmp_path))):
            lines.append(tmp_path / name, {"n": 2}, mode=0o600)
    assert lines.read(file).rows == [{"n": 1}]


def test_a_file_with_too_much_in_it_is_refused(file: Path):
    lines.append(file, {"n": 1}, mode=0o600)
    with pytest.raises(OSError, match="too many"):
        lines.read(file, most_bytes=3)
