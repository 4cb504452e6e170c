"""What the tests share: a real engine, and names that nobody else uses on it."""

import gc
import os
import re
import secrets
import sys
from collections.abc import Generator, Iterator

import hypothesis
import pytest
from xdist.remote import Producer

from labkit.base import errors, settings
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from tests import lanes
from tests.pyodide import RunPython, running
from tests.simulated import simulated_swarm

# nbformat's jsonschema would compile the grammar of international addresses, which takes each
# process seconds and which no notebook has
sys.modules["rfc3987_syntax"] = None

# each run has other examples, so a few of them will do; and how long one takes says something of
# the machine, and nothing of labkit
hypothesis.settings.register_profile(
    "any machine",
    max_examples=40,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; what needs an engine or a browser is found by its words."""
    engine_or_browser = ("engine", "browser")
    marked = {each.path for each in items if any(map(each.get_closest_marker, engine_or_browser))}
    unsaid = [path for path in marked if not re.search(lanes.MARKED, path.read_text())]
    assert not unsaid, f"{unsaid} would be left out by tools/test.sh"
    items.sort(key=lambda item: lanes.place(item.nodeid))
    gc.freeze()  # what is imported stays, and need not be gone through again and again


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> lanes.Lanes:
    """Share the tests out."""
    return lanes.Lanes(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped: what could not be tested there has failed."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"CI skips nothing, and this was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def swarm() -> Swarm:
    """A manager of a real swarm: the one that `DOCKER_HOST` or the docker context names.

    `make test` starts one and names it. Where there is none, the tests that need it are
    skipped, so that the pure ones can be run anywhere; in CI that is a failure.
    """
    return real_swarm()


def real_swarm() -> Swarm:
    """Connect to the real engine, or skip the test."""
    try:
        found = Swarm.at()
        found.require_manager()
    except errors.LabError as problem:
        pytest.skip(f"needs a real engine: {problem.found}")
    if found.provenance != "engine":
        pytest.skip(f"needs a real engine: {found.about()} is none")
    return found


@pytest.fixture(
    scope="session",
    params=["simulated", pytest.param("real", marks=[pytest.mark.engine, pytest.mark.again])],
)
def either(request: pytest.FixtureRequest) -> Iterator[Swarm]:
    """A manager of a swarm, for what is labkit's own doing and not the engine's.

    It is a simulated one; `make test-engines` has the same done on real ones.
    """
    if request.param == "real":
        yield real_swarm()
        return
    with simulated_swarm() as simulated:
        yield simulated


#: For a test that uses `either`, and is about a real engine.
on_a_real_engine = pytest.mark.parametrize(
    "either", [pytest.param("real", marks=pytest.mark.engine)], indirect=True
)


@pytest.fixture
def sim() -> Iterator[Swarm]:
    """A manager of a simulated swarm in this process, whose clock runs 100 times as fast."""
    with simulated_swarm() as simulated:
        yield simulated


@pytest.fixture(scope="module")
def coins_images(swarm: Swarm) -> str:
    """The Docker ID under which the engine has dockercoins' five images, tagged `1.0`."""
    docker_id = settings.docker_id()
    images.build_all(swarm, docker_id, settings.lesson_files() / "dockercoins")
    return docker_id


@pytest.fixture
def unique() -> str:
    """A name for a stack or a service that nobody else uses on this engine."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def service_named(swarm: Swarm, unique: str) -> Iterator[str]:
    """A name for a service; whatever service has it is removed afterwards."""
    yield unique
    for service in swarm.services():
        if service["Spec"]["Name"].startswith(unique):
            swarm.delete(f"/services/{service['ID']}")


@pytest.fixture(scope="session")
def pyodide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunPython]:
    """A Pyodide with what the site has of labkit."""
    with running(tmp_path_factory.mktemp("pyodide")) as run:
        yield run
