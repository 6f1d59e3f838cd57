"""Checks each event of a watch where it arrives: a watch that has one which breaks a rule is refused."""

import threading
from collections.abc import Iterator

import grpc
from secretsapi.v1.resolve_service_pb2 import WatchRequest, WatchResponse

from .error import SecretsError
from .rules import Claims, check_context, check_state, require, tell

# Three heartbeats: a stream without an event for longer is dead, though nobody closed it.
_MAX_SILENCE = 45


class CheckedEvents:
    """A stream of events; whatever else is asked of it, the call itself answers."""

    def __init__(self, request: WatchRequest, call: grpc.Call) -> None:
        self._request, self._call, self._is_first, self._is_silent = request, call, True, False

    def __iter__(self) -> Iterator[WatchResponse]:
        return self

    def __next__(self) -> WatchResponse:
        timer = threading.Timer(_MAX_SILENCE, self._end_silence)
        timer.daemon = True
        timer.start()
        try:
            event = next(self._call)
        except grpc.RpcError:
            raise self._failure() from None
        finally:
            timer.cancel()
        try:
            _check(self._request, event, self._is_first)
        except SecretsError:
            self._call.cancel()
            raise
        self._is_first = False
        return event

    def _end_silence(self) -> None:
        self._is_silent = True
        self._call.cancel()

    def _failure(self) -> SecretsError:
        error = SecretsError(self._call)
        if self._is_silent:
            error.code, error.args = grpc.StatusCode.UNAVAILABLE, (f"no event and no heartbeat for {_MAX_SILENCE} s",)
        return error

    def __getattr__(self, name: str) -> object:
        return getattr(self._call, name)


def _check(request: WatchRequest, event: WatchResponse, is_first: bool) -> None:
    """Raises `BrokenRule`; takes out of the event the secrets of which this version does not know something."""
    kind = event.WhichOneof("event")
    is_in_order = is_first if kind == "set" else not is_first or (kind == "heartbeat" and request.if_none_match)
    require(is_in_order, "event_order")
    check_state(event)
    if kind == "set":
        check_context(request, event.set.context)
        Claims(request, event.set.context).check(event.set.secrets)
    elif kind == "changed":
        # A change comes without a context: a workspace that was transferred gets the secrets of another user.
        claims = Claims(request, None)
        claims.check(event.changed.added)
        claims.check(event.changed.updated)
        claims.check_removed(event.changed.removed)
    elif kind is None:
        tell("an event", "was left out: this version does not know its kind")
