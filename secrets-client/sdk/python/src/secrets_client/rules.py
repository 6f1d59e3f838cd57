"""Checks an answer of `Resolve` where it arrives, and the secrets of an event, by core's rules: a client trusts no service."""

import logging
import re
from collections.abc import MutableSequence, Sequence

import grpc
from google.protobuf.message import Message
from secretsapi.v1.context_pb2 import Context
from secretsapi.v1.resolve_service_pb2 import ResolvedSecret, ResolveRequest, ResolveResponse, WatchedSecret, WatchRequest, WatchResponse
from secretsapi.v1.secret_pb2 import Redaction, ScopeKind, Target, TargetKind

from .data import RULES
from .error import SecretsError
from .text import is_visible

_LIMITS, _PATTERNS = RULES["limits"], RULES["patterns"]
_MAX_TOLD = 1_000  # a service has names without end
_IDENTIFIERS = ("organization", "project", "workspace", "user")
_RESERVED = {
    table: [(row["grade"], row["reason"], [pattern.lower() for pattern in row["patterns"]]) for row in rows]
    for table, rows in RULES["reserved"].items()
}
_log, _told = logging.getLogger("secrets_client"), set()


class BrokenRule(SecretsError):
    """An answer that breaks a rule. Nothing of it was used."""

    def __init__(self, rule: str, subject: str = "", detail: str = "") -> None:
        sentence = f"{subject}{RULES['rules'][rule]}{detail}"
        Exception.__init__(self, f"the answer of the service breaks a rule, and nothing of it was used: {sentence}")
        self.code, self.reason, self.metadata, self.retry_after = grpc.StatusCode.DATA_LOSS, None, {"rule": rule}, None
        #: Its name in `rules.json`.
        self.rule = rule


def check(request: ResolveRequest, answer: ResolveResponse) -> None:
    """Raises `BrokenRule`; takes out of the answer the secrets of which this version does not know something."""
    require(not answer.not_modified or (request.if_none_match and not answer.secrets), "not_modified")
    require(answer.environment_bytes >= 0, "environment_bytes")
    check_state(answer)
    check_context(request, answer.context)
    claims = Claims(request, answer.context)
    claims.check(answer.secrets)
    require(answer.not_modified or claims.names.issuperset(request.required_secret_ids), "missing")


def check_state(answer: ResolveResponse | WatchResponse) -> None:
    require(_matches("token", answer.etag), "etag")
    require(_matches("token", answer.revision), "revision")
    require(_is_time(answer, "next_change_time"), "next_change_time")


def check_context(request: ResolveRequest | WatchRequest, context: Context) -> None:
    asked = request.context
    require(_is_context(context), "context")
    if request.HasField("context"):  # the user, and the project of a workspace, are filled in
        require((asked.organization, asked.workspace) == (context.organization, context.workspace), "context")
        require(asked.project == context.project or (not asked.project and asked.workspace != ""), "context")
        require(asked.user in ("", context.user), "context")


class Claims:
    """The secrets of one answer, beside each other and beside what was asked for."""

    def __init__(self, request: ResolveRequest | WatchRequest, context: Context | None) -> None:
        """`context` is that of the answer; None for one that comes without."""
        self._request, self._context = request, context
        self._named = {*request.secret_ids, *request.required_secret_ids}
        self._destinations: set[tuple] = set()
        self.names: set[str] = set()

    def check(self, secrets: MutableSequence[ResolvedSecret] | MutableSequence[WatchedSecret]) -> None:
        require(len(secrets) <= _LIMITS["secrets"], "too_many")
        unknown = []
        for at, secret in enumerate(secrets):
            self._check_name(secret.secret_id)
            subject = f"`{secret.secret_id}`: "
            destination = self._check_secret(secret, subject)
            if destination is None:
                unknown.append(at)
            self._claim(secret.secret_id, subject)
            require(not destination or destination not in self._destinations, "destination", subject)
            self._destinations.add(destination)
        for at in reversed(unknown):
            tell(secrets[at].secret_id, "was left out: this version does not know its kind of target, kind of scope or redaction")
            del secrets[at]

    def check_removed(self, names: Sequence[str]) -> None:
        require(len(names) <= _LIMITS["secrets"], "too_many")
        for name in names:
            self._check_name(name)
            self._claim(name, f"`{name}`: ")

    def _check_name(self, name: str) -> None:
        require(_matches("name", name), "name")
        require(name in self._named or not self._request.secret_ids, "not_requested", f"`{name}`: ")

    def _claim(self, name: str, subject: str) -> None:
        require(name not in self.names, "repeated", subject)
        self.names.add(name)

    def _check_secret(self, secret: ResolvedSecret | WatchedSecret, subject: str) -> tuple | None:
        """Returns what it takes where it is delivered, `()` for nothing; None for a secret of which something is not known."""
        name, kind, kinds = secret.secret_id, secret.target.WhichOneof("kind"), self._request.kinds
        require(secret.version >= 1, "version", subject)
        require(secret.HasField("target"), "target", subject)
        destination = _check_target(name, secret.target, subject)
        if not kind or secret.scope not in ScopeKind.values() or secret.redaction not in Redaction.values():
            require(name not in self._named and (kind or not kinds), "unknown", subject)
            return None
        context = _context_of(secret.secret) if self._context is None else self._context
        within = {1: "", 2: f"/projects/{context.project}", 3: f"/workspaces/{context.workspace}", 4: f"/users/{context.user}"}
        scope = f"organizations/{context.organization}{within.get(secret.scope, '/')}"
        require(secret.secret == f"{scope}/secrets/{name}" and not scope.endswith("/"), "resource", subject)
        require(_is_context(context), "resource", subject)
        require(not kinds or TargetKind.Value(f"TARGET_KIND_{kind.upper()}") in kinds, "not_requested", subject)
        require(kind != "api_only" or name in self._named, "not_requested", subject)
        if isinstance(secret, ResolvedSecret):
            require(1 <= len(secret.value) <= _LIMITS["value_bytes"], "value", subject)
            require(kind != "environment_variable" or _is_text(secret.value), "value", subject)
        else:
            require(_is_time(secret, "expire_time"), "expire_time", subject)
        return destination


