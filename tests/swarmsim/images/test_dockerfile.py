"""Dockerfiles are read as the classic builder reads them, mistakes in its words.

What is expected here was seen on Docker Engine 20.10.24.
"""

from __future__ import annotations

import re

import pytest

from swarmsim.images.build import dockerfile, healthcheck, words
from swarmsim.images.problems import BadDockerfile, StepFailed

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the Dockerfile (Dockerfile) cannot be empty"),
        ("# only\n", "failed to parse Dockerfile: file with no instructions"),
        ("FOO a\n", "dockerfile parse error line 1: unknown instruction: FOO"),
        ("FROM a\n\n# c\nCPOY a b\n", "dockerfile parse error line 4: unknown instruction: CPOY"),
        ("CMD x\n", "no build stage in current context"),
        ("FROM\n", "dockerfile parse error line 1: FROM requires either one or three arguments"),
        ("FROM a AS\n",
         "dockerfile parse error line 1: FROM requires either one or three arguments"),
        ("FROM a AS 1b\n", 'dockerfile parse error line 1: invalid name for build stage: "1b", '
         "name can't start with a number or contain symbols"),
        ("FROM a\nCOPY x\n", "dockerfile parse error line 2: COPY requires at least two arguments, "
         "but only one was provided. Destination could not be determined"),
        ("FROM a\nCOPY --from x y z\n",
         "dockerfile parse error line 2: Missing a value on flag: from"),
        ("FROM a\nCOPY --foo=1 y z\n", "dockerfile parse error line 2: Unknown flag: foo"),
        ("FROM a\nENV\n", "dockerfile parse error line 2: ENV requires at least one argument"),
        ("FROM a\nENV a\n", "failed to parse Dockerfile: ENV must have two arguments"),
        ("FROM a\nENV a=b c\n", "failed to parse Dockerfile: Syntax error - can't find = in \"c\". "
         "Must be of the form: name=value"),
        ("FROM a\nENV a=b =c\n", "dockerfile parse error line 2: ENV names can not be blank"),
        ("FROM a\nWORKDIR\n",
         "dockerfile parse error line 2: WORKDIR requires exactly one argument"),
        ("FROM a\nSHELL x\n",
         "dockerfile parse error line 2: SHELL requires the arguments to be in JSON form"),
        ('FROM a\nVOLUME [""]\n',
         "dockerfile parse error line 2: VOLUME specified can not be an empty string"),
        ("FROM a\nONBUILD FROM b\n",
         "dockerfile parse error line 2: FROM isn't allowed as an ONBUILD trigger"),
        ("# escape=x\nFROM a\n",
         "failed to parse Dockerfile: invalid escape token 'x' does not match ` or \\"),
        ("FROM a\nHEALTHCHECK --interval=3x CMD a\n",
         'dockerfile parse error line 2: time: invalid duration "3x"'),
        ("FROM a\nFOO\nENV b\n", "failed to parse Dockerfile: ENV must have two arguments"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_as_docker_says_it(text, message):
    """The first pass over the whole file comes before the second."""
    with pytest.raises(BadDockerfile) as caught:
        dockerfile.read(text)
    assert caught.value.message == message
    assert caught.value.status == 400


def test_a_heredoc_is_refused_with_the_reason():
    """To the classic builder its lines are instructions."""
    with pytest.raises(BadDockerfile) as caught:
        dockerfile.read("FROM a\nCOPY <<EOF /x\nhi\nEOF\n")
    assert caught.value.message == (
        "dockerfile parse error line 3: unknown instruction: HI "
        "(line 2 has a heredoc, which needs BuildKit)"
    )


def test_lines_are_joined_and_comments_and_directives_left_out():
    file = dockerfile.read(
        '# escape=`\nARG X=1\nFROM a AS one\nRUN b `\n# inside\n  c\nfrom one\nCMD [ "x" ]\n'
    )
    assert [each.text for each in file.arguments] == ["ARG X=1"]
    first, second = file.stages
    assert (first.name, [step.text for step in first.steps]) == ("one", ["RUN b   c"])
    assert second.steps[0].arguments == ("x",)
    assert second.steps[0].is_json


def test_a_list_that_is_no_json_is_for_the_shell():
    step = dockerfile.read('FROM a\nCMD ["a", b]\n').stages[0].steps[0]
    assert (step.arguments, step.is_json) == (('["a", b]',), False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$a", "1"),
        ("${a}x", "1x"),
        ('"$a $b"', "1 "),
        ("'$a'", "$a"),
        (r"\$a", "$a"),
        (r'"\$a\n"', r"$a\n"),
        ("${b:-c}", "c"),
        ("${e:-c}", "c"),
        ("${e-c}", ""),
        ("${a:+c}", "c"),
        ("${b:+c}", ""),
        ("${b:-${a}}", "1"),
        ("$", "$"),
        ("a b", "a b"),
    ],
)
def test_variables_are_put_in_as_in_a_shell(text, value):
    assert words.expand(text, {"a": "1", "e": ""}) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${", "syntax error: missing '}'"),
        ("${}", "syntax error: bad substitution"),
        ("${b", "missing ':' in substitution"),
        ("${b?err}", "b: err"),
        ("${b:q}", "unsupported modifier (q) in substitution"),
        ('"', "unexpected end of statement while looking for matching double-quote"),
        ("'", "unexpected end of statement while looking for matching single-quote"),
    ],
)
def test_what_is_no_word_is_said_as_docker_says_it(text, message):
    with pytest.raises(StepFailed) as caught:
        words.expand(text, {})
    quoted = text.replace('"', '\\"')
    assert caught.value.message == f'failed to process "{quoted}": {message}'


@pytest.mark.parametrize(
    ("flags", "rest", "found"),
    [
        ({}, "NONE", {"Test": ["NONE"]}),
        ({}, "CMD curl x || exit 1", {"Test": ["CMD-SHELL", "curl x || exit 1"]}),
        ({}, 'CMD ["a", "b"]', {"Test": ["CMD", "a", "b"]}),
        (
            {"interval": "5s", "timeout": "500ms", "start-period": "1m", "retries": "2"},
            "cmd a",
            {
                "Test": ["CMD-SHELL", "a"],
                "Interval": 5 * SECOND,
                "Timeout": SECOND // 2,
                "StartPeriod": 60 * SECOND,
                "Retries": 2,
            },
        ),
    ],
)
def test_a_healthcheck_is_what_an_images_config_has(flags, rest, found):
    assert healthcheck.read(flags, rest) == found


@pytest.mark.parametrize(
    ("flags", "rest", "message"),
    [
        ({}, "FOO a", 'Unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ({}, "CMD", "Missing command after HEALTHCHECK CMD"),
        ({}, "NONE a", "HEALTHCHECK NONE takes no arguments"),
        ({"retries": "0"}, "CMD a", "--retries must be at least 1 (not 0)"),
        ({"retries": "x"}, "CMD a", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ({"interval": "3"}, "CMD a", 'time: missing unit in duration "3"'),
        ({"interval": "abc"}, "CMD a", 'time: invalid duration "abc"'),
        ({"timeout": "0.1ms"}, "CMD a", 'Interval "timeout" cannot be less than 1ms'),
    ],
)
def test_a_healthcheck_that_is_none_is_said_as_docker_says_it(flags, rest, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        healthcheck.read(flags, rest)
