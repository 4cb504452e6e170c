"""A compose file means what docker says it means, and every mistake in it is found at once."""

import codecs
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.base.errors import BadComposeFile, BadValue
from labkit.swarm import compose
from labkit.swarm.compose.language import schema, shorthand
from labkit.swarm.compose.language.interpolation import substitute
from labkit.swarm.compose.problems import Problems
from labkit.swarm.compose.reading import read
from tests.claims import claims, each_claim
from tests.dockers import needs_docker

GOOD = "services:\n  web:\n    image: lab/web:1\n"


def load(folder: Path, *texts: str, **env: str) -> compose.Compose:
    files = []
    for number, text in enumerate(texts, 1):
        files.append(folder / f"{number}.yml")
        files[-1].write_text(text)
    return compose.load(files, env)


def problems(folder: Path, *texts: str, **env: str) -> dict[str, str]:
    with pytest.raises(BadComposeFile) as caught:
        load(folder, *texts, **env)
    return dict(caught.value.problems)


def web(folder: Path, more: str, **env: str) -> Any:
    """The service of a file in which `web` has some more keys."""
    return load(folder, GOOD + more, **env).services["web"]


# ---- YAML ------------------------------------------------------------------------------


@each_claim(__file__, "scalars", "scalar", "value")
def test_a_plain_scalar_is_what_gos_yaml_makes_of_it(scalar: str, value: object) -> None:
    found = Problems()
    assert read(f"key: {scalar}", found) == {"key": value}
    assert not found


@each_claim(__file__, "wrong_yaml", "text", "path", "what")
def test_what_is_wrong_with_yaml_is_said_with_its_place(text: str, path: str, what: str) -> None:
    found = Problems()
    read(text, found)
    ((where, said),) = found.listed()
    assert where == path
    assert what in said


def test_merge_keys_bring_in_what_is_not_there() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}"
    assert read(text, Problems())["z"] == {"a": 1, "b": 1, "c": 3}


def test_the_first_document_is_the_file() -> None:
    for rest in ("---\nb: 2", "...\nb: 2", "---\n: : ["):
        assert read(f"a: 1\n{rest}", Problems()) == {"a": 1}


def test_an_anchor_that_is_set_again_means_the_newer_from_there_on() -> None:
    text = "a: &x 1\nb: *x\nc: &x 2\nd: *x"
    assert read(text, Problems()) == {"a": 1, "b": 1, "c": 2, "d": 2}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"x-a: {'[' * 400}{']' * 400}", "levels deep"),
        ("{" * 9999, "a key is text"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"{x}: &{x} [{','.join([f'*{y}'] * 10)}]\n" for y, x in pairwise("abcdefgh")),
            "excessive aliasing",
        ),
    ],
)
def test_a_small_file_cannot_mean_a_huge_one(text: str, what: str) -> None:
    found = Problems()
    read(text, found)
    ((_, said),) = found.listed()
    assert what in said


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_the_same_number(number: float) -> None:
    assert float(shorthand.text_of(number)) == number


# ---- variables -------------------------------------------------------------------------


@each_claim(__file__, "filled_in", "text", "filled")
def test_variables_are_filled_in(text: str, filled: str) -> None:
    assert substitute(text, {"SET": "value", "EMPTY": ""}) == filled


@each_claim(__file__, "not_filled_in", "text", "what")
def test_what_cannot_be_filled_in_is_an_error(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=r".*") as problem:
        substitute(text, {"SET": "value", "EMPTY": ""})
    assert what in str(problem.value)


@given(st.text())
def test_text_with_its_dollars_doubled_comes_back_as_it_was(text: str) -> None:
    assert substitute(text.replace("$", "$$"), {}) == text


def test_a_variable_is_cast_only_where_docker_casts_it(tmp_path: Path) -> None:
    found = web(tmp_path, "    deploy: {replicas: $N, labels: {n: $N}}", N="3")
    assert (found.deploy.replicas, found.deploy.labels) == (3, {"n": "3"})
    said = problems(tmp_path, GOOD + "    init: $YES", YES="yes")
    assert said == {"services.web.init": "must be true or false, not 'yes'"}
    said = problems(tmp_path, GOOD + "    deploy: {replicas: $N}", N="three")
    assert "'three'" in said["services.web.deploy.replicas"]


