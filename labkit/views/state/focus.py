"""Which part of the time a view shows at first: that in which something happens. Pure.

Reading takes minutes and an update seconds, so the time axis leaves out long rests.
"""

#: ms that are shown before the first event, and after the last one.
LEAD, REST = 3_000, 30_000


class Focus:
    """The latest stretch of events, in ms since the recording began."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0

    def note(self, at: int, *, going: bool) -> None:
        """Note an event. After a longer rest than `REST` it begins a new stretch.

        With `going`, something was still going on until then, such as an update that sleeps
        a delay: that is not a rest.
        """
        if self._first is None or (at - self._last > REST and not going):
            self._first = at
        self._last = max(self._last, at)

    def shown(self, *, going: bool) -> list[int | None] | None:
        """Return from when until when to show; no end if it goes on, `None` before any event."""
        if self._first is None:
            return None
        return [max(0, self._first - LEAD), None if going else self._last + REST]
