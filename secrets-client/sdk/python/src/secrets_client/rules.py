"""Checks an answer of `Resolve` where it arrives, by core's rules (`rules.json`): a client trusts no service."""

import importlib.resources
import json
import logging
import re

import grpc
from secretsapi.v1.context_pb2 import Context
from secretsapi.v1.resolve_service_pb2 import ResolvedSecret, ResolveRequest, ResolveResponse
from secretsapi.v1.secret_pb2 import Redaction, ScopeKind, Target, TargetKind

from .error import SecretsError

_FILE = json.loads(importlib.resources.files(__package__).joinpath("rules.json").read_text())
_LIMITS, _PATTERNS = _FILE["limits"], _FILE["patterns"]
_RESERVED = {
    table: [(row["grade"], row["reason"], [pattern.lower() for pattern in row["patterns"]]) for row in rows]
    for table, rows in _FILE["reserved"].items()
}
_log, _told = logging.getLogger("secrets_client"), set()


class BrokenRule(SecretsError):
    """An answer that breaks a rule. Nothing of it was used."""

    def __init__(self, rule: str, subject: str = "", detail: str = "") -> None:
        sentence = f"{subject}{_FILE['rules'][rule]}{detail}"
        Exception.__init__(self, f"the answer of the service breaks a rule, and nothing of it was used: {sentence}")
        self.code, self.reason, self.metadata = grpc.StatusCode.DATA_LOSS, None, {"rule": rule}
        #: Its name in `rules.json`.
        self.rule = rule


def check(request: ResolveRequest, answer: ResolveResponse) -> None:
    """Raises `BrokenRule`; takes out of the answer the secrets of which this version does not know something."""
    _check_whole(request, answer)
    names, destinations, unknown = set(), set(), []
    for secret in answer.secrets:
        if not _matches("name", secret.secret_id):
            raise BrokenRule("name")
        subject = f"`{secret.secret_id}`: "
        destination = _check_secret(request, answer.context, secret, subject)
        if destination is None:
            unknown.append(secret)
        _require(secret.secret_id not in names, "repeated", subject)
        _require(not destination or destination not in destinations, "destination", subject)
        names.add(secret.secret_id)
        destinations.add(destination)
    _require(answer.not_modified or names.issuperset(request.required_secret_ids), "missing")
    for secret in unknown:
        _tell(secret.secret_id, "was left out: this version does not know its kind of target, kind of scope or redaction")
        answer.secrets.remove(secret)


def _check_whole(request: ResolveRequest, answer: ResolveResponse) -> None:
    asked, context = request.context, answer.context
    _require(len(answer.secrets) <= _LIMITS["secrets"], "too_many")
    _require(not answer.not_modified or (request.if_none_match and not answer.secrets), "not_modified")
    _require(answer.environment_bytes >= 0, "environment_bytes")
    _require(_matches("token", answer.etag), "etag")
    _require(_matches("token", answer.revision), "revision")
    if answer.HasField("next_change_time"):
        seconds = answer.next_change_time.seconds
        _require(_LIMITS["first_second"] <= seconds <= _LIMITS["last_second"], "next_change_time")
    for kind in ("organization", "project", "workspace", "user"):
        identifier = getattr(context, kind)
        _require(_matches(kind, identifier) or (not identifier and kind != "organization"), "context")
    _require(len(context.user) <= _LIMITS["user_bytes"], "context")
    if request.HasField("context"):  # the user, and the project of a workspace, are filled in
        _require((asked.organization, asked.workspace) == (context.organization, context.workspace), "context")
        _require(asked.project == context.project or (not asked.project and asked.workspace != ""), "context")
        _require(asked.user in ("", context.user), "context")


