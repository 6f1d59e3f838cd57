"""The client: a connection, a credential, a deadline, and the generated stubs."""

import importlib.resources
import os
import random
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
from secretsapi.v1 import access_service_pb2_grpc, audit_service_pb2_grpc, directory_service_pb2_grpc
from secretsapi.v1 import resolve_service_pb2_grpc, secret_service_pb2_grpc
from secretsapi.v1.resolve_service_pb2 import ResolveRequest, WatchRequest, WatchResponse

from . import rate_limit
from .endpoint import Endpoint
from .error import SecretsError
from .events import CheckedEvents
from .rules import check

# A connection that fell silent is noticed after 10 + 3 s; a lost one is tried again at least each 3 s.
_OPTIONS = [
    ("grpc.service_config", importlib.resources.files(__package__).joinpath("service_config.json").read_text()),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.ping_timeout_ms", 3_000),  # without it, a ping of keepalive is waited for a minute
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 3_000),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # how long making a connection may take
]


class Client:
    """Serves every method of the service, from any thread, and reconnects by itself.

    The stubs `secrets`, `resolver`, `directory`, `access` and `audit` have a method each for those of the interface; a call
    that fails raises `SecretsError`. What only reads is sent again while the service is unavailable.
    """

    def __init__(
        self, endpoint: str, token: str | None = None, *, ca: bytes | None = None, deadline: float = 30, insecure: bool = False
    ) -> None:
        """`endpoint` is a `https://` address, or, with `insecure` or on this machine, an `http://` one; `ca` PEM in the place of
        gRPC's own, `deadline` seconds, 30 at most."""
        address = Endpoint.parse(endpoint, insecure=insecure)
        if token is not None and not re.fullmatch("[!-~]+", token := token.strip()):  # grpcio would refuse it in an error that shows it
            raise ValueError("the token is empty, or has an invalid character")
        target = f"dns:///{address.host}:{address.port}"
        if address.is_tls:
            if ca is not None:  # without a certificate, grpcio would only log that
                ssl.create_default_context(cadata=ca.decode())
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(ca), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        self._closed = threading.Event()
        channel = _Unregistered(grpc.intercept_channel(self._channel, _Calls(token, deadline, self._closed.wait)))
        self.secrets = secret_service_pb2_grpc.SecretServiceStub(channel)
        self.resolver = resolve_service_pb2_grpc.ResolveServiceStub(channel)
        self.directory = directory_service_pb2_grpc.DirectoryServiceStub(channel)
        self.access = access_service_pb2_grpc.AccessServiceStub(channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(channel)

    @classmethod
    def from_environment(cls) -> "Client":
        """Reads `SECRETS_ENDPOINT`, `SECRETS_TOKEN` or `SECRETS_TOKEN_FILE`, `SECRETS_CA_FILE`, and `SECRETS_INSECURE`."""
        token, token_file, ca_file = (os.environ.get(f"SECRETS_{name}") or None for name in ("TOKEN", "TOKEN_FILE", "CA_FILE"))
        if token is None and token_file:
            token = Path(token_file).read_text()
        endpoint = os.environ.get("SECRETS_ENDPOINT") or "http://127.0.0.1:50051"
        insecure = os.environ.get("SECRETS_INSECURE") == "1"
        return cls(endpoint, token, ca=Path(ca_file).read_bytes() if ca_file else None, insecure=insecure)

    def resolve(self, request: ResolveRequest | None = None) -> dict[str, str]:
        """Returns the variables (no files, no registries) of a context, by default the session's own, ready for a child process."""
        secrets = self.resolver.Resolve(request or ResolveRequest()).secrets
        return {each.secret_id: each.value.decode() for each in secrets if each.target.HasField("environment_variable")}

    def watch(self, request: WatchRequest | None = None) -> Iterator[WatchResponse]:
        """Yields what `resolve` would deliver, without values, and then each change, until the client is closed.

        It reconnects by itself, and yields the whole set again if something has changed meanwhile; no heartbeats. When the
        caller may no longer resolve the context, it raises `SecretsError`.
        """
        request, pause = WatchRequest.FromString((request or WatchRequest()).SerializeToString()), 0.1
        while not self._closed.is_set():
            stream, wait = self.resolver.Watch(request), random.uniform(0, pause)
            try:
                for event in stream:
                    request.if_none_match, pause = event.etag, 0.1
                    if event.WhichOneof("event") in ("set", "changed"):
                        yield event
            except SecretsError as error:
                if not self._closed.is_set():
                    wait = rate_limit.watch_delay(error, wait)
            except ValueError:  # closed on the way into the call
                if not self._closed.is_set():
                    raise
            finally:
                stream.cancel()
            self._closed.wait(wait)
            pause = min(2 * pause, 3)

    def close(self) -> None:
        """Ends every watch and the connection."""
        self._closed.set()
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Unregistered:
    """A channel for stubs, which register their methods: grpcio crashes when one is called once the channel is closed."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def unary_unary(self, method, request_serializer, response_deserializer, **_):
        return self._channel.unary_unary(method, request_serializer, response_deserializer)

    def unary_stream(self, method, request_serializer, response_deserializer, **_):
        return self._channel.unary_stream(method, request_serializer, response_deserializer)


class _Calls(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Gives each call the credential, and one with one answer a deadline, and its failure a type."""

    def __init__(self, token: str | None, deadline: float, sleep: Callable[[float], object]) -> None:
        self._authorization = (("authorization", f"Bearer {token}"),) if token else ()
        self._deadline, self._sleep = deadline, sleep

    def intercept_unary_unary(self, continuation, details, request):
        details = self._authorized(details)
        send = lambda seconds: continuation(details._replace(timeout=seconds), request)
        call = rate_limit.obey(send, details.timeout or self._deadline, self._sleep)
        failure = call.exception()
        if failure:  # a closed channel, or what is no request, is none of the service's
            raise SecretsError(call) if isinstance(failure, grpc.RpcError) else failure
        if isinstance(request, ResolveRequest):
            check(request, call.result())
        return call

    def intercept_unary_stream(self, continuation, details, request):
        return CheckedEvents(request, continuation(self._authorized(details), request))

    def _authorized(self, details):
        return details._replace(metadata=(*(details.metadata or ()), *self._authorization))
