"""Templates in a container spec: filled in, or refused before there is a task."""

from typing import Any

import pytest

from swarmsim.runtime import templates
from swarmsim.runtime.templates import OF_NO_TASK, BadTemplate
from tests.claims import each_claim


@each_claim(__file__, "refused", "container", "message")
def test_a_template_that_is_not_expanded_is_refused(container: dict[str, Any], message: str):
    with pytest.raises(BadTemplate, match=r"expands only fields such as {{\.Task\.Slot}}") as told:
        templates.expanded(container, OF_NO_TASK)
    assert str(told.value).startswith(message)


@each_claim(__file__, "fine", "container")
def test_what_can_be_expanded_or_is_not_looked_at(container: dict[str, Any]):
    templates.expanded(container, OF_NO_TASK)


def test_environment_mounts_and_hostname_are_filled_in():
    container = {
        "Env": ["SLOT={{.Task.Slot}}", "{{.Task.Slot}}", "A={{ .Service.Name }}@{{.Node.ID}}"],
        "Mounts": [{"Source": "/v/{{.Task.Slot}}", "Target": '/{{index .Service.Labels "a"}}'}],
        "Hostname": '{{.Node.Hostname}}-{{.Service.Labels.a}}{{index .Service.Labels "no"}}',
        "Args": ["{{.Task.Slot}}"],
    }
    given = {".Service.Name": "w", ".Service.Labels.a": "b", ".Node.Hostname": "n"}

    assert templates.expanded(container, OF_NO_TASK | given | {".Task.Slot": "7"}) == {
        "Env": ["SLOT=7", "{{.Task.Slot}}", "A=w@"],
        "Mounts": [{"Source": "/v/7", "Target": "/b"}],
        "Hostname": "n-b",
        "Args": ["{{.Task.Slot}}"],
    }
