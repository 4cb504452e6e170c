"""dockercoins: each service by itself over loopback, and all of them as a stack."""

import asyncio
import hashlib
import importlib.util
import json
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import labkit
from labkit.api import doing
from labkit.base import settings
from labkit.lessons import coins
from labkit.recordings import speed
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen
from labkit.swarm import stack
from labkit.swarm.client import Swarm
from tests.claims import each_claim
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1] / "dockercoins"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import `worker/worker.py` as a container would, with its folder on the path."""
    path = ROOT / name
    monkeypatch.syspath_prepend(path.parent)
    spec = importlib.util.spec_from_file_location(f"coins_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def serving(service: ModuleType) -> Iterator[str]:
    """Run an HTTP service on a port of loopback; gives `host:port`."""
    with service.Server(("127.0.0.1", 0), service.Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def ask(
    address: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(address, timeout=30)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def ten_at_once(request: Callable[[], object]) -> None:
    threads = [threading.Thread(target=request) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# ---- rng and hasher ----------------------------------------------------------------


@pytest.fixture
def rng(monkeypatch):
    module = load("rng/rng.py", monkeypatch)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    return module


@pytest.fixture
def hasher(monkeypatch):
    module = load("hasher/hasher.py", monkeypatch)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    return module


def test_rng_gives_as_many_random_bytes_as_are_asked_for(rng):
    with serving(rng) as address:
        answer, first = ask(address, "/32")
        _, second = ask(address, "/32")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert len(first) == len(second) == 32
    assert first != second


def test_rng_and_hasher_say_which_container_answers(rng, hasher):
    with serving(rng) as address:
        assert ask(address, "/")[1] == f"RNG running on {socket.gethostname()}\n".encode()
    with serving(hasher) as address:
        assert ask(address, "/")[1] == f"HASHER running on {socket.gethostname()}\n".encode()


@pytest.mark.parametrize(
    ("path", "status"), [("/x", 404), ("/-1", 404), ("/1048577", 400), ("/" + "9" * 5000, 400)]
)
def test_rng_refuses_what_is_no_sensible_number_of_bytes(rng, path, status, capsys):
    with serving(rng) as address:
        assert ask(address, path)[0].status == status
    assert f"code {status}" in capsys.readouterr().out, "and its log says so"


def test_hasher_gives_the_sha_256_of_the_body(hasher):
    with serving(hasher) as address:
        answer, text = ask(address, "/", b"abc")
    assert answer.headers["Content-Type"] == "text/plain"
    assert text.decode() == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Transfer-Encoding": "chunked"}, 411), ({"Content-Length": "9999999"}, 413)],
)
def test_hasher_refuses_a_body_of_unknown_or_great_length(hasher, headers, status):
    with serving(hasher) as address:
        assert ask(address, "/", b"", **headers)[0].status == status


@pytest.mark.parametrize(("service", "path", "body"), [("rng", "/32", None), ("hasher", "/", b"x")])
def test_ten_workers_are_served_side_by_side(service, path, body, monkeypatch, request):
    """Each of ten requests waits inside the service until all ten are there."""
    module = request.getfixturevalue(service)
    together = threading.Barrier(10, timeout=30)
    monkeypatch.setattr(module.time, "sleep", lambda _seconds: together.wait())
    statuses = []
    with serving(module) as address:
        ten_at_once(lambda: statuses.append(ask(address, path, body)[0].status))
    assert statuses == [200] * 10


# ---- redis -------------------------------------------------------------------------


@contextmanager
def redis_serving(store: ModuleType) -> Iterator[tuple[str, int]]:
    """Run redis on a port of loopback."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncio.Server:
        kept = store.Store()
        return await asyncio.start_server(
            lambda reader, writer: store.serve(kept, reader, writer), "127.0.0.1", 0
        )

    async def stop() -> None:
        server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield server.sockets[0].getsockname()
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def redis_address(monkeypatch):
    with redis_serving(load("redis/store.py", monkeypatch)) as address:
        yield address