def _context_of(path: str) -> Context:
    """What the path of a secret says of its context."""
    parts = path.split("/")
    named = dict(zip(parts[::2], parts[1::2]))
    return Context(**{kind: named.get(f"{kind}s", "") for kind in _IDENTIFIERS})


def _is_context(context: Context) -> bool:
    identifiers = [(kind, getattr(context, kind)) for kind in _IDENTIFIERS]
    is_valid = all(_matches(kind, identifier) or (not identifier and kind != "organization") for kind, identifier in identifiers)
    return is_valid and len(context.user) <= _LIMITS["user_bytes"]


def _is_time(message: Message, field: str) -> bool:
    time = getattr(message, field)
    is_time = _LIMITS["first_second"] <= time.seconds <= _LIMITS["last_second"] and 0 <= time.nanos < 1_000_000_000
    return is_time or not message.HasField(field)


def _check_target(name: str, target: Target, subject: str) -> tuple:
    match target.WhichOneof("kind"):
        case "environment_variable":
            _check_reserved("variables", name, name, subject)
        case "file":
            path, mode = target.file.path, target.file.mode
            require(_is_path(path), "path", subject)
            require(not mode & ~_LIMITS["mode_bits"] and not mode & _LIMITS["mode_bits_refused"], "mode", subject)
            _check_reserved("paths", path, name, subject)
            return ("file", path)
        case "registry":
            host, username = target.registry.host, target.registry.username
            require(_is_host(host), "registry_host", subject)
            is_bounded = 1 <= len(username.encode()) <= _LIMITS["registry_username_bytes"]
            require(is_bounded and ":" not in username and username == username.strip(" "), "registry_username", subject)
            require(is_visible(username), "registry_username", subject)
            return ("registry", host)
    return ()


def _check_reserved(table: str, text: str, name: str, subject: str) -> None:
    """Refuses what is hard; says of what is soft, once, that it is delivered."""
    covers, lower = (_covers_path, f"{text.lower()}/") if table == "paths" else (_covers, text.lower())
    found = [row[:2] for row in _RESERVED[table] if any(covers(pattern, lower) for pattern in row[2])]
    for grade, reason in sorted(found):
        require(grade != "HARD", "reserved", subject, f" ({reason})")
        tell(name, f"is delivered, and {reason}")


def _covers(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _covers_path(pattern: str, path: str) -> bool:
    """Of a path that ends in a slash."""
    start = pattern[:-1] if pattern.endswith("*") else f"{pattern}/"
    # Below any folder, since any may be a home.
    return start[1:] in path if start.startswith("~/") else path.startswith(start)


def _is_path(path: str) -> bool:
    parts = path.removeprefix("~").split("/")
    is_bounded = len(path.encode()) <= _LIMITS["path_bytes"] and all(len(part.encode()) <= _LIMITS["path_part_bytes"] for part in parts)
    return is_bounded and parts[0] == "" and not {"", ".", ".."} & set(parts[1:]) and len(parts) > 1 and is_visible(path)


def _is_host(host: str) -> bool:
    is_bounded = host.startswith("[") or len(host.split(":")[0]) <= _LIMITS["registry_host_bytes"]
    is_name = _matches("registry_dns", host) and not _matches("registry_number", host)
    return is_bounded and (is_name or _matches("registry_ipv4", host) or _matches("registry_ipv6", host))


def _is_text(value: bytes) -> bool:
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(_PATTERNS[pattern], text) is not None


def require(condition: object, rule: str, subject: str = "", detail: str = "") -> None:
    if not condition:
        raise BrokenRule(rule, subject, detail)


def tell(name: str, message: str) -> None:
    if (name, message) not in _told and len(_told) < _MAX_TOLD:
        _told.add((name, message))
        _log.warning("%s %s", name, message)
