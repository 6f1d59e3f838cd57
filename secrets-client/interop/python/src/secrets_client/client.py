"""The client: a connection, a credential, a deadline, and the generated stubs."""

import importlib.resources
import os
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from .error import SecretsError
from .v1 import access_service_pb2_grpc, audit_service_pb2_grpc, directory_service_pb2_grpc
from .v1 import resolve_service_pb2_grpc, secret_service_pb2_grpc
from .v1.resolve_service_pb2 import ResolveRequest

# A connection that fell silent is noticed after 10 + 3 s; a lost one is tried again at least each 3 s.
_OPTIONS = [
    ("grpc.service_config", importlib.resources.files(__package__).joinpath("service_config.json").read_text()),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 3_000),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # how long making a connection may take
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),
]


class Client:
    """Serves every method of the service, from any thread, and reconnects by itself.

    The stubs `secrets`, `resolver`, `directory`, `access` and `audit` have a method each for those of the interface; a call
    that fails raises `SecretsError`. What only reads is sent again while the service is unavailable.
    """

    def __init__(
        self, endpoint: str, token: str | None = None, *, ca: bytes | None = None, deadline: float = 30.0
    ) -> None:
        """`endpoint` is `http://host:port` or `https://host[:port]`; `ca` is PEM, in the place of the system's
        authorities; `deadline` is in seconds, for a call with its repeats."""
        address = urlsplit(endpoint)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"endpoint `{endpoint}` does not pass; `https://secrets.example.com` would")
        target = address.netloc if address.port else f"{address.netloc}:{443 if address.scheme == 'https' else 80}"
        if address.scheme == "https":
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(ca), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        channel = grpc.intercept_channel(self._channel, _Calls(token, deadline))
        self.secrets = secret_service_pb2_grpc.SecretServiceStub(channel)
        self.resolver = resolve_service_pb2_grpc.ResolveServiceStub(channel)
        self.directory = directory_service_pb2_grpc.DirectoryServiceStub(channel)
        self.access = access_service_pb2_grpc.AccessServiceStub(channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(channel)

    @classmethod
    def from_environment(cls) -> "Client":
        """As `SECRETS_ENDPOINT`, `SECRETS_TOKEN` or `SECRETS_TOKEN_FILE`, and `SECRETS_CA_FILE` have it."""
        token, token_file = os.environ.get("SECRETS_TOKEN"), os.environ.get("SECRETS_TOKEN_FILE")
        if not token and token_file:
            token = Path(token_file).read_text().strip()
        ca_file = os.environ.get("SECRETS_CA_FILE")
        ca = Path(ca_file).read_bytes() if ca_file else None
        return cls(os.environ.get("SECRETS_ENDPOINT") or "http://127.0.0.1:50051", token, ca=ca)

    def resolve(self, request: ResolveRequest | None = None) -> dict[str, str]:
        """The variables of a context, the session's own unless `request` names one, ready for a child process.

        Files and registry credentials are not among them: `resolver.Resolve` returns the whole set.
        """
        secrets = self.resolver.Resolve(request or ResolveRequest()).secrets
        return {each.secret_id: each.value.decode() for each in secrets if each.target.HasField("environment_variable")}

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Calls(grpc.UnaryUnaryClientInterceptor):
    """Gives each call the credential and a deadline, and each failure its type."""

    def __init__(self, token: str | None, deadline: float) -> None:
        self._token, self._deadline = token, deadline

    def intercept_unary_unary(self, continuation, details, request):
        call = continuation(self._details(details), request)
        if call.code() is not grpc.StatusCode.OK:
            raise SecretsError(call)
        return call

    def _details(self, details):
        if self._token:
            authorization = ("authorization", f"Bearer {self._token}")
            details = details._replace(metadata=[*(details.metadata or ()), authorization])
        return details._replace(timeout=details.timeout or self._deadline)
