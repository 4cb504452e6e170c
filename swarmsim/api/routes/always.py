"""Requests that always get the same answer: the thing does not exist here, or is not simulated.

`always.json` says to which requests, with which status, and the body or the error message.
"""

import json
from functools import partial
from pathlib import Path

from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.routes.containers import find_container
from swarmsim.go.errors import ApiError

routes = Routes()

_ANSWERS = {
    request: (answer["status"], answer["body"])
    for answer in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    for request in answer["requests"]
}


async def answered(call: Call, what: str) -> Answer:
    """Answer as `always.json` says."""
    async for _ in call.chunks():
        pass  # a client that still sends would not read the answer
    if "id" in call.path:  # a container's, which has to exist
        find_container(call.engine, call.path["id"])
    status, body = _ANSWERS[what]
    if isinstance(body, str):
        raise ApiError(status, body.format(**call.path))
    return Answer(body, status)


for _what in _ANSWERS:
    routes.add(*_what.split(" "))(partial(answered, what=_what))
