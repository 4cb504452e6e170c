"""Does the memory of the site's engine grow? One update after another, for an hour of the swarm.

The engine runs in Pyodide, in node rather than in a browser, and its clock ten times as fast as
Swarm's, so that an hour takes six minutes. Ten tasks run their code and are replaced two at a
time. A browser's Python never gives memory back: what counts is whether it still takes more after
the first minutes.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.pyodide import running

#: Times Swarm's speed, and minutes of the swarm.
_SPEED, _MINUTES = 10, 60
_SOURCE = """
import asyncio, gc, json, time
from base64 import b64decode, b64encode
from pathlib import Path
from js import console
import pyodide_js
from swarmsim.doors import in_browser

posted = in_browser.begin(Path("/engine"), SPEED)
async def ask(method, target, body=None):
    data = b64encode(json.dumps(body).encode()).decode()
    headers = {"Content-Type": "application/json"}
    asked = {"method": method, "target": target, "headers": headers, "body": data}
    said = json.loads(await posted.answer(json.dumps(asked)))
    if said["status"] >= 300:
        raise OSError(b64decode(said["data"]).decode())
    return json.loads(b64decode(said["data"]))

code = "import time, hashlib\\nwhile True: hashlib.sha256(b'x' * 1000); time.sleep(0.1)"
container = {"Image": "python:3", "Command": ["python3", "-c", code]}
spec = {"Name": "web", "TaskTemplate": {"ContainerSpec": container},
        "Mode": {"Replicated": {"Replicas": 10}}, "UpdateConfig": {"Parallelism": 2}}
await ask("POST", "/services/create", spec)
began, updates, told, passed = time.monotonic(), 0, 0, 0
while passed <= MINUTES:
    await asyncio.sleep(1)
    service = await ask("GET", "/services/web")
    passed = (time.monotonic() - began) * SPEED / 60
    if passed >= told:
        told += 10
        tasks = [each["Status"]["State"] for each in await ask("GET", "/tasks")]
        console.log(f"MEMORY after {passed:2.0f} minutes and {updates:3} updates: "
                    f"{pyodide_js._module.HEAP8.length / 1e6:.0f} MB, "
                    f"{len(gc.get_objects()):,} objects, {tasks.count('running')} tasks run")
    if (service.get("UpdateStatus") or {"State": "completed"})["State"] == "completed":
        spec["TaskTemplate"]["ForceUpdate"] = updates = updates + 1
        version = service["Version"]["Index"]
        await ask("POST", f"/services/web/update?version={version}", spec)
"""


def run() -> None:
    """Print the engine's memory every ten minutes of the swarm."""
    source = _SOURCE.replace("SPEED", str(_SPEED)).replace("MINUTES", str(_MINUTES))
    with TemporaryDirectory() as folder, running(Path(folder)) as run_python:
        said = run_python(source)
    for line in said.splitlines():
        if line.startswith("MEMORY "):
            print("the site's engine", line.removeprefix("MEMORY "))