def exchange(address: tuple[str, int], sent: bytes) -> bytes:
    """Send bytes, say that no more will come, and return all that is answered."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_redis_does_what_the_worker_and_the_web_page_ask_of_it(redis_address, monkeypatch):
    client = load("worker/resp.py", monkeypatch).Redis(*redis_address)
    assert client.get("hashes") is None
    assert [client.incrby("hashes", 3), client.incrby("hashes", 4)] == [3, 7]
    assert client.get("hashes") == b"7"
    assert client.hset("wallet", "0abc", b"\x00\r\n\xff") == 1
    assert client.hset("wallet", "0abc", b"again") == 0
    assert client.hlen("wallet") == 1
    client.close()


@each_claim(__file__, "redis", "sent", "answered")
def test_redis_speaks_its_protocol(redis_address, sent, answered):
    assert exchange(redis_address, sent.encode()).decode() == answered


def test_redis_refuses_a_line_that_does_not_end(redis_address):
    said = exchange(redis_address, b"x" * 100_000)
    assert said == b"-ERR Protocol error: too big inline request\r\n"


def test_the_client_connects_again_after_redis_went_away(monkeypatch):
    store, resp = load("redis/store.py", monkeypatch), load("worker/resp.py", monkeypatch)
    with redis_serving(store) as address:
        client = resp.Redis(*address)
        assert client.incrby("hashes", 1) == 1
    with pytest.raises(OSError, match=r"closed|reset|Broken|refused"):
        client.incrby("hashes", 1)
    with redis_serving(store) as address:
        client.address = address
        assert client.incrby("hashes", 1) == 1, "a new redis begins with nothing"
        client.close()


def test_the_client_shows_what_redis_complains_of(redis_address, monkeypatch):
    resp = load("worker/resp.py", monkeypatch)
    client = resp.Redis(*redis_address)
    client.hset("wallet", "a", "b")
    with pytest.raises(resp.RedisError, match="WRONGTYPE"):
        client.incrby("wallet", 1)
    client.close()


# ---- worker ------------------------------------------------------------------------


class Wallet:
    """Redis, as far as the worker needs it."""

    def __init__(self) -> None:
        self.hashes: list[int] = []
        self.coins: dict[str, bytes] = {}

    def incrby(self, key: str, amount: int) -> None:
        assert key == "hashes"
        self.hashes.append(amount)

    def hset(self, key: str, coin: str, origin: bytes) -> int:
        assert key == "wallet"
        new = coin not in self.coins
        self.coins[coin] = origin
        return int(new)


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """The worker, with a clock that only moves when it sleeps, and with no network."""
    monkeypatch.chdir(tmp_path)
    module = load("worker/worker.py", monkeypatch)
    module.slept = []  # type: ignore[attr-defined]
    monkeypatch.setattr(module.time, "sleep", module.slept.append)
    monkeypatch.setattr(module.time, "time", lambda: 1000 + sum(module.slept))
    monkeypatch.setattr(module, "redis", Wallet())
    monkeypatch.setattr(module, "get_random_bytes", lambda: b"random")
    monkeypatch.setattr(module, "hash_bytes", lambda _data: "0abc")
    return module


def test_a_hash_that_begins_with_zero_is_a_coin(worker, monkeypatch):
    worker.work_once()
    monkeypatch.setattr(worker, "hash_bytes", lambda _data: "a0bc")
    worker.work_once()
    assert worker.redis.coins == {"0abc": b"random"}
    assert worker.slept == [0.1, 0.1]


def test_work_is_counted_once_a_second(worker, monkeypatch):
    units = iter(range(25))

    def work_for_a_tenth_of_a_second():
        if next(units, None) is None:
            raise KeyboardInterrupt
        worker.slept.append(0.125)

    monkeypatch.setattr(worker, "work_once", work_for_a_tenth_of_a_second)
    with pytest.raises(KeyboardInterrupt):
        worker.work_loop()
    assert worker.redis.hashes == [0, 9, 9]


def test_a_worker_shows_that_it_works_by_the_age_of_a_file(worker, monkeypatch, tmp_path):
    """Which is there after the first unit of work, and not before."""
    there = []

    def look():
        there.append((tmp_path / "worked").exists())
        if len(there) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(worker, "work_once", look)
    with pytest.raises(KeyboardInterrupt):
        worker.work_loop()
    assert there == [False, True]


def test_a_worker_that_meets_an_error_waits_ten_seconds_and_goes_on(worker, monkeypatch, caplog):
    """So a broken rng does not make the task fail."""
    ends = iter([ConnectionError("rng is not there"), KeyboardInterrupt()])

    def fail():
        raise next(ends)

    monkeypatch.setattr(worker, "work_loop", fail)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        worker.main()
    assert worker.slept == [10]
    assert "rng is not there" in caplog.text


def test_the_worker_asks_rng_and_hasher(monkeypatch, rng, hasher):
    worker = load("worker/worker.py", monkeypatch)
    with serving(rng) as at_rng, serving(hasher) as at_hasher:
        places = {"rng": at_rng, "hasher": at_hasher}
        monkeypatch.setattr(
            worker,
            "HTTPConnection",
            lambda host, timeout: HTTPConnection(places[host], timeout=timeout),
        )
        data = worker.get_random_bytes()
        assert worker.hash_bytes(data) == hashlib.sha256(data).hexdigest()
        with pytest.raises(RuntimeError, match="rng answered 404"):
            worker.ask("rng", "GET", "/nonsense")


def test_a_worker_that_waits_obeys_sigterm():
    """No redis here: it logs that, and waits ten seconds; SIGTERM does not wait for them."""
    process = subprocess.Popen(
        [sys.executable, "-u", "worker.py"], cwd=ROOT / "worker", stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process:
        next(line for line in process.stdout if "Waiting 10s" in line)
        process.terminate()
        assert process.wait(timeout=5) == 0


# ---- webui -------------------------------------------------------------------------


def test_the_web_page_gets_its_numbers_from_redis(monkeypatch, redis_address):
    exchange(redis_address, b"INCRBY hashes 42\r\nHSET wallet 0a x 0b y\r\n")
    webui = load("webui/webui.py", monkeypatch)
    host, port = redis_address
    client = webui.Redis
    monkeypatch.setattr(webui, "Redis", lambda _host, timeout: client(host, port, timeout))
    monkeypatch.setattr(webui.time, "time", lambda: 1234.5)
    with serving(webui) as address:
        answer, body = ask(address, "/json")
    assert json.loads(body) == {"coins": 2, "hashes": 42, "now": 1234.5}
    assert answer.headers["Served-By"] == socket.gethostname()


def test_the_web_page_says_that_redis_does_not_answer(monkeypatch):
    webui = load("webui/webui.py", monkeypatch)
    client = webui.Redis
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr(webui, "Redis", lambda _host, timeout: client("127.0.0.1", port, timeout))
    with serving(webui) as address:
        answer, body = ask(address, "/json")
    assert answer.status == 503
    assert "redis does not answer" in json.loads(body)["error"]


def test_the_web_page_is_at_index_html(monkeypatch):
    with serving(load("webui/webui.py", monkeypatch)) as address:
        answer, _ = ask(address, "/")
        assert (answer.status, answer.headers["Location"]) == (302, "index.html")
        assert b"<svg" in ask(address, "/index.html")[1]
        assert ask(address, "/else")[0].status == 404


def test_the_web_page_asks_nothing_of_another_machine():
    addresses = re.findall(r"(?:\w+:)?//[\w.-]+\.\w+\S*", (ROOT / "webui/index.html").read_text())
    assert addresses == ['http://www.w3.org/2000/svg",'], "only the name of a kind of element"


# ---- all of them -------------------------------------------------------------------


def test_every_service_is_in_the_lab_and_can_be_had_by_two_learners():
    """Everything carries the lab's label, and images and ports come from variables."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert text.count('labkit.lab: "true"') == 5 + 1, "five services and a network"
    assert len(re.findall(r"image: \$\{LABKIT_DOCKER_ID:-lab\}/dockercoins_\w+:1\.0", text)) == 5
    assert re.findall(r"published: \$\{(\w+):-(\d+)\}", text) == [
        ("LABKIT_RNG_PORT", "8001"),
        ("LABKIT_HASHER_PORT", "8002"),
        ("LABKIT_WEBUI_PORT", "8000"),
    ]


