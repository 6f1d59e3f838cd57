"""Why a call failed."""

import grpc
from google.rpc import error_details_pb2, status_pb2

from .reason import Reason


class SecretsError(Exception):
    """A call that did not succeed: the service said no, or could not be reached (`reason` is None)."""

    def __init__(self, error: grpc.Call) -> None:
        super().__init__(error.details())
        self.code: grpc.StatusCode = error.code()
        #: The reason, if the service gave one that this version knows.
        self.reason: Reason | None = None
        #: Facts beside the reason, for instance `suggestion`, `limit` or `line`.
        self.metadata: dict[str, str] = {}
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
        info = error_details_pb2.ErrorInfo()
        for detail in status.details:
            if detail.Unpack(info) and info.domain == "secretsapi.v1":
                self.reason = Reason.__members__.get(info.reason)
                self.metadata = dict(info.metadata)
