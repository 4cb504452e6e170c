"""What changes from one version of the Engine API to the next, on both engines.

A newer engine shows some of its new fields to clients of all versions, and the simulated one
to those of the version that came with them. So what is compared is what an engine itself
makes of a version: whatever changes there on a real engine changes on the simulated one.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from swarmsim.api.versions import MIN_API_VERSION
from tests.conformance.engines import Engine, seconds
from tests.waiting import until

pytestmark = pytest.mark.engine

NAME = "c-versions"
#: What is asked of an engine; `<container>` and `<image>` are the service's.
PATHS: dict[str, dict[str, Any]] = {
    "/info": {},
    "/services": {"filters": {"name": [NAME]}, "status": "true"},
    f"/services/{NAME}": {},
    "/tasks": {"filters": {"service": [NAME]}},
    "/networks/bridge": {},
    "/containers/json": {"filters": {"label": [f"com.docker.swarm.service.name={NAME}"]}},
    "/containers/<container>/json": {},
    "/images/json": {"filters": {"reference": ["<image>"]}},
    "/images/<image>/json": {},
    "/system/df": {},
}
#: Of the runtime, containerd, the firewall and the kernel, which the simulated engine has not.
NOT_SIMULATED = (".Runtimes.", ".Containerd", ".FirewallBackend", ".SecurityOptions", ".Execution")
SPEC = {
    "Healthcheck": {"Test": ["NONE"], "StartPeriod": 1000000000, "StartInterval": 1000000000},
    "Sysctls": {"net.core.somaxconn": "100"},
    "CapabilityAdd": ["CAP_NET_RAW"],
    "Ulimits": [{"Name": "nofile", "Hard": 1000, "Soft": 1000}],
    "OomScoreAdj": 5,
}


@pytest.fixture(scope="module")
def asked(real: Engine, simulated: Engine) -> Iterator[dict[str, dict[str, str]]]:
    """The service on both engines, and what stands for its parts in a path."""
    engines = (real, simulated)
    for engine in engines:
        template = {"ContainerSpec": {"Image": engine.image()}}
        made = engine.call("POST", "/services/create", {"Name": NAME, "TaskTemplate": template})
        assert made.status == 201, made
    yield {engine.name: _parts(engine) for engine in engines}
    for engine in engines:
        engine.call("DELETE", f"/services/{NAME}")


def _parts(engine: Engine) -> dict[str, str]:
    query = PATHS["/containers/json"]
    until(lambda: engine.get("/containers/json", **query), "a container of the service")
    return {
        "<container>": engine.get("/containers/json", **query)[0]["Id"],
        "<image>": engine.image(),
    }


def versions(real: Engine) -> list[str]:
    """Return the versions that both engines speak."""
    about = real.get("/version")
    first, last, least = (
        int(version.removeprefix("1."))
        for version in (about["MinAPIVersion"], about["ApiVersion"], MIN_API_VERSION)
    )
    return [f"1.{minor}" for minor in range(max(first, least), last + 1)]


def changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield which fields came, and which went, from one document to another."""
    if isinstance(before, list) and isinstance(after, list) and before and after:
        yield from changes(before[0], after[0], path)
    elif isinstance(before, dict) and isinstance(after, dict):
        yield from (f"-{path}.{key}" for key in before.keys() - after.keys())
        yield from (f"+{path}.{key}" for key in after.keys() - before.keys())
        for key in before.keys() & after.keys():
            yield from changes(before[key], after[key], f"{path}.{key}")


def by_version(found: list[tuple[str, Any]]) -> set[str]:
    """Return all changes in one path, each with the version that it came with."""
    return {
        f"{version}: {each}"
        for (_, before), (version, after) in pairwise(found)
        for each in changes(before, after)
        if not any(part in each for part in NOT_SIMULATED)
    }


@pytest.mark.parametrize("path", PATHS)
def test_answers_change_with_a_version_as_they_do_on_a_real_engine(real, simulated, asked, path):
    def shown(engine: Engine) -> set[str]:
        at, query = path, json.dumps(PATHS[path])
        for word, part in asked[engine.name].items():
            at, query = at.replace(word, part), query.replace(word, part)
        asking: dict[str, Any] = json.loads(query)
        found = [(it, engine.get(at, api_version=it, **asking)) for it in versions(real)]
        return by_version(found)

    # other tests may make or remove something between two answers
    until(lambda: shown(real) <= shown(simulated), "no change but those of versions")


def test_specs_are_read_by_the_version_of_their_client(real: Engine, simulated: Engine) -> None:
    def stored(engine: Engine) -> set[str]:
        specs = []
        for version in versions(real):
            body = {
                "Name": f"{NAME}-{version.replace('.', '-')}",
                "TaskTemplate": {
                    "ContainerSpec": {"Image": engine.image(), **SPEC},
                    "Placement": {"MaxReplicas": 3},
                    "Resources": {"Limits": {"MemoryBytes": 100000000, "Pids": 100}},
                },
                "Mode": {"Replicated": {"Replicas": 0}},
            }
            made = engine.call("POST", "/services/create", body, api_version=version)
            assert made.status == 201, made
            specs.append((version, engine.get(f"/services/{made.body['ID']}")["Spec"]))
            engine.call("DELETE", f"/services/{made.body['ID']}")
        return by_version(specs)

    found = stored(real)
    assert "1.40: +.TaskTemplate.Placement.MaxReplicas" in found
    assert found <= stored(simulated)


def test_logs_say_their_type_from_1_42_on(real: Engine, simulated: Engine) -> None:
    def types(engine: Engine) -> dict[str, str]:
        return {
            it: engine.call(
                "GET", f"/services/{NAME}/logs", stdout="1", api_version=it
            ).headers.get("Content-Type", "")
            for it in versions(real)
            if int(it.removeprefix("1.")) >= 42
        }

    assert types(real) == types(simulated)


def test_probes_come_at_the_start_interval_since_1_44(real: Engine, simulated: Engine) -> None:
    check = {"Test": ["CMD", "python", "-c", ""], "Interval": seconds(100)}
    check |= {"StartPeriod": seconds(90), "StartInterval": seconds(1)}
    knows_it = "1.44" in versions(real)
    for engine in (real, simulated) if knows_it else (simulated,):
        spec = {"ContainerSpec": {"Image": engine.image(), "Healthcheck": check}}
        body = {"Name": f"{NAME}-health", "TaskTemplate": spec}
        made = engine.call("POST", "/services/create", body, api_version="1.44")
        assert made.status == 201, made
        try:
            tasks = {"filters": {"service": [made.body["ID"]], "desired-state": ["running"]}}
            until(
                lambda engine=engine, tasks=tasks: (
                    [  # type: ignore[misc]
                        it["Status"]["State"] for it in engine.get("/tasks", **tasks)
                    ]
                    == ["running"]
                ),
                "a task that runs, and so is healthy",
            )
        finally:
            engine.call("DELETE", f"/services/{made.body['ID']}")
