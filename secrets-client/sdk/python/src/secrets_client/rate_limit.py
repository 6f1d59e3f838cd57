"""Waits as the service asks to, when there were too many calls: it refused them before it did anything."""

import random
import time
from collections.abc import Callable

import grpc

from .error import SecretsError

# The shortest wait, whatever the service asks for.
_MIN_WAIT = 0.1
# The longest wait of a watch, which has no deadline.
_MAX_WATCH_WAIT = 30.0
# What becomes of a watch whose connection, or a proxy on the way, breaks.
_TEMPORARY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


def delay(error: SecretsError) -> float | None:
    """Returns how long to wait before the call is sent again: as long as the service asks for, and a little more, by chance."""
    return None if error.retry_after is None else max(error.retry_after, _MIN_WAIT) * random.uniform(1, 1.2)


def watch_delay(error: SecretsError, own: float) -> float:
    """Returns how long a watch waits that failed, by itself `own` seconds; raises what it does not go on after."""
    if error.retry_after is not None:
        return min(delay(error), _MAX_WATCH_WAIT)
    if error.code in _TEMPORARY:
        return own
    raise error


def obey(send: Callable[[float], grpc.Call], seconds: float, sleep: Callable[[float], object]) -> grpc.Call:
    """Sends a call, with the seconds that it has left, until the service does not ask to wait, or the wait does not fit."""
    end = time.monotonic() + seconds
    while True:
        call = send(end - time.monotonic())
        failure = call.exception()
        wait = delay(SecretsError(call)) if isinstance(failure, grpc.RpcError) else None
        if wait is None or time.monotonic() + wait >= end:
            return call
        sleep(wait)
