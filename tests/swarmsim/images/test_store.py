"""Images: names, removal, what stands in for a registry, and what a restart keeps."""

from pathlib import Path

import pytest

from swarmsim.go import references
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.images import Image, Images, listing, pulling, removing
from swarmsim.images.build import building, dockerfile
from swarmsim.images.removing import User
from tests.claims import each_claim

SECOND = 10**9
NOW = 1_800_000_000 * SECOND
ALL = Filters({})


def nobody(_image_id: str) -> list[User]:
    return []


def build(images: Images, folder: Path, text: str, *tags: str, now: int = NOW) -> Image:
    context = folder / "context"
    context.mkdir(exist_ok=True)
    (context / "a.txt").write_text("text")
    options = building.Options(tags=tuple(map(references.read, tags)))
    build = building.Build(images, dockerfile.read(text), context, options, lambda: now)
    said = list(build.messages())
    ids = [message["aux"]["ID"] for message in said if "aux" in message]
    return images.find(ids[-1])


WORKER = "FROM python:3\nCOPY a.txt /a\nCMD x\n"


@pytest.fixture
def images(tmp_path) -> Images:
    return Images(tmp_path)


@pytest.fixture
def worker(images, tmp_path) -> Image:
    return build(images, tmp_path, WORKER, "lab/worker:1.0")


# ---- names ---------------------------------------------------------------------------


@each_claim(__file__, "found", "text")
def test_an_image_is_found_by_its_name_and_by_its_id(images, worker, text):
    digits = worker.id.removeprefix("sha256:")
    wanted = text.format(id=worker.id, short=worker.short_id, digits=digits)
    assert images.find(wanted) is worker


@each_claim(__file__, "not_found", "text", "status", "message")
def test_what_is_no_image_is_said_as_docker_says_it(images, worker, text, status, message):
    with pytest.raises(ApiError) as caught:
        images.find(text)
    assert (caught.value.status, caught.value.message) == (status, message)
    assert images.find(worker.id) is worker


def test_a_name_that_another_image_takes_is_gone_from_the_first(images, worker, tmp_path):
    other = build(images, tmp_path, WORKER + "ENV A=1\n", "lab/worker:1.0")
    assert images.tags_of(worker) == []
    assert images.find("lab/worker:1.0") is other
    row = next(row for row in listing.listed(images, ALL) if row["Id"] == other.id)
    assert row["RepoTags"] == ["lab/worker:1.0"]


def test_all_is_there_again_after_a_restart(images, worker, tmp_path):
    images.push(references.read("lab/worker:1.0"))
    again = Images(tmp_path)
    assert listing.listed(again, ALL, everything=True) == listing.listed(
        images, ALL, everything=True
    )
    assert again.find("lab/worker:1.0").document == worker.document
    assert build(again, tmp_path, WORKER).id == worker.id, "from the cache"
    assert listing.distribution(again, "lab/worker:1.0") == listing.distribution(
        images, "lab/worker:1.0"
    )


# ---- lists ---------------------------------------------------------------------------


def test_a_list_leaves_out_what_is_between_and_shows_what_lost_its_name(images, worker, tmp_path):
    build(images, tmp_path, WORKER + "ENV A=1\n", "lab/worker:1.0", now=NOW + SECOND)
    rows = listing.listed(images, ALL)
    assert [row["RepoTags"] for row in rows] == [["lab/worker:1.0"], ["python:3"]]
    build(images, tmp_path, WORKER + "ENV B=1\n", "lab/worker:1.0", now=NOW + 2 * SECOND)
    dangling = listing.listed(images, Filters({"dangling": ["true"]}))
    assert [row["RepoTags"] for row in dangling] == [["<none>:<none>"]]
    assert len(listing.listed(images, ALL, everything=True)) > len(rows) + 1
    assert worker.id not in [row["Id"] for row in rows], "the others are built on it"


@each_claim(__file__, "filters", "filters", "found")
@pytest.mark.usefixtures("worker")
def test_a_list_can_be_filtered(images, filters, found):
    rows = listing.listed(images, Filters(filters))
    assert [name for row in rows for name in row["RepoTags"] or ()] == found


def test_a_filter_that_docker_does_not_know_is_refused(images):
    with pytest.raises(ApiError, match="Invalid filter 'foo'"):
        listing.listed(images, Filters({"foo": ["x"]}))
    with pytest.raises(ApiError) as caught:
        listing.listed(images, Filters({"dangling": ["x"]}))
    assert caught.value.message == "Invalid filter 'dangling=[x]'"


def test_a_history_has_each_step_and_says_who_stands_in(images, worker):
    rows = listing.history(images, worker)
    assert [row["CreatedBy"].partition(":")[0] for row in rows] == ["CMD x", "COPY file", ""]
    assert [row["Size"] for row in rows] == [0, 4, 0]
    assert rows[-1]["Comment"].startswith("stands in for python:3: the programs of this machine")
    assert rows[0]["Tags"] == ["lab/worker:1.0"]


# ---- removal -------------------------------------------------------------------------


def test_the_last_name_takes_the_image_and_what_only_it_was_built_on(images, worker):
    images.tag(worker, references.read("lab/worker:bench"))
    assert removing.remove(images, "lab/worker:bench", nobody) == [{"Untagged": "lab/worker:bench"}]
    records = removing.remove(images, "lab/worker:1.0", nobody)
    copy = worker.parent
    assert records[:3] == [
        {"Untagged": "lab/worker:1.0"},
        {"Deleted": worker.id},
        {"Deleted": copy},
    ]
    assert len(records) == 4, "and the layer"
    assert [row["RepoTags"] for row in listing.listed(images, ALL, everything=True)] == [
        ["python:3"]
    ]
    layer = worker.layers[-1]
    assert not images.layer_path(layer).exists()