def _check_secret(request: ResolveRequest, context: Context, secret: ResolvedSecret, subject: str) -> tuple | None:
    """Returns what it takes where it is delivered, `()` for nothing; None for a secret of which something is not known."""
    name, kind = secret.secret_id, secret.target.WhichOneof("kind")
    is_named = name in request.secret_ids or name in request.required_secret_ids
    _require(is_named or not request.secret_ids, "not_requested", subject)
    _require(secret.version >= 1, "version", subject)
    _require(secret.HasField("target"), "target", subject)
    destination = _check_target(name, secret.target, subject)
    if not kind or secret.scope not in ScopeKind.values() or secret.redaction not in Redaction.values():
        _require(not is_named and (kind or not request.kinds), "unknown", subject)
        return None
    within = {1: "", 2: f"/projects/{context.project}", 3: f"/workspaces/{context.workspace}", 4: f"/users/{context.user}"}
    scope = f"organizations/{context.organization}{within.get(secret.scope, '/')}"
    _require(secret.secret == f"{scope}/secrets/{name}" and not scope.endswith("/"), "resource", subject)
    _require(not request.kinds or TargetKind.Value(f"TARGET_KIND_{kind.upper()}") in request.kinds, "not_requested", subject)
    _require(kind != "api_only" or is_named, "not_requested", subject)
    _require(1 <= len(secret.value) <= _LIMITS["value_bytes"], "value", subject)
    if kind == "environment_variable":
        _require(_is_text(secret.value) and b"\0" not in secret.value, "value", subject)
    return destination


def _check_target(name: str, target: Target, subject: str) -> tuple:
    match target.WhichOneof("kind"):
        case "environment_variable":
            _check_reserved("variables", name, name, subject)
        case "file":
            path, mode = target.file.path, target.file.mode
            _require(_is_path(path), "path", subject)
            _require(not mode & ~_LIMITS["mode_bits"] and not mode & _LIMITS["mode_bits_refused"], "mode", subject)
            _check_reserved("paths", path, name, subject)
            return ("file", path)
        case "registry":
            host, username = target.registry.host, target.registry.username
            _require(_is_host(host), "registry_host", subject)
            is_bounded = 1 <= len(username.encode()) <= _LIMITS["registry_username_bytes"]
            _require(is_bounded and ":" not in username and username == username.strip(" "), "registry_username", subject)
            _require(_is_visible(username), "registry_username", subject)
            return ("registry", host)
    return ()


def _check_reserved(table: str, text: str, name: str, subject: str) -> None:
    """Refuses what is hard; says of what is soft, once, that it is delivered."""
    covers = _covers_path if table == "paths" else _covers
    lower = text.lower()
    found = [row[:2] for row in _RESERVED[table] if any(covers(pattern, lower) for pattern in row[2])]
    for grade, reason in sorted(found):
        _require(grade != "HARD", "reserved", subject, f" ({reason})")
        _tell(name, f"is delivered, and {reason}")


def _covers(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _covers_path(pattern: str, path: str) -> bool:
    if pattern.startswith("~/"):  # below any folder, since any may be a home
        return any(_covers_path(pattern[1:], path[at:]) for at, c in enumerate(path) if c == "/")
    return _covers(pattern, path) or path.startswith(f"{pattern}/")


def _is_path(path: str) -> bool:
    parts = path.removeprefix("~").split("/")
    is_bounded = len(path.encode()) <= _LIMITS["path_bytes"] and all(len(part.encode()) <= _LIMITS["path_part_bytes"] for part in parts)
    return is_bounded and parts[0] == "" and not {"", ".", ".."} & set(parts[1:]) and len(parts) > 1 and _is_visible(path)


def _is_host(host: str) -> bool:
    is_bounded = host.startswith("[") or len(host.split(":")[0]) <= _LIMITS["registry_host_bytes"]
    is_name = _matches("registry_dns", host) and not _matches("registry_number", host)
    return is_bounded and (is_name or _matches("registry_ipv4", host) or _matches("registry_ipv6", host))


def _is_visible(text: str) -> bool:
    return not any(first <= ord(c) <= last for c in text for first, last in _FILE["invisible"])


def _is_text(value: bytes) -> bool:
    try:
        return value.decode() is not None
    except UnicodeDecodeError:
        return False


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(_PATTERNS[pattern], text) is not None


def _require(condition: object, rule: str, subject: str = "", detail: str = "") -> None:
    if not condition:
        raise BrokenRule(rule, subject, detail)


def _tell(name: str, message: str) -> None:
    if (name, message) not in _told:
        _told.add((name, message))
        _log.warning("%s %s", name, message)
