"""The machine-readable part of an error, which may be anything."""

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2


def details_of(error: grpc.Call) -> tuple[error_details_pb2.ErrorInfo, float | None]:
    """Returns the reason, and the seconds that the service asks to wait."""
    trailers, status = dict(error.trailing_metadata() or ()), status_pb2.Status()
    found, info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    try:
        status.MergeFromString(trailers.get("grpc-status-details-bin", b""))
        for detail in status.details if status.code == error.code().value[0] else ():
            if detail.Unpack(info) and info.domain == "secretsapi.v1":
                found.CopyFrom(info)
            detail.Unpack(retry)
    except DecodeError:  # not what it says
        return error_details_pb2.ErrorInfo(), None
    delay = retry.retry_delay
    return found, max(0.0, delay.seconds + delay.nanos / 1e9) if retry.HasField("retry_delay") else None
