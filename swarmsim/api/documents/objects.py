"""Services, tasks, nodes, the swarm and volumes as the API shows them."""

from swarmsim.api.documents import CONSTANTS, Json, meta
from swarmsim.api.documents.networks import swarm_network_json
from swarmsim.api.specs import specs
from swarmsim.engine.allocation import Allocator
from swarmsim.engine.engine import Engine
from swarmsim.engine.networks import Networks
from swarmsim.engine.swarm import Swarm
from swarmsim.engine.volumes import ANONYMOUS, Volume
from swarmsim.go.times import SECOND, stamp
from swarmsim.model import Cluster, Node, Service, Task, states


def service_json(service: Service, *, defaults: bool = False) -> Json:
    """A service, as `GET /services/{id}` shows it."""
    spec = specs.with_defaults(service.spec) if defaults else service.spec
    shown = {**meta(service), "Spec": spec}
    if service.previous_spec is not None:
        shown["PreviousSpec"] = service.previous_spec
    shown["Endpoint"] = service.endpoint
    if status := service.update_status:
        shown["UpdateStatus"] = {"State": status.state, "StartedAt": stamp(status.started_at)}
        if status.completed_at is not None:
            shown["UpdateStatus"]["CompletedAt"] = stamp(status.completed_at)
        shown["UpdateStatus"]["Message"] = status.message
    return shown


def service_status(cluster: Cluster, service: Service) -> Json:
    """How many tasks run and how many should, as swarmkit's `ListServiceStatuses` counts."""
    tasks = cluster.tasks_of(service.id)
    replicas = (service.spec["Mode"].get("Replicated") or {}).get("Replicas")
    if replicas is None:
        replicas = sum(task.desired_state == "running" for task in tasks)
    running = sum(task.state == "running" for task in tasks)
    return {"RunningTasks": running, "DesiredTasks": replicas, "CompletedTasks": 0}


def task_json(task: Task, allocator: Allocator, networks: Networks) -> Json:
    """A task, as `GET /tasks/{id}` shows it."""
    shown = {**meta(task), "Labels": {}, "Spec": specs.of_task(task.spec)}
    shown["ServiceID"] = task.service_id
    if task.slot is not None:
        shown["Slot"] = task.slot
    if task.node_id:
        shown["NodeID"] = task.node_id
    shown["Status"] = _task_status(task)
    shown["DesiredState"] = task.desired_state
    attachments = [
        {
            "Network": swarm_network_json(networks[network_id]),
            **({"Addresses": [address]} if address else {}),
        }
        for network_id, address in allocator.addresses_of(task.id).items()
        if network_id in networks
    ]
    if attachments:
        shown["NetworksAttachments"] = attachments
    shown["Volumes"] = None  # those of a cluster
    return shown


def _task_status(task: Task) -> Json:
    shown: Json = {
        "Timestamp": stamp(task.status_at),
        "State": task.state,
        "Message": task.message,
    }
    if task.error:
        shown["Err"] = task.error
    if task.observed >= states.STARTING:
        shown["ContainerStatus"] = {
            "ContainerID": task.container_id,
            "PID": task.pid if task.state == "running" else 0,
            "ExitCode": task.exit_code or 0,
        }
    shown["PortStatus"] = {}
    if task.state == "running" and (ports := task.ports("host")):
        shown["PortStatus"] = {"Ports": [port for port in ports for _ in ("IPv4", "IPv6")]}
    return shown


def node_json(node: Node, swarm: Swarm, version: str) -> Json:
    """A node, as `GET /nodes/{id}` shows it."""
    engine: Json = {"EngineVersion": version}
    if node.engine_labels:
        engine["Labels"] = dict(node.engine_labels)
    engine["Plugins"] = CONSTANTS["plugins of a node"]
    shown = {
        **meta(node),
        "Spec": node.spec,
        "Description": {
            "Hostname": node.hostname,
            "Platform": {"Architecture": node.architecture, "OS": node.os},
            "Resources": {"NanoCPUs": node.nano_cpus, "MemoryBytes": node.memory},
            "Engine": engine,
            "TLSInfo": CONSTANTS["TLSInfo"],
        },
        "Status": {"State": node.state, "Addr": node.address},
    }
    if node.state == "down":
        shown["Status"] = {"State": "down", "Message": "heartbeat failure", "Addr": node.address}
    if node.role == "manager":
        shown["ManagerStatus"] = {
            **({"Leader": True} if node.id == swarm.node_id else {}),
            "Reachability": "reachable",
            "Addr": f"{node.address}:{swarm.port}",
        }
    return shown


def swarm_json(swarm: Swarm) -> Json:
    """The swarm as in `GET /info`; `GET /swarm` adds the join tokens."""
    return {
        **meta(swarm),
        "Spec": swarm.spec,
        "TLSInfo": CONSTANTS["TLSInfo"],
        "RootRotationInProgress": False,
        "DefaultAddrPool": swarm.pool,
        "SubnetSize": swarm.subnet_size,
        "DataPathPort": swarm.data_path_port,
    }


def volume_json(volume: Volume) -> Json:
    """A volume."""
    return {
        "CreatedAt": stamp(volume.created_at // SECOND * SECOND),
        "Driver": "local",
        "Labels": {ANONYMOUS: ""} if volume.anonymous else volume.labels,
        "Mountpoint": str(volume.path),
        "Name": volume.name,
        "Options": volume.options,
        "Scope": "local",
    }


def usage_json(engine: Engine, volume: Volume) -> Json:
    """A volume, with how many containers mount it and how many bytes it has."""
    users = engine.containers.mounting(volume.name)
    usage = {"RefCount": len(users), "Size": volume.size()}
    return {**volume_json(volume), "UsageData": usage}
