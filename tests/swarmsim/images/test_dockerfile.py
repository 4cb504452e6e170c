"""Dockerfiles are read as the classic builder reads them, mistakes in its words.

What is expected here was seen on Docker Engine 20.10.24.
"""

import re

import pytest

from swarmsim.images.build import dockerfile, healthcheck, words
from swarmsim.images.build.words import BadDockerfile, StepFailed
from tests.claims import each_claim

SECOND = 10**9


@each_claim(__file__, "mistakes", "text", "message")
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
        '# syntax=x\nARG X=1\nfrom a AS one\nRUN b \\\n# inside\n  c\nCMD [ "x" ]\n'
    )
    assert [each.text for each in file.arguments] == ["ARG X=1"]
    run, command = file.steps
    assert (file.base.arguments[0], run.text) == ("a", "RUN b   c")
    assert (command.arguments, command.is_json) == (("x",), True)


def test_a_list_that_is_no_json_is_for_the_shell():
    step = dockerfile.read('FROM a\nCMD ["a", b]\n').steps[0]
    assert (step.arguments, step.is_json) == (('["a", b]',), False)


@each_claim(__file__, "variables", "text", "value")
def test_variables_are_put_in_as_in_a_shell(text, value):
    assert words.expand(text, {"a": "1", "e": ""}) == value


@each_claim(__file__, "no_words", "text", "message")
def test_what_is_no_word_is_said_as_docker_says_it(text, message):
    with pytest.raises(StepFailed) as caught:
        words.expand(text, {})
    quoted = text.replace('"', '\\"')
    assert caught.value.message == f'failed to process "{quoted}": {message}'


@each_claim(__file__, "healthchecks", "flags", "rest", "found")
def test_a_healthcheck_is_what_an_images_config_has(flags, rest, found):
    assert healthcheck.read(flags, rest) == found


@each_claim(__file__, "no_healthchecks", "flags", "rest", "message")
def test_a_healthcheck_that_is_none_is_said_as_docker_says_it(flags, rest, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        healthcheck.read(flags, rest)
