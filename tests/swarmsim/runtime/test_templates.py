"""Templates in a container spec: filled in, or refused for a task that does not exist.

Each message was given by a Docker Engine 20.10.24 for the same spec.
"""

from typing import Any

import pytest

from swarmsim.runtime import templates
from swarmsim.runtime.templates import BadTemplate, context
from tests.claims import each_claim


@each_claim(__file__, "refused", "container", "message")
def test_a_template_that_cannot_be_expanded(container: dict[str, Any], message: str):
    with pytest.raises(BadTemplate) as refused:
        templates.expanded(container, context({}, {}, {}))
    assert str(refused.value) == message


@each_claim(__file__, "fine", "container")
def test_what_can_be_expanded_or_is_not_looked_at(container: dict[str, Any]):
    templates.expanded(container, context({}, {}, {}))


@pytest.mark.parametrize("template", ["{{if .Task.Slot}}a{{end}}", "{{.Service.Name | join}}"])
def test_what_is_not_simulated_is_refused_and_not_left_as_it_is(template: str):
    with pytest.raises(BadTemplate, match=r"expands only fields such as {{\.Task\.Slot}}"):
        templates.expanded({"Hostname": template}, context({}, {}, {}))


def test_environment_mounts_and_hostname_are_filled_in():
    container = {
        "Env": ["SLOT={{.Task.Slot}}", "{{.Task.Slot}}", "A={{ .Service.Name }}@{{.Service}}"],
        "Mounts": [{"Source": "/v/{{.Task.Slot}}", "Target": '/{{index .Service.Labels "a"}}'}],
        "Hostname": "{{.Node.Hostname}}-{{.Task.Slot}}-{{.Service.Labels.a}}",
        "Args": ["{{.Task.Slot}}"],
    }
    service = {"Name": "w", "Labels": {"c": "", "a": "b"}}
    values = context(service, {"Hostname": "n"}, {"Slot": "7"})

    assert templates.expanded(container, values) == {
        "Env": ["SLOT=7", "{{.Task.Slot}}", "A=w@{ w map[a:b c:]}"],
        "Mounts": [{"Source": "/v/7", "Target": "/b"}],
        "Hostname": "n-7-b",
        "Args": ["{{.Task.Slot}}"],
    }
