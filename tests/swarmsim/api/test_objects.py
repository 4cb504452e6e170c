"""Networks, configs, secrets, nodes, containers and the swarm itself, over the API."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from swarmsim.engine.volumes import Volumes
from tests.claims import each_claim
from tests.swarmsim.api.test_services import made, of_container, of_task, running, spec
from tests.swarmsim.raw import Raw
from tests.waiting import until

HI = "aGk="


# ---- networks ------------------------------------------------------------------------


def test_an_engine_has_its_networks_and_the_swarms(raw: Raw):
    found = {(it["Name"], it["Driver"], it["Scope"]) for it in raw.get("/networks").json}

    assert found == {
        ("ingress", "overlay", "swarm"),
        ("bridge", "bridge", "local"),
        ("docker_gwbridge", "bridge", "local"),
        ("host", "host", "local"),
        ("none", "null", "local"),
    }


def test_an_overlay_network_gets_a_subnet_and_a_vxlan_id(raw: Raw):
    reply = raw.post("/networks/create", {"Name": "net", "Driver": "overlay"})
    shown = raw.get("/networks/net").json
    assert (reply.status, reply.json.keys(), reply.json["Warning"]) == (201, {"Id", "Warning"}, "")
    assert shown["IPAM"]["Config"] == [{"Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1"}]
    assert shown["Options"] == {"com.docker.network.driver.overlay.vxlanid_list": "4097"}


def test_a_removed_network_is_still_listed_until_its_last_task_has_ended(raw: Raw):
    """The race of `stack rm` and an immediate `stack deploy`: the copy of the node is seen."""
    raw.post("/networks/create", {"Name": "net", "Driver": "overlay"})
    deaf = of_container(Image="acts/deaf:1", StopGracePeriod=5 * 10**9)
    deaf["TaskTemplate"]["Networks"] = [{"Target": "net"}]
    made(raw, deaf)
    until(lambda: running(raw, "web") == 1, "a task that runs")
    raw.delete("/services/web")
    removed = raw.delete("/networks/net")
    listed = [it["Name"] for it in raw.get("/networks", filters={"name": ["net"]}).json]
    again = raw.post("/services/create", of_task(Networks=[{"Target": "net"}]))

    assert (removed.status, listed) == (204, ["net"])
    assert (again.status, again.message) == (500, "network net not found")
    until(lambda: raw.get("/networks/net").status == 404, "the end of the last task")


def test_a_network_shows_the_containers_that_are_attached_here(raw: Raw):
    raw.post("/networks/create", {"Name": "net", "Driver": "overlay"})
    made(raw, of_task(Networks=[{"Target": "net"}]))
    until(lambda: running(raw, "web") == 1, "a task that runs")
    [container] = raw.get("/containers/json").json
    attached = raw.get("/networks/net").json["Containers"][container["Id"]]

    assert attached["IPv4Address"] == "10.0.1.3/24"
    assert attached["MacAddress"] == "02:42:0a:00:01:03"
    assert container["NetworkSettings"]["Networks"]["net"]["IPAddress"] == "10.0.1.3"


# ---- configs and secrets -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["config", "secret"])
def test_only_labels_can_be_changed(raw: Raw, kind: str):
    raw.post(f"/{kind}s/create", {"Name": "x", "Data": HI})
    version = raw.get(f"/{kind}s/x").json["Version"]["Index"]
    target = f"/{kind}s/x/update"
    data = raw.post(target, {"Name": "x", "Data": "aGo="}, version=version)
    stale = raw.post(target, {"Name": "x"}, version=version - 1)
    labels = raw.post(target, {"Name": "x", "Labels": {"a": "b"}}, version=version)

    assert data.message.endswith("only updates to Labels are allowed")
    assert (stale.status, stale.message) == (
        500,
        "rpc error: code = Unknown desc = update out of sequence",
    )
    assert labels.status == 200
    assert raw.get(f"/{kind}s/x").json["Spec"]["Labels"] == {"a": "b"}


def test_a_config_may_be_large(raw: Raw):
    data = "A" * (1_023_996 // 3 * 4)
    assert raw.post("/configs/create", {"Name": "x", "Data": data}).status == 201


# ---- nodes ---------------------------------------------------------------------------


def test_tasks_of_other_nodes_are_no_containers_of_this_engine(three: Raw):
    made(three, spec(Mode={"Global": {}}))
    until(lambda: running(three, "web") == 3, "a task on each node")
    assert len(three.get("/containers/json").json) == 1


@each_claim(__file__, "nodes", "filters", "count")
def test_filters_of_nodes(three: Raw, filters: Any, count: int):
    assert len(three.get("/nodes", filters=filters).json) == count


# ---- the swarm -----------------------------------------------------------------------


def test_a_swarm_can_be_made_left_and_made_again(alone: Raw):
    raw = alone
    nowhere = raw.get("/info").json["Swarm"]
    first = raw.post("/swarm/init", {"ListenAddr": "127.0.0.1"})
    made(raw, spec())
    again = raw.post("/swarm/init", {"ListenAddr": "127.0.0.1"})
    refused = raw.post("/swarm/leave")
    left = raw.post("/swarm/leave", force=1)
    gone = raw.get("/services").status
    second = raw.post("/swarm/init", {"ListenAddr": "127.0.0.1"})

    assert nowhere == {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    }
    assert (first.status, again.status, refused.status) == (200, 503, 503)
    assert (left.status, gone) == (200, 503)
    assert len(first.json) == 25
    assert first.json != second.json
    assert raw.get("/services").json == []


@each_claim(__file__, "addresses", "asked", "pool", "size")
def test_a_swarm_shows_the_addresses_that_it_was_asked_for(alone, asked, pool, size):
    """The docker command line sends an empty list of pools, and `docker info` shows none."""
    alone.post("/swarm/init", {"ListenAddr": "0.0.0.0", **asked})
    shown = alone.get("/swarm").json
    assert (shown["DefaultAddrPool"], shown["SubnetSize"]) == (pool, size)


def test_a_node_can_begin_drained(alone: Raw):
    alone.post("/swarm/init", {"ListenAddr": "0.0.0.0", "Availability": "drain"})
    assert [it["Spec"]["Availability"] for it in alone.get("/nodes").json] == ["drain"]


@pytest.mark.parametrize(
    ("asked", "query"),
    [({}, "&rotateWorkerToken=true"), ({"EncryptionConfig": {"AutoLockManagers": True}}, "")],
)
def test_a_swarm_that_no_node_joins_renews_no_tokens_and_is_never_locked(raw: Raw, asked, query):
    before = raw.get("/swarm").json
    target = f"/swarm/update?version={before['Version']['Index']}{query}"
    refused = raw.send("POST", target, before["Spec"] | asked)
    assert (refused.status, raw.get("/swarm").json) == (501, before)
    assert before["JoinTokens"]["Worker"].startswith("SWMTKN-1-")
    assert raw.get("/swarm/unlockkey").json == {"UnlockKey": ""}


# ---- containers ----------------------------------------------------------------------


@pytest.fixture
def container(raw: Raw) -> dict[str, Any]:
    """A container of a service's only task."""
    made(raw, spec())
    until(lambda: running(raw, "web") == 1, "a task that runs")
    return raw.get("/containers/json").json[0]


