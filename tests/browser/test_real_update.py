"""The live view of a real update, beside the docker command line, on a real engine."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from labkit.base.settings import LAB_LABEL
from labkit.swarm.client import Swarm
from tests.browser.lab import BLOCK, Lab, Notebook, screenshot
from tests.browser.pages import PLOT
from tests.dockers import docker, needs_docker
from tests.values import spec
from tests.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.engine,
    needs_docker,
]

#: The one cell of the notebook: a view, and then updates while the kernel is busy with them.
WATCH = """
from labkit.swarm import services
from labkit.recordings.recorder import Recorder
from labkit.swarm.client import Swarm
from labkit.views import Watch
swarm = Swarm.at({url!r})
recorder = Recorder(swarm, {name!r}, until=None).start()
Watch(recorder)
"""
UPDATE = """
services.update(swarm, {name!r}, image={image!r}, update_config={config!r})
{block}"""


@pytest.fixture
def new_tag(swarm: Swarm, unique: str, coins_images: str) -> Iterator[str]:
    """A second tag of the worker's image, as good as a new one to Swarm."""
    name = f"{coins_images}/dockercoins_worker"
    swarm.client.images.get(f"{name}:1.0").tag(name, unique)
    yield unique
    swarm.client.images.remove(f"{name}:{unique}")


@pytest.fixture
def worker(swarm: Swarm, service_named: str, coins_images: str) -> str:
    """A service of four workers that are up."""
    image = f"{coins_images}/dockercoins_worker:1.0"
    swarm.post("/services/create", spec(service_named, image, 4, Labels={LAB_LABEL: "test"}))
    until(
        lambda: swarm.snapshot(service_named).running_by_tag()["1.0"] == 4,
        "four workers to run",
        60,
    )
    return service_named


def test_the_table_is_that_of_the_docker_command_line(
    swarm: Swarm, worker: str, new_tag: str, coins_images: str, lab: Lab, page: Page
) -> None:
    """At rest, in the midst of updates while a cell blocks, and after one that failed."""
    image = f"{coins_images}/dockercoins_worker"
    slow = {"parallelism": 1, "delay": "2s"}
    cells = [
        WATCH.format(url=swarm.url, name=worker),
        UPDATE.format(name=worker, image=f"{image}:{new_tag}", config=slow, block=BLOCK),
        UPDATE.format(name=worker, image=f"{image}:missing", config={"delay": "0s"}, block=""),
    ]
    notebook = Notebook(lab, page, cells)
    notebook.run(0)
    agree(swarm, page, worker, lambda: True, "at rest")

    notebook.run(1)
    for new in (1, 2, 3):
        agree(
            swarm,
            page,
            worker,
            lambda new=new: new_running(page, new_tag) >= new,  # type: ignore[misc]
            f"with {new} of four new",
        )
        assert notebook.busy()
    screenshot(page, "real-update")
    notebook.release()

    notebook.run(2)
    expect(page.locator(".labkit-badge")).to_have_text("paused", timeout=40_000)
    agree(swarm, page, worker, lambda: "Rejected" in table(page), "with a failed task")
    expect(page.locator(".labkit-message")).to_contain_text("update paused due to failure")
    screenshot(page, "real-update-paused")


def test_a_rollback_is_told_as_it_happens_and_kept(
    swarm: Swarm, worker: str, coins_images: str, lab: Lab, page: Page
) -> None:
    """By a view that moves while a cell blocks, comes back in a reloaded page, and ends."""
    image = f"{coins_images}/dockercoins_worker"
    config = {"parallelism": 2, "delay": "5s", "failure_action": "rollback"}
    cells = [
        WATCH.format(url=swarm.url, name=worker),
        UPDATE.format(name=worker, image=f"{image}:missing", config=config, block=BLOCK),
        "recorder.stop(); print('stopped')",
    ]
    notebook = Notebook(lab, page, cells)
    notebook.run(0)
    expect(page.locator(".labkit-badge")).to_be_attached()
    notebook.save()
    notebook.run(1)
    in_sight(page)
    expect(page.locator(".labkit-badge")).to_contain_text("rollback", timeout=30_000)
    assert notebook.busy()
    expect(page.locator("[data-part=budget]")).to_contain_text("rolled the update back")
    assert failures_drawn(page) >= 1
    screenshot(page, "real-rollback")

    notebook.open(kernel=False)
    notebook.release()
    expect(page.locator(".labkit-badge")).to_have_text("rollback completed", timeout=60_000)
    until(lambda: failures_drawn(page) >= 1, "the failure to be drawn again")
    notebook.run(2)
    in_sight(page)
    expect(page.locator(".labkit-end")).to_contain_text("It was stopped.")
    screenshot(page, "real-rollback-after-a-reload")


def in_sight(page: Page) -> None:
    """Bring the view's head into sight: what nobody sees is not drawn."""
    page.locator(".labkit-head").scroll_into_view_if_needed()


def failures_drawn(page: Page) -> int:
    """How many crosses the chart of the slots has."""
    crosses = """(plot) => plot.data.find(({ name }) => name === "failed")?.x.length ?? 0"""
    plot = page.locator(f"[data-part=slots] {PLOT}")
    return int(plot.evaluate(crosses)) if plot.count() else 0


def agree(swarm: Swarm, page: Page, name: str, condition: Callable[[], bool], when: str) -> None:
    """Wait until view and command line show the same under a condition.

    Both are looked at again until they fall into one second and no task moves in between.
    """

    def same() -> bool:
        before = table(page)
        printed = docker_ps(swarm, name)
        return before == printed == table(page) and condition()

    until(same, f"the view to agree with docker {when}; it shows {table(page)}", 60, every=0.1)


def new_running(page: Page, tag: str) -> int:
    """How many tasks of a tag run, as the view's table has it."""
    return len(re.findall(rf":{tag} \| \S+ \| Running \| Running", table(page)))


def table(page: Page) -> str:
    """The view's table, as lines of cells."""
    rows = page.evaluate(
        """() => [...document.querySelectorAll(".labkit-ps tr:not([hidden])")].map(
            (row) => [...row.children].map((cell) => cell.textContent))"""
    )
    return "\n".join(" | ".join(row) for row in rows)


def docker_ps(swarm: Swarm, name: str) -> str:
    """What `docker service ps … | grep -v Shutdown.*Shutdown` prints, as lines of cells."""
    printed = docker(swarm, f"service ps {name}").splitlines()
    starts = [printed[0].index(word) for word in HEADER]
    kept = [line for line in printed if not re.search("Shutdown.*Shutdown", line)]
    return "\n".join(
        " | ".join(
            line[start:end].rstrip() for start, end in zip(starts, [*starts[1:], None], strict=True)
        )
        for line in kept
    )


HEADER = ("ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR", "PORTS")