def test_swarm_tells_each_worker_its_slot():
    """By a template, which Swarm fills in for every task."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert yaml.safe_load(text)["services"]["worker"]["environment"] == {"SLOT": "{{.Task.Slot}}"}


@pytest.fixture(scope="module")
def deployed(
    swarm: Swarm, coins_images: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[int]]]:
    """Dockercoins as a stack of its own: its name, and the ports of webui, rng and hasher.

    It has five workers: ten, which take longer to start, do no more than those.
    """
    name = f"t{secrets.token_hex(4)}"
    sockets = [socket.create_server(("", 0)) for _ in range(3)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    names = ("LABKIT_WEBUI_PORT", "LABKIT_RNG_PORT", "LABKIT_HASHER_PORT")
    variables = dict(zip(names, map(str, ports), strict=True))
    file = settings.lesson_files() / "dockercoins" / "docker-compose.yml"
    fewer = tmp_path_factory.mktemp("fewer") / "fewer.yml"
    fewer.write_text("version: '3.8'\nservices: {worker: {deploy: {replicas: 5}}}\n")
    try:
        stack.deploy(swarm, [file, fewer], name, env=variables | {"LABKIT_DOCKER_ID": coins_images})
        yield name, ports
    finally:
        stack.rm(swarm, name)


@pytest.mark.engine
def test_a_recording_holds_the_speed_of_dockercoins_as_a_line(
    swarm: Swarm, deployed: tuple[str, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each point is near what was counted around it; single bursts do not matter to it."""
    name, _ = deployed
    assert coins.speed(swarm, name) > 5, "all five are at work"
    monkeypatch.setattr(doing, "_current", swarm)

    path = tmp_path / "r.jsonl"
    with labkit.record(f"{name}_worker", path=path, until_settled=False) as recorder:
        recorder.wait_for(lambda r: len(speed.points(r)) >= 10, "a line of five seconds")

    made = Recording.load(path)
    line = speed.points(made)
    assert [value for _, value in line] == pytest.approx(
        [counted(made.of(HashesSeen), around) for around, _ in line], rel=0.3
    )
    assert min(value or 0 for _, value in line) > 4, "hashes a second, of five workers"