@each_claim(__file__, "containers", "filters", "count")
@pytest.mark.usefixtures("container")
def test_filters_of_containers(raw: Raw, filters: Any, count: int):
    assert len(raw.get("/containers/json", filters=filters).json) == count


def test_a_killed_container_is_a_failed_task_that_is_replaced(raw: Raw, container: dict[str, Any]):
    reply = raw.post(f"/containers/{container['Id'][:12]}/kill")
    failed = until(lambda: raw.get("/tasks", filters={"desired-state": ["shutdown"]}).json, "it")
    shown = raw.get(f"/containers/{container['Id']}/json").json

    assert reply.status == 204
    assert failed[0]["Status"]["Err"] == "task: non-zero exit (137)"
    assert (shown["State"]["Status"], shown["State"]["ExitCode"]) == ("exited", 137)
    until(lambda: running(raw, "web") == 1, "another task")
    assert raw.post(f"/containers/{container['Id']}/kill").status == 409


def test_a_container_is_stopped_with_its_signal_and_may_then_be_removed(raw, container):
    name = container["Names"][0].removeprefix("/")
    too_early = raw.delete(f"/containers/{name}")
    stopped = raw.post(f"/containers/{name}/stop", t=5)
    twice = raw.post(f"/containers/{name}/stop")
    removed = raw.delete(f"/containers/{name}")

    assert (too_early.status, stopped.status, twice.status, removed.status) == (409, 204, 304, 204)
    assert raw.get(f"/containers/{name}/json").message == f"No such container: {name}"


