"""Folders of notebooks: what is written where, what is kept, what is refused."""

import json
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from labkit import cli
from labkit.base import settings
from labkit.base.errors import BadValue, LabError
from labkit.lessons import workspace
from labkit.lessons.notebooks import building, versions
from labkit.lessons.notebooks.cells import Cell, read, written
from tests.lessons.notebooks.books import book, by_id, code, lesson, md, note, noted, texts


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Two notebooks and a recording, with what JupyterLab leaves beside them."""
    folder = tmp_path / "sources"
    for name in ("00-start.ipynb", "01-update.ipynb", ".ipynb_checkpoints/00-start.ipynb"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(lesson()))
    (folder / "recordings").mkdir()
    (folder / "recordings" / "one.jsonl").write_text("shipped")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "built"


def what(done):
    return {each.path.name: each.what for each in done}


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def renew(source: Path) -> None:
    """Write a source anew, with one other cell."""
    source.write_text(written(lesson() | {"cells": [md("a", "new")]}))


def edited(path: Path, *cells: Cell) -> str:
    """Put cells into a notebook that was built; returns what is in the file now."""
    made = read(path)
    made["cells"][3:3] = cells
    path.write_text(text := written(made))
    return text


def labkit(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["notebooks", *map(str, words)])


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_a_build_brings_all_that_lies_beside_the_notebooks_and_leaves_the_sources(
    version: versions.VersionName, sources: Path, target: Path
):
    before = files(sources)

    done = building.build(version, sources, target)

    assert sorted(files(target)) == [
        ".labkit-built.json", "00-start.ipynb", "01-update.ipynb", "recordings/one.jsonl"
    ]  # fmt: skip
    assert set(what(done).values()) == {"written"}
    assert read(target / "01-update.ipynb") == versions.build(version, lesson()).book
    assert files(sources) == before


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_a_second_build_changes_nothing(version: versions.VersionName, sources: Path, target: Path):
    building.build(version, sources, target)
    before = files(target)
    assert set(what(building.build(version, sources, target)).values()) == {"as it was"}
    assert files(target) == before


@pytest.mark.parametrize("name", ["1", "01", "update", "01-update", "01-update.ipynb"])
def test_a_notebook_is_named_by_its_number_or_its_name(name: str, sources: Path):
    assert building.sources(sources, [name, name]) == [sources / "01-update.ipynb"]


def test_a_name_that_there_is_not_is_told_those_that_there_are(sources: Path, target: Path):
    with pytest.raises(BadValue, match="the notebooks are 00-start, 01-update, not 'nosuch'"):
        building.build("learner", sources, target, ["nosuch"])
    with pytest.raises(LabError, match="there are none"):
        building.sources(sources / "recordings")
    assert not target.exists()


def test_a_note_that_was_added_to_a_build_is_kept_and_said(sources: Path, target: Path):
    building.build("instructor", sources, target)
    path = target / "01-update.ipynb"
    edited(path, note("mine", "Wait."))
    said = labkit("instructor", "--from", sources, "-o", target, "1").output
    assert noted(by_id(read(path))["mine"]) == "Wait."
    assert f"{path}: written; kept a note that you added there, cell mine." in said


def test_a_recording_with_an_instructors_marks_is_left_and_another_is_renewed(sources, target):
    building.build("slides", sources, target)
    shipped, mine = sources / "recordings" / "one.jsonl", target / "recordings" / "one.jsonl"

    shipped.write_text("newer")
    building.build("slides", sources, target)
    assert mine.read_text() == "newer"

    mine.write_text("newer, with a mark")
    shipped.write_text("newest")
    done = building.build("slides", sources, target)
    assert mine.read_text() == "newer, with a mark"
    assert what(done)["one.jsonl"] == "left as you changed it"


def test_cells_that_are_no_notes_are_built_anew_and_a_copy_keeps_them(sources: Path, target: Path):
    """Under a name that is not there yet, and only when somebody has changed them."""
    building.build("instructor", sources, target)
    path = target / "01-update.ipynb"
    (target / "01-update.before-1.ipynb").write_text("an older copy")
    mine = edited(path, code("demo", "print('my demo')"), note("mine", "Wait."))

    said = labkit("instructor", "--from", sources, "-o", target).output

    copy = target / "01-update.before-2.ipynb"
    assert copy.read_text() == mine
    assert "demo" not in by_id(read(path))
    assert "mine" in by_id(read(path))
    assert f"so the old version is kept as {copy.name};" in said
    assert said.count("the old version is kept") == 1

    renew(sources / "01-update.ipynb")
    done = building.build("instructor", sources, target)
    assert [each.copy for each in done] == [None] * 3
    assert what(done)["01-update.ipynb"] == "written"


def test_what_an_instructor_has_written_is_a_source_like_another(sources: Path, target: Path):
    """With no minutes in the headings, and without what a build leaves beside it."""
    building.build("instructor", sources, target)
    edited(target / "01-update.ipynb", code("demo", "print('my demo')"), note("mine", "Wait."))
    building.build("instructor", sources, target)
    made = target.with_name("slides")

    building.build("slides", target, made)

    left_out = {"01-update.before-1.ipynb"}
    assert {*files(made)} == {*files(target)} - left_out
    shown = [noted(cell) for cell in read(made / "01-update.ipynb")["cells"]]
    assert "Wait." in shown
    assert not [words for words in shown if " min" in words.splitlines()[0]]


def test_a_notebook_that_is_no_version_is_kept_where_one_is_built(sources: Path, target: Path):
    target.mkdir()
    own = target / "01-update.ipynb"
    own.write_text(mine := written(book(md("a", "Somebody's own."))))
    building.build("slides", sources, target)
    assert (target / "01-update.before-1.ipynb").read_text() == mine


@pytest.mark.parametrize("version", versions.VERSIONS)
@pytest.mark.parametrize("writes", range(6))
def test_a_build_that_was_interrupted_can_be_repeated(
    version: versions.VersionName,
    writes: int,
    sources: Path,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Wherever it was: between two files, and between a file and its hash."""
    building.build(version, sources, target)
    for path in sources.glob("0*.ipynb"):
        renew(path)
    (sources / "recordings" / "one.jsonl").write_text("newer")
    write, left = building._write, iter(range(writes))

    def interrupted(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(building, "_write", interrupted)
        building.build(version, sources, target)

    assert set(what(building.build(version, sources, target)).values()) <= {"written", "as it was"}
    assert (target / "recordings" / "one.jsonl").read_text() == "newer"
    assert texts(read(target / "01-update.ipynb"))[0] == "new"


# ---- what is refused, and then nothing is written ------------------------------------


def test_the_folder_of_the_sources_is_refused_and_so_is_a_link_to_it(sources: Path, tmp_path: Path):
    before = files(sources)
    link = tmp_path / "link"
    link.symlink_to(sources)
    inside = tmp_path / "half"
    inside.mkdir()
    (inside / "recordings").symlink_to(sources / "recordings")

    for target in (sources, link, link / ".." / "sources", sources / "built", inside):
        ended = labkit("learner", "--from", sources, "-o", target)
        assert ended.exit_code == 1
        assert "which stay as they are" in ended.stderr
    assert files(sources) == before
    assert [path.name for path in inside.iterdir()] == ["recordings"]


def test_a_link_to_a_source_is_replaced_and_not_written_through(sources: Path, target: Path):
    before = files(sources)
    target.mkdir()
    (target / "01-update.ipynb").symlink_to(sources / "01-update.ipynb")
    building.build("slides", sources, target)
    assert files(sources) == before
    assert versions.version_of(read(target / "01-update.ipynb")) == "slides"


def test_another_version_is_not_built_over(sources: Path, target: Path):
    building.build("learner", sources, target)
    before = files(target)
    with pytest.raises(LabError, match="it is the learner version"):
        building.build("instructor", sources, target)
    assert files(target) == before


def test_a_learners_version_that_somebody_changed_is_not_built_over(sources: Path, target: Path):
    building.build("learner", sources, target)
    edited(target / "01-update.ipynb", note("mine", "Wait."))
    renew(sources / "00-start.ipynb")
    before = files(target)

    with pytest.raises(LabError, match="somebody has changed it since"):
        building.build("learner", sources, target)
    assert files(target) == before


@pytest.mark.parametrize("broken", ["{", "[]", '{"worksheets": []}', '{"cells": [1]}', "\udcff"])
def test_what_is_no_notebook_is_refused_in_either_folder(broken: str, sources: Path, target: Path):
    content = broken.encode("utf-8", "surrogateescape")
    target.mkdir()
    (target / "01-update.ipynb").write_bytes(content)
    for ended in (labkit("instructor", "--from", sources, "-o", target),):
        assert ended.exit_code == 1
        assert "to be a notebook of format 4" in ended.stderr
    assert [path.name for path in target.iterdir()] == ["01-update.ipynb"]

    (sources / "01-update.ipynb").write_bytes(content)
    ended = labkit("check", "--from", sources, "--fix", "1")
    assert ended.exit_code == 1
    assert "01-update: " in ended.output
    assert (sources / "01-update.ipynb").read_bytes() == content


def test_a_source_whose_tag_is_misspelt_is_not_built(sources: Path, target: Path):
    made = lesson()
    by_id(made)["n-do"]["metadata"]["tags"] = ["instuctor"]
    (sources / "01-update.ipynb").write_text(written(made))

    ended = labkit("learner", "--from", sources, "-o", target)

    assert ended.exit_code == 1
    assert "cell n-do is tagged 'instuctor'. Did you mean 'instructor'?" in ended.stderr
    assert not target.exists()


@pytest.mark.parametrize("tags", [["instructors"], ["Instructor-note"], ["solutoin", "nbval-skip"]])
def test_a_note_whose_tag_is_misspelt_in_a_build_is_not_built_over(tags, sources, target):
    building.build("instructor", sources, target)
    edited(target / "01-update.ipynb", md("mine", "Wait.", *tags))
    renew(sources / "00-start.ipynb")
    before = files(target)

    ended = labkit("instructor", "--from", sources, "-o", target)

    assert ended.exit_code == 1
    assert f"cell mine is tagged {tags[0]!r}. Did you mean " in ended.stderr
    assert files(target) == before


def test_a_folder_that_cannot_be_written_is_said(sources: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    ended = labkit("slides", "--from", sources, "-o", tmp_path / "file" / "x")
    assert ended.exit_code == 1
    assert "name another folder with -o" in ended.stderr


# ---- the command -------------------------------------------------------------------


def test_without_a_folder_a_version_of_the_labs_own_notebooks_is_in_build(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    shipped = settings.lesson_files() / "notebooks"
    before = files(shipped)
    assert labkit("slides", "0").exit_code == 0
    assert (tmp_path / "build" / "notebooks" / "slides" / "00-start-here.ipynb").exists()
    assert files(shipped) == before


def test_check_says_what_is_wrong_and_fix_cleans_what_can_be(sources: Path):
    made = lesson()
    by_id(made)["run"]["execution_count"] = 3
    made["metadata"]["widgets"] = {}
    path = sources / "01-update.ipynb"
    path.write_text(written(made))
    mine = ("--from", sources, "update", "--json")

    ended = labkit("check", *mine)
    cells = [problem["cell"] for problem in json.loads(ended.stdout)]
    assert ended.exit_code == 1
    assert {"", "run"} <= set(cells)

    ended = labkit("check", *mine, "--fix")
    assert "01-update: output of cell run taken out." in ended.stderr
    assert not {"", "run"} & {problem["cell"] for problem in json.loads(ended.stdout)}
    assert path.read_text() == written(lesson())


@pytest.mark.parametrize("places", [("venv",), ("active",), ("venv", "active")])
def test_before_a_commit_the_environment_of_the_checkout_checks_or_else_the_active_one(
    places: tuple[str, ...], tmp_path: Path
):
    """Whoever uses conda has no `.venv/`, and its labkit on the path."""
    declared = yaml.safe_load((settings.SOURCE / ".pre-commit-config.yaml").read_text())
    hooks = {each["id"]: each["entry"] for each in declared["repos"][0]["hooks"]}
    folders = {"venv": tmp_path / ".venv" / "bin", "active": tmp_path / "conda"}
    for place in places:
        folders[place].mkdir(parents=True)
        for name in ("labkit", "ruff", "mypy"):
            program = folders[place] / name
            program.write_text(f'#!/bin/sh\necho {place} {name} "$@"\n')
            program.chmod(0o755)

    said = {
        name: subprocess.run(
            [*shlex.split(entry), "changed.py"],
            cwd=tmp_path,
            env={"PATH": f"{folders['active']}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for name, entry in hooks.items()
    }

    assert said == {
        "notebooks": f"{places[0]} labkit notebooks check --fix",
        "ruff": f"{places[0]} ruff check --force-exclude changed.py",
        "ruff-format": f"{places[0]} ruff format --force-exclude changed.py",
        "mypy": f"{places[0]} mypy",
    }


# ---- the learner's copy --------------------------------------------------------------


def test_the_copy_that_a_learner_works_in_is_the_learners_version(tmp_path, monkeypatch, sources):
    sources.rename(tmp_path / "notebooks")
    monkeypatch.setattr(settings, "lesson_files", lambda: tmp_path)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))

    copied = workspace.refresh()

    assert copied == ["00-start.ipynb", "01-update.ipynb", "recordings/one.jsonl"]
    assert read(settings.workspace() / "01-update.ipynb") == versions.learner(lesson())
    assert labkit("instructor", "-o", settings.workspace()).exit_code == 1
