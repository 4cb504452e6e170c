"""What is wrong in a source is said in a sentence each; what can be cleaned is cleaned."""

import json

from labkit.lessons.notebooks import checking, cleaning
from labkit.lessons.notebooks.cells import written
from tests.claims import each_claim
from tests.lessons.notebooks.books import book, by_id, lesson, md, without

NAMES = {"exercises": {"half-the-time"}, "questions": {"how-long"}}


def wrong(made, **names):
    return [str(problem) for problem in checking.problems("01", made, **(names or NAMES))]


def one(made, **names):
    (only,) = wrong(made, **names)
    return only


def changed(key, **values):
    made = lesson()
    by_id(made)[key].update(values)
    return made


def test_nothing_is_wrong_in_a_source_as_it_should_be():
    assert wrong(lesson()) == []
    assert wrong(lesson(), exercises=None) == [], "without the names that there are, any is one"


def spoilt(case):
    """A source with one mistake, as a claim has it: cells changed, taken out or tagged anew."""
    made = lesson()
    for key, values in case.get("changed", {}).items():
        by_id(made)[key].update(values)
    for key, tags in case.get("retagged", {}).items():
        by_id(made)[key]["metadata"] = {"tags": tags}
    if "alone" in case:
        made["cells"] = [md("a", "x") | case["alone"]]
    made["metadata"] |= case.get("metadata", {})
    return without(made, *case.get("without", ()))


@each_claim(__file__, "mistakes", "case")
def test_each_mistake_has_its_sentence(case: dict):
    found = wrong(spoilt(case))
    assert any(case["says"] in sentence for sentence in found), found


def test_a_stub_with_all_that_the_solution_says_has_its_sentence():
    made = changed("stub", source=by_id(lesson())["solved"]["source"])
    assert any("cell stub contains all of this solution" in said for said in wrong(made))


def test_cells_in_another_order_are_told_the_right_one():
    made = lesson()
    cells = made["cells"]
    cells[9], cells[10] = cells[10], cells[9]

    assert one(made) == (
        "01, cell stub: the cells of the exercise 'half-the-time' are in the order stub, exercise, "
        "solution, solution, check. Move them into this order: exercise, stub, solution, check."
    )


def test_an_exercise_begins_once():
    made = lesson()
    made["cells"].insert(9, by_id(made)["begin"] | {"id": "again"})
    assert one(made) == (
        "01, cell begin: the exercise 'half-the-time' has two cells tagged 'exercise'. Remove one."
    )


def test_a_name_that_labkit_has_not_is_told_the_nearest():
    said = one(lesson(), exercises={"half-the-tmie", "slow"}, questions={"how-long"})
    assert "there is no exercise 'half-the-time' in labkit. Did you mean 'half-the-tmie'?" in said
    said = one(lesson(), exercises={"half-the-time"}, questions={"x"})
    assert "there is no question 'how-long' in labkit. There are: x." in said


def test_what_a_tag_says_is_no_command_for_a_terminal():
    made = book(md("a", "x", "\x1b[31mred\u202e"))
    assert not {"\x1b", "\u202e"} & set("".join(wrong(made)))


def test_a_section_without_code_need_not_say_how_long_it_takes():
    made = lesson()
    made["cells"].insert(2, md("a", "## A"))
    assert wrong(made) == []


@each_claim(__file__, "unfit", "case")
def test_a_source_that_might_show_a_note_to_learners_is_unfit(case: dict):
    (said,) = checking.unfit(spoilt(case))
    assert case["says"] in said


def test_other_tags_do_not_keep_a_source_from_being_built():
    assert checking.unfit(lesson()) == []
    for tags in (["instructor", "instruction"], ["later"]):
        assert checking.unfit(changed("n-do", metadata={"tags": tags})) == []


# ---- cleaning ----------------------------------------------------------------------


def soiled():
    """A source as JupyterLab saves it after a run."""
    made = lesson()
    made["metadata"] |= {"language_info": {"name": "python"}, "widgets": {}}
    by_id(made)["run"].update(outputs=[{"output_type": "display_data"}], execution_count=7)
    by_id(made)["run"]["metadata"] = {"scrolled": True, "jupyter": {"outputs_hidden": True}}
    pieces = [{"output_type": "stream", "name": "stdout", "text": text} for text in ("1", "0\n")]
    by_id(made)["seen"].update(outputs=pieces, execution_count=9)
    return made


def test_what_a_run_leaves_behind_is_cleaned_and_said():
    made = soiled()
    assert wrong(made)

    clean, said = cleaning.cleaned(made)

    assert wrong(clean) == []
    assert json.loads(written(clean))["cells"][5]["outputs"][0]["text"] == ["10\n"]
    assert made == soiled(), "what is handed in stays as it was"
    assert said == [
        "metadata 'language_info' taken out",
        "metadata 'widgets' taken out",
        "metadata 'jupyter.outputs_hidden' of cell run taken out",
        "metadata 'scrolled' of cell run taken out",
        "output of cell run taken out",
        "output of cell seen put in one piece, with the count 1",
    ]


def test_a_clean_source_stays_as_it_is_to_the_letter():
    assert cleaning.cleaned(lesson()) == (lesson(), [])


def test_cells_without_an_id_of_their_own_get_one():
    made = changed("run", id="ask")
    del by_id(made)["stub"]["id"]
    made["nbformat_minor"] = 4

    clean, said = cleaning.cleaned(made)

    assert wrong(clean) == []
    assert len(said) == 2
    assert cleaning.cleaned(clean) == (clean, [])


def test_an_output_that_is_not_only_printed_is_left_for_people():
    made = changed(
        "seen", outputs=[{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
    )
    clean, _ = cleaning.cleaned(made)
    assert any("stores no printed output" in sentence for sentence in wrong(clean))
