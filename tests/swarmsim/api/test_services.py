"""Services over the API: how a spec is stored and shown, what is refused, lists and filters."""

from typing import Any

import pytest

from swarmsim import Engine
from tests.claims import each_claim
from tests.swarmsim.raw import Raw, Reply
from tests.waiting import until

IMAGE = "acts/web:1.0"
TEMPLATE = {"ContainerSpec": {"Image": IMAGE}}


def spec(name: str = "web", **more: Any) -> dict[str, Any]:
    return {"Name": name, "TaskTemplate": TEMPLATE, **more}


def of_container(**more: Any) -> dict[str, Any]:
    return spec(TaskTemplate={"ContainerSpec": {"Image": IMAGE, **more}})


def of_task(**more: Any) -> dict[str, Any]:
    return spec(TaskTemplate={**TEMPLATE, **more})


def made(raw: Raw, body: dict[str, Any]) -> dict[str, Any]:
    """Create a service and return what the engine has of it."""
    reply = raw.post("/services/create", body)
    assert reply.status == 201, reply.body
    return raw.get(f"/services/{reply.json['ID']}").json


def update(raw: Raw, service: str, body: Any, **query: Any) -> Reply:
    """Update a service in its present version."""
    version = raw.get(f"/services/{service}").json["Version"]["Index"]
    return raw.post(f"/services/{service}/update", body, version=version, **query)


# ---- how a spec is shown -------------------------------------------------------------


def test_ports_are_given_out_from_30000_a_moment_after_the_service_is_made(raw: Raw):
    asked = [{"TargetPort": 80}, {"TargetPort": 81, "PublishMode": "host"}, {"TargetPort": 82}]
    made(raw, spec(EndpointSpec={"Ports": asked}))
    endpoint = until(lambda: raw.get("/services/web").json["Endpoint"].get("Ports"), "ports")
    assert [port.get("PublishedPort") for port in endpoint] == [30000, None, 30001]
    assert "PublishedPort" not in raw.get("/services/web").json["Spec"]["EndpointSpec"]["Ports"][0]


def test_a_service_without_ports_and_networks_has_an_empty_endpoint(raw: Raw):
    shown = made(raw, spec(EndpointSpec={"Mode": "dnsrr"}))
    assert shown["Endpoint"] == {"Spec": {}}
    assert shown["CreatedAt"] == shown["UpdatedAt"]


def test_a_service_whose_ports_were_taken_back_keeps_the_mode_of_its_endpoint(raw: Raw):
    made(raw, spec(EndpointSpec={"Ports": [{"TargetPort": 80}]}))
    until(lambda: "Ports" in raw.get("/services/web").json["Endpoint"], "ports")
    assert update(raw, "web", spec(EndpointSpec={})).status == 200
    endpoint = {"Spec": {"Mode": "vip"}}
    until(lambda: raw.get("/services/web").json["Endpoint"] == endpoint, "no ports")


def test_a_network_is_stored_by_its_id_and_gives_addresses(raw: Raw):
    network = raw.post("/networks/create", {"Name": "net", "Driver": "overlay"}).json["Id"]
    shown = made(raw, of_task(Networks=[{"Target": "net"}]))
    vip = until(lambda: raw.get("/services/web").json["Endpoint"].get("VirtualIPs"), "an address")
    task = raw.get("/tasks").json[0]

    assert shown["Spec"]["TaskTemplate"]["Networks"] == [{"Target": network}]
    assert vip == [{"NetworkID": network, "Addr": "10.0.1.2/24"}]
    assert task["NetworksAttachments"][0]["Addresses"] == ["10.0.1.3/24"]


# ---- what is refused: see also `tests/conformance/refusals.yaml` -----------------------


def test_a_rollback_config_is_not_looked_at(raw: Raw):
    body = spec(RollbackConfig={"MaxFailureRatio": 1.5, "FailureAction": "rollback", "Delay": -1})
    assert raw.post("/services/create", body).status == 201


# ---- updates -------------------------------------------------------------------------


