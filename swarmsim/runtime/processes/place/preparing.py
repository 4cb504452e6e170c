"""What a task needs before it can start: files, mounts, variables, its place in the networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swarmsim.images.documents import Image
from swarmsim.model import Task
from swarmsim.runtime.plan import Plan
from swarmsim.runtime.port import Host
from swarmsim.runtime.processes.place import folders, programs
from swarmsim.runtime.processes.place.folders import Folder
from swarmsim.runtime.processes.place.names import Attachments

_SHIM = Path(__file__).parents[1] / "shim"


class CannotPrepare(Exception):
    """A task that is rejected, in Docker's words."""


def fill(folder: Folder, task: Task, plan: Plan, image: Image, engine: Host) -> None:
    """Make a task's folder. Raises `CannotPrepare`."""
    folder.make(engine.images.files(image))
    container = task.container
    mounts = container.get("Mounts") or ()
    mounted = {str(mount.get("Target")) for mount in mounts}
    anonymous = [path for path in plan.volumes if path not in mounted]
    if error := folders.mount_all(folder, mounts, engine.data / "volumes", anonymous):
        raise CannotPrepare(error)
    for given, kept, where in (
        (container.get("Configs"), engine.configs, "/"),
        (container.get("Secrets"), engine.secrets, "/run/secrets"),
    ):
        for each in given or ():
            blob = kept.get(str(each.get("ConfigID") or each.get("SecretID")))
            name = str((each.get("File") or {}).get("Name") or "")
            if blob is not None and name:
                folder.put(str(Path(where, name)), blob.data)
    try:
        folder.enter(plan.working_dir)
    except (NotADirectoryError, FileExistsError):
        raise CannotPrepare(f"Cannot mkdir: {plan.working_dir} is not a directory") from None


def variables(folder: Folder, plan: Plan, hostname: str) -> dict[str, str]:
    """Return a process's variables: those of the image and the service, and what it needs here."""
    given = {
        name: folder.rewrite_paths(value) for name, value in plan.env.items() if name != "PATH"
    }
    python_path = [str(_SHIM), *filter(None, [given.get("PYTHONPATH")])]
    return {
        "HOME": str(folder.inside("/root")),
        "HOSTNAME": hostname,
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder.inside("/tmp")),  # noqa: S108 - the task's own
        **given,
        "PATH": programs.search_path(folder, plan.env),
        "PYTHONPATH": ":".join(python_path),
        "SWARMSIM_TASK": str(folder.path),
    }


def attachments(task: Task, hostname: str, engine: Host) -> Attachments:
    """Return a task's addresses and names in its networks."""
    addresses = {
        network: _bare(address)
        for network, address in engine.allocator.addresses_of(task.id).items()
        if address and network in engine.networks and not engine.networks[network].ingress
    }
    virtual = {
        network: _bare(address)
        for network, address in engine.allocator.vips_of(task.service_id).items()
        if network in addresses
    }
    aliases = _aliases(task.spec)
    names: dict[str, tuple[str, ...]] = {}
    virtual_names: dict[str, tuple[str, ...]] = {}
    for network in addresses:
        of_service = (task.service_name, *aliases.get(network, ()))
        of_tasks = tuple(f"tasks.{name}" for name in of_service)
        own = dict.fromkeys((hostname, task.container_id[:12]))
        if network in virtual:
            virtual_names[network] = of_service
            names[network] = (*of_tasks, *own)
        else:
            names[network] = (*of_service, *of_tasks, *own)
    return Attachments(hostname, addresses, names, virtual, virtual_names)


def _aliases(spec: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        str(each.get("Target")): tuple(each.get("Aliases") or ())
        for each in spec.get("Networks") or ()
    }


def _bare(address: str) -> str:
    return address.partition("/")[0]
