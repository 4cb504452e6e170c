"""What the lab may change and remove: what it deployed, and nothing else.

The lab's compose file says so in the open: everything in it carries the label
`labkit.lab`. A spec must reach the engine exactly as `docker stack deploy` would send
it, so labkit adds no label to files that have none; instead it keeps a note of each
service, network, config and secret that it makes without the label, by its id, which
the engine gives to nothing else, in `.labkit/deployed/`. This is the one place that
says what is ours:

* it carries the label, or
* labkit has noted its id.

So a stack called `dc` that somebody else deployed is never touched, a learner's own
file can be deployed, changed and removed, and when the notes are lost, labkit errs on
the side of leaving things alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labkit.base import settings
from labkit.base.errors import NotOurs

#: Docker's label for the stack that something belongs to.
NAMESPACE = "com.docker.stack.namespace"


def is_ours(thing: Mapping[str, Any]) -> bool:
    """Whether the lab made this service, network, config or secret of the Engine API."""
    return settings.LAB_LABEL in labels(thing) or is_noted(identity(thing))


def require_ours(service: Mapping[str, Any]) -> None:
    """Raise `NotOurs` unless the lab made this service."""
    if not is_ours(service):
        raise NotOurs(
            f"{service['Spec']['Name']} to be a service that the lab deployed.",
            f"it does not have the label {settings.LAB_LABEL}, and labkit did not deploy it.",
            "use the docker command line for it, or deploy it with `labkit.deploy`.",
        )


def is_noted(thing_id: str) -> bool:
    """Whether labkit has noted that this lab made something."""
    return _note(thing_id).exists()


def note(thing_id: str, labels_sent: Mapping[str, str] | None = None) -> None:
    """Remember that labkit made something, unless its label says so.

    Images are noted in any case: what is built on one inherits its label.
    """
    if labels_sent is None or settings.LAB_LABEL not in labels_sent:
        _note(thing_id).parent.mkdir(parents=True, exist_ok=True)
        _note(thing_id).touch()


def forget(thing_id: str) -> None:
    """Drop the note of something that has been removed."""
    _note(thing_id).unlink(missing_ok=True)


def labels(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels of something; a network has them outside of its spec."""
    return thing.get("Spec", thing).get("Labels") or {}


def identity(thing: Mapping[str, Any]) -> str:
    """Return the id of something; a network spells it `Id`."""
    return str(thing.get("ID") or thing["Id"])


def _note(thing_id: str) -> Path:
    return settings.state_dir() / "deployed" / thing_id