def test_a_name_that_is_removed_by_force_leaves_the_image_its_other_names(images, worker):
    images.tag(worker, references.read("lab/other:1"))
    records = removing.remove(images, "lab/other:1", nobody, force=True)
    assert records == [{"Untagged": "lab/other:1"}]
    assert worker.id in images.images


def test_what_is_in_use_stays(images, worker):
    running, stopped = User("c" * 64, True), User("d" * 64, False)
    with pytest.raises(ApiError) as caught:
        removing.remove(images, "lab/worker:1.0", lambda _: [running])
    assert caught.value.status == 409
    assert caught.value.message == (
        'conflict: unable to remove repository reference "lab/worker:1.0" (must force) - '
        f"container cccccccccccc is using its referenced image {worker.short_id}"
    )
    with pytest.raises(ApiError) as caught:
        removing.remove(images, worker.short_id, lambda _: [stopped])
    assert caught.value.message == (
        f"conflict: unable to delete {worker.short_id} (must be forced) - image is being used by "
        "stopped container dddddddddddd"
    )
    with pytest.raises(ApiError) as caught:
        removing.remove(images, worker.short_id, lambda _: [running], force=True)
    assert "(cannot be forced) - image is being used by running container" in caught.value.message
    removing.remove(images, worker.short_id, lambda _: [stopped], force=True)
    assert worker.id not in images.images


def test_an_image_with_two_names_is_not_removed_by_its_id(images, worker):
    images.tag(worker, references.read("lab/other:1"))
    with pytest.raises(ApiError) as caught:
        removing.remove(images, worker.short_id, nobody)
    assert caught.value.message == (
        f"conflict: unable to delete {worker.short_id} (must be forced) - image is referenced in "
        "multiple repositories"
    )
    records = removing.remove(images, worker.short_id, nobody, force=True)
    assert {"Untagged": "lab/other:1"} in records
    assert {"Untagged": "lab/worker:1.0"} in records


def test_what_others_are_built_on_stays(images, worker):
    base = images.find("python:3")
    assert removing.remove(images, "python:3", nobody)[0] == {"Untagged": "python:3"}
    with pytest.raises(ApiError) as caught:
        removing.remove(images, base.short_id, nobody)
    assert caught.value.message == (
        f"conflict: unable to delete {base.short_id} (cannot be forced) - image has dependent "
        "child images"
    )
    assert images.find(worker.id) is worker


def test_pruning_takes_what_has_no_name_and_no_user(images, worker, tmp_path):
    build(images, tmp_path, "FROM python:3\nENV A=1\n", "lab/worker:1.0")
    users = {worker.id: [User("c" * 64, False)]}
    assert removing.remove_unused(images, lambda i: users.get(i, []), ALL) == []
    records = removing.remove_unused(images, nobody, ALL)
    assert records[0] == {"Deleted": worker.id}
    assert images.find("lab/worker:1.0")


# ---- the registry --------------------------------------------------------------------


def test_only_what_was_pushed_is_known_to_the_registry(images, worker):
    with pytest.raises(ApiError) as caught:
        listing.distribution(images, "lab/worker:1.0")
    assert caught.value.status == 500
    assert "lookup registry-1.docker.io: no such host" in caught.value.message
    manifest = images.push(references.read("lab/worker:1.0"))
    found = listing.distribution(images, "lab/worker:1.0")
    assert found["Descriptor"]["digest"] == manifest.digest
    assert images.digests_of(worker) == [f"lab/worker@{manifest.digest}"]
    assert images.find(f"lab/worker:1.0@{manifest.digest}") is worker


def test_what_was_pushed_can_be_pulled_after_it_was_removed(images, worker):
    images.push(references.read("lab/worker:1.0"))
    removing.remove(images, worker.id, nobody, force=True)
    with pytest.raises(ApiError):
        images.find("lab/worker:1.0")
    said = [m["status"] for m in pulling.pulled(images, references.read("lab/worker:1.0"))]
    assert said[-1] == "Status: Downloaded newer image for lab/worker:1.0"
    again = images.find("lab/worker:1.0")
    assert again.id == worker.id
    assert (images.files(again) / "a").read_text() == "text"
    said = [m["status"] for m in pulling.pulled(images, references.read("lab/worker:1.0"))]
    assert said[-1] == "Status: Image is up to date for lab/worker:1.0"


@pytest.mark.parametrize("name", ["nosuch:1", "lab/x", "reg.example/a:b", "localhost:5000/a:b"])
def test_all_else_is_out_of_reach(images, name):
    with pytest.raises(ApiError) as caught:
        images.pull(references.read(name))
    assert caught.value.status == 500
    assert caught.value.message.startswith('Get "http')


@pytest.mark.parametrize("name", ["python:3.13-alpine", "alpine:3", "busybox", "labkit/python:x"])
def test_this_machine_stands_in_for_base_images_of_any_tag(images, tmp_path, name):
    image, _ = images.pull(references.read(name))
    (tmp_path / "other").mkdir()
    elsewhere = Images(tmp_path / "other").pull(references.read(name))[0]
    assert elsewhere.id == image.id, "the same name is the same image everywhere"