# ---- mistakes --------------------------------------------------------------------------


def placed(path: str) -> str:
    """A path as the file has it: under `web`, beside it, or at the top (`^`)."""
    if path.startswith("^"):
        return path[1:]
    return f"services.{path}" if path.startswith(("db", "a b")) else f"services.web.{path}"


@each_claim(__file__, "refused", "more", "path", "what")
def test_a_mistake_that_docker_refuses_is_found_under_its_path(tmp_path, more, path, what) -> None:
    assert_found(tmp_path, more, path, what)


@pytest.mark.parametrize("more", claims(__file__, "accepted"))
def test_what_docker_accepts_is_accepted(tmp_path: Path, more: str) -> None:
    assert load(tmp_path, GOOD + more)


def test_every_service_counts_also_one_that_is_named_like_an_extension(tmp_path: Path) -> None:
    assert set(load(tmp_path, GOOD + "  x-db: {image: lab/db}").services) == {"web", "x-db"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be-with-its-mark"])
def test_a_file_says_how_it_is_encoded(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "1.yml"
    if encoding == "utf-16-be-with-its-mark":
        file.write_bytes(codecs.BOM_UTF16_BE + GOOD.encode("utf-16-be"))
    else:
        file.write_text(GOOD, encoding)
    assert compose.load([file], {}).services["web"].image == "lab/web:1"


@each_claim(__file__, "stricter", "more", "path", "what")
def test_so_is_one_that_docker_would_find_out_later(tmp_path, more, path, what) -> None:
    """When half of the stack is there, or not at all."""
    assert_found(tmp_path, more, path, what)


def assert_found(folder: Path, more: str, path: str, what: str) -> None:
    said = problems(folder, GOOD + more)
    assert list(said) == [placed(path)]
    assert what in said[placed(path)]


@needs_docker
@pytest.mark.parametrize(
    ("more", "accepted"),
    [(more, False) for more, _, _ in claims(__file__, "refused")]
    + [(more, True) for more in claims(__file__, "accepted")],
)
def test_docker_says_the_same(tmp_path: Path, more: str, accepted: bool) -> None:
    (tmp_path / "1.yml").write_text(GOOD + more)
    ran = subprocess.run(
        ["docker", "stack", "config", "-c", str(tmp_path / "1.yml")], capture_output=True
    )
    assert (ran.returncode == 0) == accepted


def test_all_mistakes_are_reported_at_once_in_the_words_of_an_error(tmp_path: Path) -> None:
    text = """
    services:
      web: {image: "lab:${TAG:?which}", networks: [nowhere], deploy: {replicas: x}}
      db: {image: lab/db, networks: [nowhere], dploy: {}}
      ok: {image: lab/ok, networks: [nowhere]}
    configs: {motd: {file: none.txt}}
    """
    with pytest.raises(BadComposeFile) as caught:
        load(tmp_path, text)
    assert [path for path, _ in caught.value.problems] == [
        "services.web.image",
        "services.web.deploy.replicas",
        "services.db.dploy",
        "configs.motd.file",
        "services.ok.networks.nowhere",
    ]
    assert "1.yml to be a compose file that `docker stack deploy` accepts." in str(caught.value)
    assert "Nothing was changed." in str(caught.value)


def test_with_several_files_a_mistake_names_its_file(tmp_path: Path) -> None:
    said = problems(tmp_path, GOOD, GOOD + "    portz: []", "a: [")
    assert list(said) == ["2.yml: services.web.portz", "3.yml: line 2, column 1"]


def test_files_of_different_versions_are_refused(tmp_path: Path) -> None:
    said = problems(tmp_path, "version: '3.8'\n" + GOOD, GOOD)
    assert said == {"version": "the files have different ones: 3.13, 3.8"}


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, what in (("none.yml", "there is no file"), ("binary", "is not UTF-8"), (".", "read")):
        with pytest.raises(BadComposeFile, match=what):
            compose.load([tmp_path / name], {})


def test_a_stack_of_no_file_is_refused() -> None:
    """With `--prune` it would remove every service."""
    with pytest.raises(BadValue, match="at least one compose file"):
        compose.load([], {})


def test_a_name_that_swarm_would_refuse_is_found_before_it_is_sent(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD + "  a.b: {image: x}")
    with pytest.raises(BadComposeFile, match=r"services.a.b: Swarm would refuse the name 'dc_a.b'"):
        found.specs("dc")
    with pytest.raises(BadComposeFile, match="at most 63"):
        load(tmp_path, GOOD).specs("x" * 60)


@pytest.mark.parametrize("name", ["my stack", "", "-dc", "dc.one", "dc/one", "dé"])
def test_a_stacks_name_that_swarm_would_refuse_is_no_fault_of_the_file(tmp_path: Path, name: str):
    with pytest.raises(BadValue, match=f"not {name!r}"):
        load(tmp_path, GOOD).specs(name)


def test_every_kind_that_the_format_names_can_be_read() -> None:
    named = [kind for keys in schema.FORMAT["keys"].values() for kind in keys.values()]
    kinds = {re.sub(r"[\[\]{}!?]", "", kind) for kind in named}
    assert kinds <= {*schema.FORMAT["keys"], *schema._LEAVES, *schema._SHORT}


# ---- what is taken ---------------------------------------------------------------------


@each_claim(__file__, "commands", "text", "words")
def test_a_command_is_split_as_a_shell_splits_it(text: str, words: list[str]) -> None:
    assert shorthand.words(text) == words


@each_claim(__file__, "sizes", "size", "count")
def test_sizes_count_in_powers_of_1024(size: str, count: int) -> None:
    assert shorthand.number_of_bytes(size) == count


@pytest.mark.parametrize("size", [5, "5x", "", "-1k", "1kk", "k"])
def test_a_size_that_is_none_is_refused(size: object) -> None:
    with pytest.raises(ValueError, match="must be a size"):
        shorthand.number_of_bytes(size)


def test_env_files_are_taken_as_they_are_and_the_file_itself_wins(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("# no\n\n  A='x y' \nB=1\nPASSED\nLOST\nE=\n")
    found = web(tmp_path, "    env_file: a.env\n    environment: {B: 2}", PASSED="p", E="e")
    assert found.environment == {"A": "'x y' ", "B": "2", "PASSED": "p", "E": "e"}


def test_only_the_networks_that_a_service_uses_are_made(tmp_path: Path) -> None:
    text = GOOD + "    networks: [a]\nnetworks: {a: {}, b: {}}"
    assert [network["Name"] for network in load(tmp_path, text).specs("dc").networks] == ["dc_a"]
    assert [network["Name"] for network in load(tmp_path, GOOD).specs("dc").networks] == [
        "dc_default"
    ]


def test_the_authors_own_keys_are_left_alone(tmp_path: Path) -> None:
    text = "x-top: 1\n" + GOOD + "    x-mine: {a: 1}\nnetworks: {a: {x-b: 1}}"
    assert load(tmp_path, text).services["web"].image == "lab/web:1"


def test_what_has_no_effect_is_said_by_name(tmp_path: Path) -> None:
    text = (
        GOOD + "    build: .\n    restart: always\n    depends_on: []\n    ports: ['127.0.0.1:1:2']"
    )
    assert load(tmp_path, text).notes == (
        "Ignoring unsupported options: build, restart",
        "Ignoring, as docker does without saying so: depends_on",
        "services.web.ports: ignoring 127.0.0.1; a service listens on every address",
    )


def test_a_later_file_changes_what_it_names_and_adds_the_rest(tmp_path: Path) -> None:
    over = "services:\n  web: {labels: {b: 2}, deploy: {replicas: 0}}\n  db: {image: lab/db}"
    found = load(tmp_path, GOOD + "    labels: {a: 1}\n    deploy: {replicas: 5}", over)
    assert found.services["web"].image == "lab/web:1"
    assert found.services["web"].labels == {"a": "1", "b": "2"}
    assert found.services["web"].deploy is not None
    assert found.services["web"].deploy.replicas == 0
    assert set(found.services) == {"web", "db"}


def test_a_network_that_another_file_defines_is_defined(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD + "    networks: [a]", "networks: {a: }")
    assert found.specs("dc").networks[0]["Name"] == "dc_a"
