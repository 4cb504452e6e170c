"""Pin an image's tag to the digest that a registry has for it, as the docker command line does.

The command line asks the registry before it updates a service, so that every node runs
the same image even if the tag is moved later. Where no registry answers, it warns and
goes on with the bare tag, exit status unaffected (docker/cli vendors this from moby's
client/service_update.go).
"""

from collections.abc import Sequence

from labkit.base import echo
from labkit.base.errors import LabError
from labkit.swarm.client import Swarm
from swarmsim.go.references import with_tag


def pin(swarm: Swarm, image: str) -> tuple[str, list[dict[str, str]] | None]:
    """Return the image with its digest, and the platforms that the registry has it for.

    Where no registry answers: the image as it is, and `None`.
    """
    tagged = with_tag(image)
    return ("@" not in tagged and look_up(swarm, tagged)) or (tagged, None)


def look_up(swarm: Swarm, tagged: str) -> tuple[str, list[dict[str, str]]] | None:
    """Return what a registry has under a tag, or `None` where none answers."""
    try:
        found = swarm.get(f"/distribution/{tagged}/json")
    except LabError:
        return None
    pinned = tagged if "@" in tagged else f"{tagged}@{found['Descriptor']['digest']}"
    platforms = []
    for each in found.get("Platforms") or []:
        # Swarm compares it with a node's; `arm` names several, so docker leaves it open
        name = each.get("architecture", "")
        platforms.append({"Architecture": name * (name != "arm"), "OS": each.get("os", "")})
    return pinned, platforms


def warn_unpinned(images: Sequence[str]) -> None:
    """Say in docker's words that no digest could be recorded, once for all the images."""
    if not images:
        return
    first, *others = images
    echo.say(
        f"image {first} could not be accessed on a registry to record\n"
        f"its digest. Each node will access {first} independently,\n"
        "possibly leading to different nodes running different\n"
        "versions of the image.\n"
    )
    if others:
        echo.say(f"The same applies to {', '.join(others)}.\n")
