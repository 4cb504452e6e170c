"""Runs programs as tasks and tells what became of them; on a desktop and in Pyodide."""

import io
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

DOCKERFILE = 'FROM python:3\nWORKDIR /app\nCOPY . .\nCMD ["python", "program.py"]\n'
ENDED = ("complete", "failed", "shutdown")


def run(
    client: Any, rows: Mapping[str, Mapping[str, Any]], wait: Callable[[float], None]
) -> dict[str, tuple[str, int]]:
    """Run all programs at once; return what each has written, and the code it ended with."""
    services = {
        name: _service(client, f"p{number}", row) for number, (name, row) in enumerate(rows.items())
    }
    found: dict[str, tuple[str, int]] = {}
    stopping = {name for name, row in rows.items() if row.get("stop")}
    for _ in range(600):
        for name, service in services.items():
            first = min(service.tasks(), key=lambda task: task["CreatedAt"])
            written = b"".join(service.logs(stdout=True, stderr=True)).decode()
            if name in stopping and written:
                stopping.remove(name)
                service.update(force_update=1, fetch_current_spec=True)
            elif name not in found and first["Status"]["State"] in ENDED:
                found[name] = written, first["Status"]["ContainerStatus"]["ExitCode"]
        if len(found) == len(rows):
            break
        wait(0.1)
    return found


def built(client: Any, tag: str, program: str) -> str:
    """Build an image of a program; return its tag."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for path, text in (("program.py", program), ("Dockerfile", DOCKERFILE)):
            about = tarfile.TarInfo(path)
            about.size = len(text.encode())
            tar.addfile(about, io.BytesIO(text.encode()))
    context.seek(0)
    client.images.build(fileobj=context, custom_context=True, tag=tag)
    return tag


def _service(client: Any, name: str, row: Mapping[str, Any]) -> Any:
    probe = {"Test": row["probe"], "Interval": 10**8, "Retries": 1} if "probe" in row else None
    return client.services.create(
        built(client, f"{name}:1", row["program"]),
        name=name,
        env=["COLOUR=green"],
        stop_grace_period=10**9,
        restart_policy={"Condition": "none"},
        healthcheck=probe,
    )
