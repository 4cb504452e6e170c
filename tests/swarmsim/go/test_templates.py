"""Templates in a container spec: filled in, or refused for a task that does not exist.

Each message was given by a Docker Engine 20.10.24 for the same spec.
"""

from __future__ import annotations

from typing import Any

import pytest

from swarmsim.go import templates
from swarmsim.go.templates import BadTemplate, context

AT = 'template: expansion:1:{}: executing "expansion" at <{}>: '
FIELD = "can't evaluate field {} in type {}"
TASK = "struct { ID string; Name string; Slot string }"


def env(value: str, problem: str) -> tuple[dict[str, Any], str]:
    return {"Env": [f"A={value}"]}, f'expanding env failed: expanding env "A={value}": {problem}'


@pytest.mark.parametrize(
    ("container", "message"),
    [
        env("{{.Nope}}", AT.format(2, ".Nope") + FIELD.format("Nope", "*template.Context")),
        env("{{.Task.Slott}}", AT.format(7, ".Task.Slott") + FIELD.format("Slott", TASK)),
        env(
            "{{.Node.Platform.OS}}{{.Node.Platform.Foo}}",
            AT.format(28, ".Node.Platform.Foo") + FIELD.format("Foo", "template.Platform"),
        ),
        env(
            "{{.Task.Slot}} {{.Service.Labels.a}}",
            AT.format(25, ".Service.Labels.a") + 'map has no entry for key "a"',
        ),
        env("{{foo}}", 'template: expansion:1: function "foo" not defined'),
        env("{{", "template: expansion:1: unclosed action"),
        env("{{}}", "template: expansion:1: missing value for command"),
        env("{{.Service.Name}", "template: expansion:1: bad character U+007D '}'"),
        (
            {"Hostname": "{{.Foo}}"},
            "expanding hostname failed: "
            + AT.format(2, ".Foo")
            + FIELD.format("Foo", "*template.Context"),
        ),
        (
            {"Mounts": [{"Target": "/x", "Source": "{{.X}}"}]},
            'expanding mounts failed: expanding mount source "{{.X}}": '
            + AT.format(2, ".X")
            + FIELD.format("X", "*template.Context"),
        ),
    ],
)
def test_a_template_that_cannot_be_expanded(container: dict[str, Any], message: str):
    with pytest.raises(BadTemplate) as refused:
        templates.expanded(container, context({}, {}, {}))

    assert str(refused.value) == message


@pytest.mark.parametrize(
    "container",
    [
        {"Env": ["A={{.Task.Slot}}-{{.Node.Hostname}}-{{ .Service.Name }}", "{{if}}", "B"]},
        {"Env": ["A={{.Service.Name | join}}", "B=}}", "C=}"]},
        {"Hostname": "{{.Node}}"},
        {"Args": ["{{.Nope}}"]},
        {},
    ],
)
def test_what_can_be_expanded_or_is_not_looked_at(container: dict[str, Any]):
    templates.expanded(container, context({}, {}, {}))


def test_environment_mounts_and_hostname_are_filled_in():
    container = {
        "Env": ["SLOT={{.Task.Slot}}", "{{.Task.Slot}}", "A={{ .Service.Name }}@"],
        "Mounts": [{"Source": "/v/{{.Task.Slot}}", "Target": "/{{.Node.Hostname}}"}],
        "Hostname": "w-{{.Task.Slot}}-{{.Service.Labels.a}}",
        "Args": ["{{.Task.Slot}}"],
    }
    service = {"Name": "w", "Labels": {"a": "b"}}
    values = context(service, {"Hostname": "n"}, {"Slot": "7"})

    assert templates.expanded(container, values) == {
        "Env": ["SLOT=7", "{{.Task.Slot}}", "A=w@"],
        "Mounts": [{"Source": "/v/7", "Target": "/n"}],
        "Hostname": "w-7-b",
        "Args": ["{{.Task.Slot}}"],
    }
