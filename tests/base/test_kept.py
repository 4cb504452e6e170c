"""In a browser, a kernel's files and those of its page become the same."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labkit.base import browser
from labkit.base.browser import kept

JOURNAL, WORKER = ".labkit/progress.jsonl", "dockercoins/worker/worker.py"


class Drive:
    """JupyterLite's drive, and what a page tells of it, as `site/extension` does."""

    def __init__(self) -> None:
        self.files = {WORKER: "shipped\n"}
        self.news: set[str] = set()
        self.clicks: list[Any] = []

    def edit(self, name: str, content: str | None) -> None:
        """Change a file as another one does."""
        self.news.add(name)
        self._put(name, content)

    def ask(self, _whom: str, message: str, _limit: float) -> str:
        """Answer a kernel."""
        asked = json.loads(message)
        if asked["everything"]:
            self.news |= self.files.keys()
        for name, content in asked["put"].items():
            if name not in self.news:
                self._put(name, content)
        found = {name: self.files.get(name) for name in self.news}
        self.news.clear()
        files = {name: text and {"content": text, "at": 1000} for name, text in found.items()}
        messages, self.clicks = self.clicks, []
        return json.dumps({"files": files, "messages": messages})

    def _put(self, name: str, content: str | None) -> None:
        self.files.pop(name, None)
        if content is not None:
            self.files[name] = content


@pytest.fixture
def received() -> list[str]:
    return []


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Drive:
    made = Drive()
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setattr(browser, "ask", made.ask)
    return made


@pytest.fixture
def kernel(drive: Drive, received: list[str]) -> Any:  # noqa: ARG001 - what is asked
    """The kernel whose files are below `LABKIT_HOME`; it has taken everything."""
    comms = SimpleNamespace(comm_msg=lambda _s, _i, message: received.append(message["content"]))
    made = SimpleNamespace(_parent_header={"header": {"session": "k"}}, comm_manager=comms)
    made.interpreter = SimpleNamespace(events=None)
    made.page = kept._Page(made)
    made.page._exchange(everything=True)
    return made


def test_what_is_edited_on_the_drive_is_here(drive: Drive, kernel: Any, tmp_path: Path) -> None:
    worker = tmp_path / "lab" / WORKER
    assert worker.read_text() == "shipped\n"
    assert worker.stat().st_mtime == 1
    drive.edit(WORKER, "mine\n")
    kernel.page._exchange()

    assert worker.read_text() == "mine\n"

    drive.edit("dockercoins/worker", None)
    kernel.page._exchange()

    assert not worker.exists()


def test_what_changes_here_is_on_the_drive(drive: Drive, kernel: Any, tmp_path: Path) -> None:
    (tmp_path / ".labkit" / "recordings").mkdir(parents=True)
    recording = tmp_path / ".labkit" / "recordings" / "a-1.jsonl"
    recording.write_text("header\n")
    kernel.page._exchange()
    assert drive.files[".labkit/recordings/a-1.jsonl"] == "header\n"

    recording.unlink()
    (tmp_path / "lab" / WORKER).write_text("built\n")
    kernel.page._exchange()

    assert drive.files == {WORKER: "built\n"}


def test_what_two_kernels_append_at_a_time_is_kept_of_both(drive, kernel, tmp_path):
    journal = tmp_path / JOURNAL
    drive.edit(JOURNAL, "1\n")
    kernel.page._exchange()
    drive.edit(JOURNAL, "1\n2\n")
    journal.write_text("1\n3\n")
    kernel.page._exchange()
    kernel.page._exchange()

    assert journal.read_text() == drive.files[JOURNAL] == "1\n2\n3\n"


def test_a_click_is_answered_once(drive: Drive, kernel: Any, received: list[str]) -> None:
    click = {"header": {"msg_id": "m"}, "content": "Mark"}
    drive.clicks = [click]
    kernel.page._exchange()
    kernel.comm_manager.comm_msg(None, None, click)  # as it comes once the cell has ended
    kernel.comm_manager.comm_msg(None, None, click | {"content": "another"})
    assert received == ["Mark", "another"]


@pytest.mark.parametrize(
    ("answer", "goes_on", "said"),
    [
        ('{"problem": "no room"}', True, "does not store your files and your progress (no room)"),
        (None, False, "kept in memory only until the page answers again: nothing answers"),
    ],
)
def test_what_the_page_does_not_keep_is_said_once(
    kernel: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str | None,
    *,
    goes_on: bool,
    said: str,
) -> None:
    def ask(*_: object) -> str:
        if answer is None:
            raise OSError("nothing answers")
        return answer

    monkeypatch.setattr(browser, "ask", ask)
    steps = kernel.page._steps()
    assert all(next(steps) for _ in range(2))

    assert kernel.page._exchange() == goes_on
    assert capsys.readouterr().err.count(said) == 1
