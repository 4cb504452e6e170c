"""What can go wrong: a request is refused, a value is bad, an engine cannot be started."""

#: HTTP status of each gRPC code, as moby's `api/server/httpstatus` has it; all others are 500.
STATUS_OF = {
    "InvalidArgument": 400,
    "FailedPrecondition": 400,
    "OutOfRange": 400,
    "Unauthenticated": 401,
    "PermissionDenied": 403,
    "NotFound": 404,
    "AlreadyExists": 409,
    "Unimplemented": 501,
    "Unavailable": 503,
}


class BadValue(ValueError):
    """A value that Docker or Go would refuse; a sentence says what is wanted and what was given."""

    def _render_traceback_(self) -> list[str]:
        """Show in IPython the sentence, and no traceback."""
        return [f"{type(self).__name__}", str(self)]


class CannotServe(Exception):
    """The engine cannot start where it was asked to. One sentence says why and what to do."""


class ApiError(Exception):
    """A request that is answered with an HTTP status and `{"message": …}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class NotAFilter(ApiError):
    """The `filters` of a list are malformed. Since 23.0, engines give no further detail."""


def rpc(code: str, description: str) -> ApiError:
    """The error as swarmkit words it: its gRPC code stands in front of the sentence."""
    message = f"rpc error: code = {code} desc = {description}"
    return ApiError(STATUS_OF.get(code, 500), message)