@pytest.mark.engine
def test_dockercoins_hashes_on_a_real_swarm(swarm: Swarm, deployed: tuple[str, list[int]]):
    """All five start in whatever order, five workers hash, and each obeys SIGTERM at once."""
    name, ports = deployed
    until(lambda: count(swarm, name) == 9, "five workers and four others", 60)
    webui, rng, hasher = (f"{coins.host(swarm)}:{port}" for port in ports)
    first = until(lambda: numbers(webui, more_than=100), "a hundred hashes", 40)
    until(lambda: numbers(webui, more_than=first["hashes"]), "more of them", 20)
    assert first["coins"] > 0
    assert b"RNG running on" in ask(rng, "/")[1]
    assert b"HASHER running on" in ask(hasher, "/")[1]
    assert slots_told(swarm, f"{name}_worker") == {str(slot) for slot in range(1, 6)}
    assert exit_code_of_a_stopped(swarm, f"{name}_worker") == 0, "137 would be a kill"


def counted(samples: Sequence[HashesSeen], around: datetime) -> float:
    """Return the hashes a second within two seconds of a moment, as the counter says."""
    near = [each for each in samples if abs((each.at - around).total_seconds()) <= 2.2]
    return (near[-1].hashes - near[0].hashes) / (near[-1].now - near[0].now)


def count(swarm: Swarm, name: str) -> int:
    tasks = swarm.task_values(label=f"com.docker.stack.namespace={name}")
    return sum(task.running for task in tasks)


def numbers(address: str, more_than: int) -> dict[str, int]:
    """Return what /json says once there are so many hashes; empty before."""
    try:
        said = json.loads(ask(address, "/json")[1])
    except OSError:
        return {}
    return said if said.get("hashes", 0) > more_than else {}


def slots_told(swarm: Swarm, service: str) -> set[str]:
    label = f"com.docker.swarm.service.name={service}"
    found = swarm.client.containers.list(filters={"label": label})
    told = (word for each in found for word in each.attrs["Config"]["Env"])
    return {word.partition("=")[2] for word in told if word.startswith("SLOT=")}


def exit_code_of_a_stopped(swarm: Swarm, service: str) -> int:
    label = f"com.docker.swarm.service.name={service}"
    container = swarm.client.containers.list(filters={"label": label})[0]
    container.stop(timeout=8)
    return swarm.client.api.inspect_container(container.id)["State"]["ExitCode"]


def test_the_two_copies_of_the_redis_client_are_one_text():
    """Each image is built from a folder of its own, so each folder has the file."""
    folder = settings.lesson_files() / "dockercoins"
    assert (folder / "webui/resp.py").read_text() == (folder / "worker/resp.py").read_text()
