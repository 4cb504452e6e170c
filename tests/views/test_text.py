"""Claims about the text form: what a view shows, where only text is to be had."""

from labkit.recordings import ps
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Gap, Marked
from labkit.views import text
from tests.played import Played
from tests.values import at, service, snapshot, task
from tests.views.acted import HEADER, START, after, failing, hostile, play, settled


def section(told: str, name: str) -> list[str]:
    """The lines under a heading."""
    found = next(part for part in told.split("\n\n") if part.startswith(name))
    return [line.removeprefix("  ") for line in found.split("\n")[1:]]


def test_the_text_begins_with_how_it_stands() -> None:
    assert text(settled()).split("\n\n")[0].split("\n") == [
        "dc_worker on acted",
        "Completed: 10 of 10 replicas run 1.1.",
        "Docker says: update completed",
        "The update has settled.",
    ]


def test_the_text_has_the_phases_with_their_times() -> None:
    lines = section(text(failing()), "Update status")

    assert [line.split(".")[0] for line in lines] == [
        "0:00 not updated yet",
        "0:03 updating",
        "0:05 rollback started",
    ]
    assert "Docker says: “gone wrong”." in lines[2]


def test_an_update_says_what_it_is_about_and_whether_another_one_overtook_it() -> None:
    made = Played("1.0")
    made.update("1.1", seconds=5)
    made.update("1.2")
    _, *lines, completed = section(text(made.recording), "Update status")

    assert completed.startswith("0:")
    first, changed, second = (line.partition(" ")[2] for line in lines)
    assert "the new spec (1.1)" in first
    assert first.endswith("Another update overtook this one before it was completed.")
    assert changed.startswith("no update. The service was changed")
    assert "the new spec (1.2)" in second
    assert "overtook" not in second + completed


def test_the_text_has_the_replicas_by_tag() -> None:
    assert section(text(failing()), "Running replicas") == ["1.0 × 2", "bugged × 0"]


def test_the_text_has_errors_whole() -> None:
    """The table cuts them to thirty columns, as docker does."""
    error = "starting container failed: " + "no such file or directory, " * 5
    made = failing()
    dead = task(2, "bugged", "failed", id="late", created_at=at(8), error=error)
    made.changes.pop()
    made.observe(snapshot(9, service(version=13), *made.current, dead))
    lines = section(text(made), "Failed tasks")

    assert "0:05 dc_worker.1, bugged: task: non-zero exit (1) (exit code 1)" in lines
    assert f"0:09 dc_worker.2, bugged: {error}" in lines


def test_the_text_has_the_budget_of_the_update() -> None:
    assert section(text(settled()), "Failure budget") == [
        "Failures: no failure was tolerated, and none was counted."
    ]


def test_the_text_has_marks_and_gaps() -> None:
    recording, _, _ = play(16)
    recording.add(Gap(after(16), "no route to host"))
    recording.add(Back(after(18)))
    recording.add(Marked(START, after(4), "first pair is done"))
    told = text(recording)

    assert section(told, "Marks") == ["0:04 first pair is done"]
    assert section(told, "Nothing was recorded") == ["0:16 to 0:18: no route to host"]


def test_the_text_ends_with_the_rows_that_docker_prints_in_a_cells_width() -> None:
    recording, _, _ = play(16)
    rows = ps.rows(recording.current, "dc_worker", recording.last_at)
    header, *printed = text(recording).rpartition("\n\n")[2].split("\n")

    assert header.split() == ["NAME", "TAG", "DESIRED", "CURRENT", "STATE", "ERROR"]
    assert len(printed) == len(rows)
    for line, row in zip(printed, rows, strict=True):
        assert line.startswith(row.name), line
        assert row.current_state in line, line
    assert max(len(line) for line in printed if '"' not in line) < 80


def test_the_text_steers_no_terminal() -> None:
    told = text(hostile())
    assert all(letter.isprintable() or letter == "\n" for letter in told)
    assert "\\x1b[31m" in told


def test_the_text_of_a_recording_is_always_the_same() -> None:
    recording, _, _ = play(9)
    assert text(recording) == text(recording)


def test_a_recording_of_nothing_has_a_text() -> None:
    assert "Nothing has been recorded yet." in text(Recording(HEADER))
