"""A compose file means what docker says it means, and every mistake in it is found at once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.base.errors import BadComposeFile, BadValue
from labkit.swarm import compose
from labkit.swarm.compose import shorthand
from labkit.swarm.compose.interpolation import substitute
from labkit.swarm.compose.problems import Problems
from labkit.swarm.compose.reading import read

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


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("12:30", "12:30"),
        ("0444", 0o444),
        ("0o17", 0o17),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("08", 8.0),
        ("+5", 5),
        ("0x_", "0x_"),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("~", None),
        ("", None),
        ("1.2.3", "1.2.3"),
        ('"5"', "5"),
        ("!!str 5", "5"),
    ],
)
def test_a_plain_scalar_is_what_gos_yaml_makes_of_it(scalar: str, value: object) -> None:
    found = Problems()
    assert read(f"key: {scalar}", found) == {"key": value}
    assert not found


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("a: [1, 2", "line 1, column 9", "this is not YAML"),
        ("\tb: 1", "line 1, column 1", "this is not YAML"),
        ("[a, b]", "", "a mapping at its top"),
        ("", "", "a mapping at its top"),
        ("a: 1\n---\nb: 2", "line 2, column 1", "expected a single document"),
        ("a: 1\nb: 2\na: 3", "a", "twice, on lines 1 and 3"),
        ("s:\n  a:\n    k: 1\n    k: 2", "s.a.k", "twice, on lines 3 and 4"),
        ("a: {1: x}", "a", "1 is not; put it in quotes"),
        ("a: 2001-01-01", "a", "takes 2001-01-01 for a date"),
        ("a: &x [*x]", "a[0]", "holds itself"),
        ("a: {<<: 1}", "a.<<", "only a mapping"),
        ("a: !python x", "a", "knows no YAML tag !python"),
    ],
)
def test_what_is_wrong_with_yaml_is_said_with_its_place(text: str, path: str, what: str) -> None:
    found = Problems()
    read(text, found)
    ((where, said),) = found.listed()
    assert where == path
    assert what in said


def test_merge_keys_bring_in_what_is_not_there() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}"
    assert read(text, Problems())["z"] == {"a": 1, "b": 1, "c": 3}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_the_same_number(number: float) -> None:
    assert float(shorthand.text_of(number)) == number


# ---- variables -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$SET", "value"),
        ("${SET}", "value"),
        ("a${SET}b$SET", "avaluebvalue"),
        ("$SET-unless-unset", "value"),
        ("${UNSET}", ""),
        ("${UNSET:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY-other}", ""),
        ("${UNSET-other}", "other"),
        ("${SET:-other}", "value"),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:b-c?d}", "a:b-c?d"),
        ("${SET:?message}", "value"),
        ("${EMPTY?message}", ""),
        ("$$SET and $${SET}", "$SET and ${SET}"),
        ("$SET:x", "value:x"),
        ("${SET:?with-a-dash}", "value"),
    ],
)
def test_variables_are_filled_in(text: str, filled: str) -> None:
    assert substitute(text, {"SET": "value", "EMPTY": ""}) == filled


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("${UNSET:?set it}", "required variable UNSET is missing a value: set it"),
        ("${EMPTY:?}", "required variable EMPTY is missing a value: "),
        ("${UNSET?}", "required variable UNSET"),
        ("${UNSET:?with-a-dash}", "required variable UNSET is missing a value: with-a-dash"),
        ("costs $5", "write $$ for a dollar sign"),
        ("${}", "begins no variable"),
        ("${SET:+x}", "begins no variable"),
        ("${SET", "begins no variable"),
    ],
)
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

#: What docker refuses too, with the path under which labkit says so.
REFUSED = [
    ("    deploy: {replicas: two}", "deploy.replicas", "must be a whole number, not 'two'"),
    ("    deploy: {replicas: '3'}", "deploy.replicas", "must be a whole number, not '3'"),
    ("    deploy: {replica: 2}", "deploy.replica", "did you mean 'replicas'?"),
    (
        "    deploy: {update_config: {paralelism: 2}}",
        "deploy.update_config.paralelism",
        "no such key; did you mean 'parallelism'?",
    ),
    (
        "    deploy: {update_config: {delay: 5}}",
        "deploy.update_config.delay",
        "must be a duration such as '5s', not 5; a unit is needed",
    ),
    ("    deploy: {update_config: {delay: soon}}", "deploy.update_config.delay", "'soon' is not"),
    (
        "    deploy: {update_config: {order: first}}",
        "deploy.update_config.order",
        "must be one of start-first, stop-first, not 'first'",
    ),
    (
        "    deploy: {resources: {limits: {cpus: 0.5}}}",
        "deploy.resources.limits.cpus",
        "such as '0.5', in quotes, not 0.5",
    ),
    ("    environment: {A: true}", "environment.A", "not the truth value true; put it in quotes"),
    ("    environment: [A, A]", "environment", "has 'A' twice"),
    ("    ports: ['99999:80']", "ports[0]", "no port or range of ports up to 65535"),
    ("    ports: [80, '80:70-71-72']", "ports[1]", "must be a port"),
    ("    ports: ['1-3:4-5']", "ports[0]", "two ranges of different lengths"),
    ("    ports: ['80/icmp']", "ports[0]", "it can be tcp, udp or sctp"),
    ("    ports: ['300.1.1.1:80:80']", "ports[0]", "no IP address"),
    ("    ports: [{target: 80, publishd: 1}]", "ports[0].publishd", "did you mean 'published'?"),
    ("    ports: 80", "ports", "must be a list, not 80"),
    ("    volumes: ['data:/b:ro:c']", "volumes[0]", "must be SOURCE:TARGET:OPTIONS"),
    ("    healthcheck: {interval: 1}", "healthcheck.interval", "must be a duration"),
    ("    healthcheck:", "healthcheck", "is there without a value"),
    ("    command: [1]", "command", "1 is not text; put it in quotes"),
    ("    command: 'an open \"quote'", "command", "nothing to match it"),
    ("    cap_add: NET_ADMIN", "cap_add", "must be a list, not 'NET_ADMIN'"),
    ("    depends_on: {a: {condition: x}}", "depends_on", "must be a list, not a mapping"),
    ("    networks: {default: {alias: [a]}}", "networks.default.alias", "did you mean 'aliases'?"),
    ("    stop_grace_period: 10", "stop_grace_period", "must be a duration"),
    ("    mem_limit: 1g", "mem_limit", "set resource limits under `deploy.resources`"),
    ("    extends: {service: a}", "extends", "`extends` is not supported"),
    ("    cpus: 2", "cpus", "no such key"),
    ("    ulimits: {nofile: {soft: 1}}", "ulimits.nofile.hard", "is missing"),
    ("    env_file: none.env", "env_file", "there is no file"),
    ("    init: 1", "init", "must be true or false, not 1"),
    ("  db: {image: [a]}", "db.image", "must be text (in quotes), not a list"),
    ("  db:", "db", "must be a mapping, not nothing"),
    ("  'a b': {image: x}", "a b", "letters, digits, dots"),
    ("volume: {}", "^volume", "no such key; did you mean 'volumes'?"),
    ("volumes: {a: {external: true, driver: local}}", "^volumes.a.driver", "contradicts"),
    ("networks: [a]", "^networks", "must be a mapping of names"),
    ("networks: {a: {external: {id: 1}}}", "^networks.a.external", "a mapping with a name"),
    ("version: 3.8", "^version", 'must be text: write "3.8", in quotes'),
    ("version: '2.4'", "^version", "'2.4' is not supported"),
    (
        "    deploy: {rollback_config: {}}\nversion: '3.3'",
        "deploy.rollback_config",
        "needs version 3.7, and this file says 3.3",
    ),
    (
        "    ports: []\nconfigs: {a: {file: 1.yml, name: b}}\nversion: '3.4'",
        "^configs.a.name",
        "needs version 3.5",
    ),
]
#: What docker would find out later, when half of the stack is there, or not at all.
STRICTER = [
    ("    networks: [frnt]\nnetworks: {front: {}}", "networks.frnt", "defined are front"),
    ("    volumes: ['data:/data']", "volumes[0]", "undefined volume 'data'"),
    ("    volumes: [{type: bind, target: /a}]", "volumes[0].source", "is missing"),
    ("    volumes: [{type: tmpfs, source: a}]", "volumes[0].source", "a tmpfs has no source"),
    (
        "    volumes: [{type: tmpfs, target: /a, bind: {}}]",
        "volumes[0].bind",
        "is for a mount of type bind, and this is tmpfs",
    ),
    ("    configs: [a]", "configs[0]", "undefined config 'a'"),
    ("    secrets: [a]", "secrets[0]", "undefined secret 'a'"),
    (
        "    configs: [a, {source: b, target: a}]\nconfigs: {a: &a {file: 1.yml}, b: *a}",
        "configs[1]",
        "another config has the same target, a",
    ),
    ("    configs: [{source: a, taret: t}]", "configs[0].taret", "did you mean 'target'?"),
    ("configs: {a: {file: none.txt}}", "^configs.a.file", "there is no file"),
    ("configs: {a: {}}", "^configs.a", "needs a `file:`"),
    ("  db: {build: .}", "db.image", "is missing; a service needs an image; `build` is ignored"),
    ("  db: {image: 'lab/NO Such'}", "db.image", "is not the name of an image"),
    ("    deploy: {mode: global, replicas: 2}", "deploy.replicas", "contradicts `mode: global`"),
    ("    deploy: {mode: globl}", "deploy.mode", "did you mean 'global'?"),
    ("    deploy: {replicas: -1}", "deploy.replicas", "must be 0 or more, not -1"),
    (
        "    deploy: {update_config: {max_failure_ratio: 20}}",
        "deploy.update_config.max_failure_ratio",
        "must be at most 1.0, not 20",
    ),
    (
        "    deploy: {update_config: {failure_action: rolback}}",
        "deploy.update_config.failure_action",
        "did you mean 'rollback'?",
    ),
    (
        "    deploy: {placement: {constraints: [node.role=manager]}}",
        "deploy.placement.constraints[0]",
        "with == or !=",
    ),
    (
        "    ports: ['80:80']\n    deploy: {endpoint_mode: dnsrr}",
        "deploy.endpoint_mode",
        "publish the ports with `mode: host`",
    ),
    ("    restart: sometimes", "restart", "must be no, always"),
    ("    healthcheck: {test: a, disable: true}", "healthcheck", "contradict"),
    ("    extra_hosts: [db]", "extra_hosts", "must be NAME:ADDRESS, not 'db'"),
    ("    credential_spec: {file: a, registry: b}", "credential_spec", "has file and registry"),
]


def placed(path: str) -> str:
    """A path as the file has it: under `web`, beside it, or at the top (`^`)."""
    if path.startswith("^"):
        return path[1:]
    return f"services.{path}" if path.startswith(("db", "a b")) else f"services.web.{path}"


@pytest.mark.parametrize(("more", "path", "what"), REFUSED + STRICTER)
def test_a_mistake_is_found_under_its_path(tmp_path: Path, more: str, path: str, what: str) -> None:
    said = problems(tmp_path, GOOD + more)
    assert list(said) == [placed(path)]
    assert what in said[placed(path)]


@pytest.mark.skipif(not shutil.which("docker"), reason="compares with the docker command line")
@pytest.mark.parametrize("more", [more for more, _, _ in REFUSED])
def test_docker_refuses_it_as_well(tmp_path: Path, more: str) -> None:
    (tmp_path / "1.yml").write_text(GOOD + more)
    ran = subprocess.run(
        ["docker", "stack", "config", "-c", str(tmp_path / "1.yml")], capture_output=True
    )
    assert ran.returncode != 0


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
    assert list(said) == ["2.yml: services.web.portz", "3.yml: line 1, column 5"]


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
def test_a_stacks_name_that_swarm_would_refuse_is_no_fault_of_the_file(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadValue, match=f"not {name!r}"):
        load(tmp_path, GOOD).specs(name)


# ---- what is taken ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("sh -c 'a b'", ["sh", "-c", "a b"]),
        ('a"b c"d', ["ab cd"]),
        (r'"a\"b" c\ d', ['a"b', "c d"]),
        ("a # comment\nb", ["a", "b"]),
        ("a#b", ["a#b"]),
        ("'' x", ["", "x"]),
        ("", []),
    ],
)
def test_a_command_is_split_as_a_shell_splits_it(text: str, words: list[str]) -> None:
    assert shorthand.words(text) == words


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("1024", 1024),
        ("1k", 1024),
        ("50M", 50 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("2 gb", 2**31),
        ("7b", 7),
    ],
)
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