def test_a_container_is_stopped_with_the_signal_of_its_image(raw, client, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM python:3\nSTOPSIGNAL SIGINT\n")
    client.images.build(path=str(tmp_path), tag="acts/int:1")
    made(raw, of_container(Image="acts/int:1"))
    until(lambda: running(raw, "web") == 1, "a task that runs")
    [container] = client.containers.list()
    container.stop()
    soon = int(datetime.fromisoformat(raw.get("/info").headers["Labkit-Time"]).timestamp()) + 1
    [killed] = client.events(decode=True, since=1, until=soon, filters={"event": "kill"})

    assert killed["Actor"]["Attributes"]["signal"] == "2"


def test_waiting_for_a_container_gives_its_exit_code(raw: Raw):
    raw.post("/services/create", of_container(Image="acts/fail:2s"))
    [container] = until(lambda: raw.get("/containers/json").json, "a container")
    reply = raw.post(f"/containers/{container['Id']}/wait")
    assert reply.json == {"Error": None, "StatusCode": 1}


@pytest.mark.parametrize("name", ["SIGNOPE", "²", "0", "999", "SIG_DFL"])
def test_a_signal_that_there_is_none_of(raw: Raw, container: dict[str, Any], name: str):
    reply = raw.post(f"/containers/{container['Id']}/kill", signal=name)
    assert (reply.status, reply.message) == (400, f"Invalid signal: {name}")


def test_a_volume_with_a_name_outlives_its_service_and_one_without_does_not(raw: Raw):
    mounts = [
        {"Type": "volume", "Target": "/a"},
        {"Type": "volume", "Source": "vv", "Target": "/b"},
    ]
    made = raw.post("/services/create", of_container(Image="acts/web:1.0", Mounts=mounts)).json
    used = until(lambda: raw.get("/containers/json").json, "a container")
    both = raw.get("/volumes").json["Volumes"]
    refused = raw.send("DELETE", "/volumes/vv?force=1")
    counted = raw.get("/system/df").json["Volumes"]
    raw.send("DELETE", f"/services/{made['ID']}")
    until(lambda: not raw.get("/containers/json", all="1").json, "the container to go")
    left = raw.get("/volumes").json["Volumes"]

    assert [it["Destination"] for it in used[0]["Mounts"]] == ["/a", "/b"]
    assert {it["Name"] for it in both} == {it["Name"] for it in used[0]["Mounts"]}
    in_use = f"remove vv: volume is in use - [{used[0]['Id']}]"
    assert (refused.status, refused.message) == (409, in_use)
    assert [it["UsageData"]["RefCount"] for it in counted] == [1, 1]
    assert [it["Name"] for it in left] == ["vv"]
    assert raw.post("/volumes/prune").json["VolumesDeleted"] == []
    assert raw.post("/volumes/prune", filters={"all": ["1"]}).json["VolumesDeleted"] == ["vv"]


def test_a_later_engine_finds_the_volumes_of_an_earlier_one(tmp_path: Path):
    made = Volumes(tmp_path).make("vv", 5, labels={"a": "b"})
    (made.path / "file").write_text("kept")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "opts.json").write_text('{"created_at"')
    found = Volumes(tmp_path)

    assert found == {"vv": made}
    assert found["vv"].size() == len("kept")


def test_what_cannot_be_mounted_leaves_no_volume_behind(raw: Raw):
    mounts = [{"Type": "volume", "Target": "/a"}, {"Type": "volume", "Source": "v", "Target": "/b"}]
    raw.post("/services/create", of_container(Image="acts/web:1.0", Mounts=mounts))
    (task, *_) = until(
        lambda: [it for it in raw.get("/tasks").json if it["Status"].get("Err")], "a refusal"
    )

    assert task["Status"]["State"] == "rejected"
    assert "create v: volume name is too short" in task["Status"]["Err"]
    assert raw.get("/volumes").json["Volumes"] == []


def test_the_disk_usage_is_that_of_the_images_and_of_who_uses_them(raw: Raw, container: Any):
    used = raw.get("/system/df").json
    assert [it["Id"] for it in used["Containers"]] == [container["Id"]]
    assert used["LayersSize"] == sum(it["Size"] for it in used["Images"])


@pytest.mark.parametrize(
    ("path", "params", "what"),
    [
        ("/networks", {"filters": {"dangling": ["true"]}}, "no filter 'dangling'"),
        ("/containers/json", {"filters": {"ancestor": ["x"]}}, "no filter 'ancestor'"),
        ("/images/json", {"filters": {"since": ["x"]}}, "no filter 'since'"),
        ("/events", {"filters": {"image": ["x"]}, "until": "1"}, "no filter 'image'"),
        ("/networks/ingress", {"verbose": "1"}, "which services"),
    ],
)
def test_what_of_docker_s_lists_is_not_there_is_refused_with_a_sentence(raw, path, params, what):
    reply = raw.get(path, **params)
    assert reply.status == 501
    assert "a simulated engine" in reply.message
    assert what in reply.message


def test_the_ingress_network_stays(raw: Raw):
    asked = {"Name": "other", "Driver": "overlay", "Ingress": True}
    assert raw.post("/networks/create", asked).status == 501
    assert raw.delete("/networks/ingress").status == 501


@pytest.mark.parametrize("path", ["/networks/bridge/connect", "/networks/prune"])
def test_what_belongs_to_services_is_refused_with_a_sentence(raw: Raw, path: str):
    reply = raw.post(path)
    assert reply.status == 501
    assert "service" in reply.message


@pytest.mark.parametrize("what", ["start", "exec", "attach"])
def test_what_cannot_be_done_to_a_container_needs_one(raw: Raw, container: Any, what: str):
    assert raw.post(f"/containers/no/{what}").message == "No such container: no"
    assert raw.post(f"/containers/{container['Id']}/{what}").status == 501
