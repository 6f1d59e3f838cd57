"""What goes into the functions of `secrets_core`, and what comes out: dictionaries, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

NamePolicy = Literal["STRICT", "RELAXED"]
TargetKind = Literal["ENVIRONMENT_VARIABLE", "FILE", "REGISTRY", "API_ONLY"]
ScopeKind = Literal["ORGANIZATION", "PROJECT", "WORKSPACE", "USER"]


class NameVerdict(TypedDict):
    valid: bool
    error: str | None
    """What is wrong and what to do, in a sentence that may be shown."""
    suggestion: str | None
    """The nearest valid name."""


class _Target(TypedDict):
    kind: TargetKind


class Target(_Target, total=False):
    path: str
    """Of a file, absolute or below `~/`."""
    mode: str
    """Of a file, in octal digits."""
    host: str
    """Of a registry."""
    username: str
    """Of a registry."""


class Rules(TypedDict, total=False):
    existing: Mapping[str, Target]
    """The secrets that the scope has."""
    only: Sequence[str]
    """The names to import; all if there are none."""
    name_policy: NamePolicy
    allowed_reserved: Sequence[str]
    """The reserved names that the organization allows."""
    conflict_policy: Literal["SKIP", "OVERWRITE", "FAIL"]
    """What becomes of names that exist."""
    on_rejected: Literal["FAIL", "SKIP"]
    """What becomes of the others when an entry is rejected."""
    literal: bool
    """Whether `${…}` and references of other tools, such as `op://…`, are meant as they stand."""
    rename: bool
    """Whether an entry whose name is not valid gets the one that is suggested."""


class Problem(TypedDict):
    line: int | None
    message: str


class Entry(TypedDict):
    line: int
    key: str | None
    """The name as it was written, unless it may be a part of a value."""
    secret_id: str | None
    """The name, if it would be applied; another one than `key` if it is renamed."""
    outcome: Literal[
        "CREATED",
        "UPDATED",
        "UNCHANGED",
        "SKIPPED_EXISTS",
        "SKIPPED_EMPTY",
        "OVERRIDDEN_LATER",
        "REJECTED",
        "SKIPPED_NOT_SELECTED",
    ]
    reason: str | None
    """Why it would not be applied, or what to know before it is."""
    suggestion: str | None


class Review(TypedDict):
    problem: Problem | None
    """Why the document can't be read; then there is nothing else."""
    entries: list[Entry]
    missing: list[str]
    """Names to import that no entry has."""
    may_apply: bool


class _Context(TypedDict):
    organization: str
    """A uid, like all of these."""


class Context(_Context, total=False):
    project: str | None
    workspace: str | None
    user: str | None


class Scope(TypedDict):
    kind: ScopeKind
    uid: str


class Visibility(TypedDict, total=False):
    projects: Sequence[str]
    workspaces: Sequence[str]


class _Candidate(TypedDict):
    uid: str
    scope: Scope
    secret_id: str


class Candidate(_Candidate, total=False):
    target: Target
    group: str | None
    visibility: Visibility | None
    override_policy: Literal["ALLOWED", "LOCKED"] | None
    disabled: bool
    expire_time: int | None
    """In microseconds since 1970 (UTC)."""


class Question(TypedDict):
    context: Context
    now: int
    """In microseconds since 1970 (UTC)."""
    candidates: Sequence[Candidate]
    """All secrets of the context's scopes."""


class Winner(TypedDict):
    secret_id: str
    uid: str
    scope: ScopeKind


class NotChosen(TypedDict):
    secret_id: str
    uid: str
    scope: ScopeKind
    reason: Literal[
        "LOWER_PRECEDENCE",
        "LOCKED_ABOVE",
        "SAME_TARGET",
        "GROUP_FROM_NARROWER_SCOPE",
        "EXPIRED",
        "DISABLED",
        "NOT_VISIBLE",
    ]
    blocked_by: str | None
    """The secret that stands in its way, if one does."""


class Explanation(TypedDict):
    winners: list[Winner]
    not_chosen: list[NotChosen]
    valid_until: int | None
    """When this changes by itself, in microseconds since 1970 (UTC)."""


class Unmasked(TypedDict):
    name: str
    reason: Literal["OFF", "TOO_SHORT", "SHORT_LINES"]
