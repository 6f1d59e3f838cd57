"""Why a call failed."""

import grpc

from .details import details_of
from .reason import Reason
from .text import escaped


class SecretsError(Exception):
    """A call that did not succeed: the service said no, or could not be reached (`reason` is None)."""

    def __init__(self, error: grpc.Call) -> None:
        super().__init__(escaped(error.details() or ""))
        self.code: grpc.StatusCode = error.code()
        info, delay = details_of(error)
        #: The reason, if the service gave one that this version knows.
        self.reason: Reason | None = Reason.__members__.get(info.reason)
        #: Facts beside the reason, for instance `suggestion`, `limit` or `line`.
        self.metadata: dict[str, str] = dict(info.metadata)
        is_limited = self.code == grpc.StatusCode.RESOURCE_EXHAUSTED and self.reason == Reason.RATE_LIMITED
        #: The seconds that the service asks to wait, if there were too many calls.
        self.retry_after: float | None = delay if is_limited else None