def test_an_update_is_refused_for_the_first_thing_that_is_wrong_in_mobys_order(raw: Raw):
    """Each request mends what the one before was refused for, and leaves the rest wrong."""
    made(raw, spec())
    wrong = spec(
        "other",
        UpdateConfig={"FailureAction": "x", "Delay": -1},
        Mode={"Global": {}},
        TaskTemplate={**TEMPLATE, "Networks": [{"Target": "nope"}]},
    )
    target, said = "/services/nope/update", []

    def ask(body: Any, **query: Any) -> None:
        reply = raw.send(
            "POST", target + ("?" + "&".join(f"{k}={v}" for k, v in query.items())), body
        )
        said.append((reply.status, reply.message.removeprefix("rpc error: code = ")))

    ask(wrong, version="x", rollback="x")
    ask(wrong, version=1, rollback="x")
    wrong["TaskTemplate"] = TEMPLATE
    ask(wrong, version=1, rollback="x")
    wrong["UpdateConfig"] = {"Delay": -1}
    ask(wrong, version=1, rollback="x")
    target = "/services/web/update"
    ask(wrong, version=1, rollback="x")
    ask(wrong, version=1, rollback="previous")
    wrong["UpdateConfig"] = {}
    ask(wrong, version=1, rollback="previous")
    wrong["Mode"] = {}
    ask(wrong, version=1, rollback="previous")
    wrong["Name"] = "web"
    ask(wrong, version=1, rollback="previous")
    ask(wrong, version=1)

    service = raw.get("/services/web").json["ID"]
    assert said == [
        (400, "invalid service version 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        (500, "network nope not found"),
        (400, "unrecognized update failure action x"),
        (404, "service nope not found"),
        (500, "unrecognized rollback option x"),
        (400, "InvalidArgument desc = TaskSpec: update-delay cannot be negative"),
        (501, "Unimplemented desc = service mode change is not allowed"),
        (501, "Unimplemented desc = renaming services is not supported"),
        (400, f"FailedPrecondition desc = service {service} does not have a previous spec"),
        (500, "Unknown desc = update out of sequence"),
    ]


def running(raw: Raw, name: str) -> int:
    services = raw.get("/services", status="true", filters={"name": {name: True}}).json
    return services[0]["ServiceStatus"]["RunningTasks"]


# ---- finding and removing ------------------------------------------------------------


def test_a_beginning_that_several_have_is_ambiguous(raw: Raw):
    ids = [made(raw, spec(f"web{number}"))["ID"] for number in range(37)]
    start = next(it[0] for it in ids if sum(other[0] == it[0] for other in ids) > 1)
    matches = sum(it[0] == start for it in ids)
    reply = raw.get(f"/services/{start}")
    assert reply.status == 400
    assert reply.message == f"service {start} is ambiguous ({matches} matches found)"


@each_claim(__file__, "services", "filters", "names")
def test_filters_of_a_list(raw: Raw, filters: dict[str, Any], names: list[str]):
    made(raw, spec("web", Labels={"a": "1"}))
    made(raw, spec("worker", Mode={"Global": {}}))
    found = raw.get("/services", filters=filters).json
    assert sorted(service["Spec"]["Name"] for service in found) == names


# ---- tasks ---------------------------------------------------------------------------


def test_a_task_without_its_image_is_rejected_with_an_empty_container_status(raw: Raw):
    raw.post("/services/create", of_container(Image="missing/image:1"))
    tasks = until(lambda: raw.get("/tasks").json, "a task")
    until(lambda: raw.get(f"/tasks/{tasks[0]['ID']}").json["Status"]["State"] == "rejected", "it")
    status = raw.get(f"/tasks/{tasks[0]['ID']}").json["Status"]
    assert status["Err"] == "No such image: missing/image:1"
    assert status["ContainerStatus"] == {"ContainerID": "", "PID": 0, "ExitCode": 0}


# ---- rolled back to what is gone ---------------------------------------------------------


def updated(raw: Raw, first: dict[str, Any]) -> None:
    """Make a service, and update it to a spec that has nothing of the first but its image."""
    made(raw, first)
    until(lambda: raw.get("/tasks").json[0]["Status"]["State"] == "running", "the first task")
    assert update(raw, "web", spec()).status == 200
    until(lambda: state_of_update(raw) == "completed", "the update")


def state_of_update(raw: Raw) -> str:
    return raw.get("/services/web").json.get("UpdateStatus", {}).get("State", "")


@pytest.mark.parametrize("kind", ["secret", "config"])
def test_a_rollback_to_a_spec_whose_secret_or_config_is_gone_fails_and_is_paused(raw, kind):
    """As when a rotated secret is removed, and the update that used the new one is taken back."""
    blob = raw.post(f"/{kind}s/create", {"Name": "old", "Data": "aGk="}).json["ID"]
    of = kind.capitalize()
    file = {"Name": "x", "UID": "0", "GID": "0", "Mode": 292}
    reference = {f"{of}ID": blob, f"{of}Name": "old", "File": file}
    updated(raw, of_container(**{f"{of}s": [reference]}))
    assert raw.send("DELETE", f"/{kind}s/old").status == 204

    assert update(raw, "web", spec(), rollback="previous").status == 200
    until(lambda: state_of_update(raw) == "rollback_paused", "the rollback to fail")
    failed = [each for each in raw.get("/tasks").json if each["Status"]["State"] == "failed"]
    assert {each["Status"]["Err"] for each in failed} == {
        f"starting container failed: unable to get {kind} from {kind} store: "
        f"{kind} {blob} not found"
    }


def test_a_task_of_a_network_that_is_gone_stays_new(raw: Raw, engine: Engine):
    network = {"Name": "net", "Driver": "overlay"}
    net = raw.post("/networks/create", network).json["Id"]
    updated(raw, of_task(Networks=[{"Target": net}]))
    until(lambda: raw.send("DELETE", "/networks/net").status == 204, "the network to be free")

    assert update(raw, "web", spec(), rollback="previous").status == 200
    engine.advance(60)
    newest = max(raw.get("/tasks").json, key=lambda each: each["CreatedAt"])
    assert newest["Status"]["State"] == "new"
