"""`docker events`: what happens from now on, and what happened before."""

from __future__ import annotations

from swarmsim.api.http import Call, Routes
from swarmsim.engine.events import Message, included
from swarmsim.go import gojson
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.times import moment

routes = Routes()


@routes.get("/events")
async def events(call: Call) -> None:
    """Stream messages, one JSON object a line, until `until` or until the client goes away."""
    since, until = moment(call.query.get("since", "")), moment(call.query.get("until", ""))
    if until is not None and until < (since or 0):
        times = [call.query.get(name, "") for name in ("since", "until")]
        sentence = f"`since` time ({times[0]}) cannot be after `until` time ({times[1]})"
        raise ApiError(400, sentence)
    filters = Filters.parse(call.query.get("filters", ""))
    engine = call.engine
    await call.stream("application/json")
    with engine.events.follow() as news:
        past = engine.events.kept(since or 0, until) if since is not None or until else []
        for message in past:
            await _write(call, message, filters)
        while True:
            while news and (until is None or news[0]["timeNano"] <= until):
                await _write(call, news.popleft(), filters)
            if until is not None and engine.now >= until:
                return
            await call.wait(until)


async def _write(call: Call, message: Message, filters: Filters) -> None:
    if included(message, filters):
        await call.write(gojson.dumps(message) + b"\n")
