/** Checks an answer of `Resolve` where it arrives, and the secrets of an event, by core's rules: a client trusts no service. */
import { create, isMessage, type Message } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Metadata, status } from "@grpc/grpc-js";

import { RULES, type Row } from "./data.js";
import { SecretsError } from "./error.js";
import { ContextSchema, type Context } from "./gen/secretsapi/v1/context_pb.js";
import { ResolveRequestSchema, ResolveResponseSchema, WatchedSecretSchema } from "./gen/secretsapi/v1/resolve_service_pb.js";
import type { ResolvedSecret, ResolveRequest, ResolveResponse } from "./gen/secretsapi/v1/resolve_service_pb.js";
import type { WatchedSecret, WatchRequest, WatchResponse } from "./gen/secretsapi/v1/resolve_service_pb.js";
import { Redaction, ScopeKind, TargetKind } from "./gen/secretsapi/v1/secret_pb.js";
import type { FileTarget, RegistryTarget } from "./gen/secretsapi/v1/secret_pb.js";
import { isVisible } from "./text.js";

const PATTERNS = new Map(Object.entries(RULES.patterns).map(([name, pattern]) => [name, new RegExp(`^(?:${pattern})$`, "u")]));
for (const row of [...RULES.reserved.variables, ...RULES.reserved.paths]) row.patterns = row.patterns.map(lower);

const KINDS = {
  environmentVariable: TargetKind.ENVIRONMENT_VARIABLE,
  file: TargetKind.FILE,
  registry: TargetKind.REGISTRY,
  apiOnly: TargetKind.API_ONLY,
};

/** More than any pattern accepts. */
const MAX_MATCHED = 512;

/** A service has names without end. */
const MAX_TOLD = 1_000;

const told = new Set<string>();

/** An answer that breaks a rule. Nothing of it was used. */
export class BrokenRule extends SecretsError {
  /** Its name in `rules.json`. */
  readonly rule: string;

  constructor(rule: string, name: string, detail: string) {
    const sentence = `${name && `\`${name}\`: `}${RULES.rules[rule]}${detail}`;
    const details = `the answer of the service breaks a rule, and nothing of it was used: ${sentence}`;
    super(Object.assign(new Error(details), { code: status.DATA_LOSS, details, metadata: new Metadata() }));
    this.rule = rule;
  }
}

/** What Resolve and Watch are asked. */
type Question = ResolveRequest | WatchRequest;
type Sent = ResolvedSecret | WatchedSecret;

/** The answer; one of Resolve without the secrets of which this version does not know something. Throws `BrokenRule`. */
export function checked<A extends Message>(asked: Message, answer: A): A {
  if (isMessage(asked, ResolveRequestSchema) && isMessage(answer, ResolveResponseSchema)) check(asked, answer);
  return answer;
}

function check(asked: ResolveRequest, answer: ResolveResponse): void {
  demand("not_modified", !answer.notModified || (asked.ifNoneMatch !== "" && answer.secrets.length === 0));
  demand("environment_bytes", answer.environmentBytes >= 0n);
  checkState(answer);
  checkContext(asked, answer.context);
  const claims = new Claims(asked, answer.context);
  answer.secrets = claims.check(answer.secrets);
  demand("missing", answer.notModified || asked.requiredSecretIds.every((name) => claims.names.has(name)));
}

/** What an answer and an event have in common. */
export function checkState({ etag, revision, nextChangeTime }: ResolveResponse | WatchResponse): void {
  demand("etag", matches("token", etag));
  demand("revision", matches("token", revision));
  demand("next_change_time", isTime(nextChangeTime));
}

export function checkContext(asked: Question, context: Context | undefined): void {
  demand("context", context !== undefined && isContext(context) && (!asked.context || isAnswerTo(asked.context, context)));
}

function isContext({ organization, project, workspace, user }: Context): boolean {
  const isEach = (!project || matches("project", project)) && (!workspace || matches("workspace", workspace));
  return matches("organization", organization) && isEach && (!user || (matches("user", user) && user.length <= limit("user_bytes")));
}

/** The user, and the project of a workspace, are filled in. */
function isAnswerTo(asked: Context, answered: Context): boolean {
  const isProject = asked.project === answered.project || (!asked.project && asked.workspace !== "");
  const isUser = asked.user === answered.user || !asked.user;
  return asked.organization === answered.organization && asked.workspace === answered.workspace && isProject && isUser;
}

/** The secrets of one answer, beside each other and beside what was asked for. */
export class Claims {
  readonly names = new Set<string>();
  readonly #destinations = new Set<string>();
  readonly #asked: Question;
  readonly #named: Set<string>;
  readonly #context: Context | undefined;

  /** `context` is that of the answer; none for one that comes without. */
  constructor(asked: Question, context?: Context) {
    this.#asked = asked;
    this.#named = new Set([...asked.secretIds, ...asked.requiredSecretIds]);
    this.#context = context;
  }

  /** Those of which this version knows everything. */
  check<S extends Sent>(secrets: S[]): S[] {
    demand("too_many", secrets.length <= limit("secrets"));
    return secrets.filter((secret) => {
      const name = secret.secretId;
      this.#checkName(name);
      const isKnown = this.#checkSecret(secret);
      const destination = isKnown ? destinationOf(secret) : "";
      this.#claim(name);
      demand("destination", !destination || !this.#destinations.has(destination), name);
      this.#destinations.add(destination);
      if (!isKnown) tell(name, "was left out: this version does not know its kind of target, kind of scope or redaction");
      return isKnown;
    });
  }

  checkRemoved(names: string[]): void {
    demand("too_many", names.length <= limit("secrets"));
    for (const name of names) {
      this.#checkName(name);
      this.#claim(name);
    }
  }

  #checkName(name: string): void {
    demand("name", matches("name", name));
    demand("not_requested", this.#named.has(name) || this.#asked.secretIds.length === 0, name);
  }

  #claim(name: string): void {
    demand("repeated", !this.names.has(name), name);
    this.names.add(name);
  }

  /** Whether all of it is known. */
  #checkSecret(secret: Sent): boolean {
    const { secretId: name, target } = secret;
    const { kinds } = this.#asked;
    const isNamed = this.#named.has(name);
    demand("version", secret.version >= 1, name);
    demand("target", target !== undefined, name);
    const kind = target!.kind;
    if (kind.case === "environmentVariable") checkReserved(RULES.reserved.variables, name, name, covers);
    if (kind.case === "file") checkFile(name, kind.value);
    if (kind.case === "registry") checkRegistry(name, kind.value);
    if (kind.case === undefined || !(secret.scope in ScopeKind) || !(secret.redaction in Redaction)) {
      demand("unknown", !isNamed && (kind.case !== undefined || kinds.length === 0), name);
      return false;
    }
    const context = this.#context ?? contextOf(secret.secret);
    const path = `${scopeOf(context, secret.scope)}/secrets/${name}`;
    demand("resource", secret.secret === path && isContext(context), name);
    demand("not_requested", kinds.length === 0 || kinds.includes(KINDS[kind.case]), name);
    demand("not_requested", kind.case !== "apiOnly" || isNamed, name);
    if (isMessage(secret, WatchedSecretSchema)) {
      demand("expire_time", isTime(secret.expireTime), name);
    } else {
      demand("value", secret.value.length >= 1 && secret.value.length <= limit("value_bytes"), name);
      demand("value", kind.case !== "environmentVariable" || isText(secret.value), name);
    }
    return true;
  }
}

function isTime(time: Timestamp | undefined): boolean {
  const { seconds, nanos } = time ?? { seconds: 0n, nanos: 0 };
  return limit("first_second") <= seconds && seconds <= limit("last_second") && nanos >= 0 && nanos < 1e9;
}

/** What the path of a secret says of its context. */
function contextOf(path: string): Context {
  const parts = path.split("/");
  const after = (collection: string) => parts.find((_, at) => at % 2 === 1 && parts[at - 1] === collection) ?? "";
  const [organization, project, workspace, user] = ["organizations", "projects", "workspaces", "users"].map(after);
  return create(ContextSchema, { organization, project, workspace, user });
}

/** The path of a context's scope; of one that it does not have, a text that is no path. */
function scopeOf({ organization, project, workspace, user }: Context, kind: ScopeKind): string {
  const within = {
    [ScopeKind.UNSPECIFIED]: "/",
    [ScopeKind.ORGANIZATION]: "",
    [ScopeKind.PROJECT]: `/projects/${project}`,
    [ScopeKind.WORKSPACE]: `/workspaces/${workspace}`,
    [ScopeKind.USER]: `/users/${user}`,
  }[kind];
  return within.endsWith("/") ? "\0" : `organizations/${organization}${within}`;
}

function checkFile(name: string, { path, mode }: FileTarget): void {
  demand("path", isPath(path), name);
  // As numbers: what is `|` in JavaScript has 32 bits and a sign.
  demand("mode", mode <= limit("mode_bits") && (mode & limit("mode_bits_refused")) === 0, name);
  checkReserved(RULES.reserved.paths, `${path}/`, name, coversPath);
}

function checkRegistry(name: string, { host, username }: RegistryTarget): void {
  demand("registry_host", isHost(host), name);
  const isBounded = username !== "" && bytes(username) <= limit("registry_username_bytes");
  const isPlain = !username.includes(":") && !username.startsWith(" ") && !username.endsWith(" ") && isVisible(username);
  demand("registry_username", isBounded && isPlain, name);
}

/** What it takes where it is delivered, beside its name. */
function destinationOf({ target }: Sent): string {
  const kind = target!.kind;
  if (kind.case === "file") return `file ${kind.value.path}`;
  return kind.case === "registry" ? `registry ${kind.value.host}` : "";
}

/** Refuses what is hard, and says of what is soft, once, that it is delivered. */
function checkReserved(table: Row[], text: string, name: string, covers: (pattern: string, text: string) => boolean): void {
  const compared = lower(text);
  const rows = table.filter((row) => row.patterns.some((pattern) => covers(pattern, compared)));
  for (const row of rows) demand("reserved", row.grade !== "HARD", name, ` (${row.reason})`);
  for (const row of rows) tell(name, `is delivered, and ${row.reason}`);
}

function covers(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/** Of a path that ends in a slash. */
function coversPath(pattern: string, path: string): boolean {
  const start = pattern.endsWith("*") ? pattern.slice(0, -1) : `${pattern}/`;
  // Below any folder, since any may be a home.
  return start.startsWith("~/") ? path.includes(start.slice(1)) : path.startsWith(start);
}

function isPath(path: string): boolean {
  const [start, ...parts] = path.replace(/^~/, "").split("/");
  const isPart = (part: string) => !["", ".", ".."].includes(part) && bytes(part) <= limit("path_part_bytes");
  return start === "" && parts.length > 0 && parts.every(isPart) && bytes(path) <= limit("path_bytes") && isVisible(path);
}

function isHost(host: string): boolean {
  const isBounded = host.startsWith("[") || host.split(":")[0]!.length <= limit("registry_host_bytes");
  const isName = matches("registry_dns", host) && !matches("registry_number", host);
  return isBounded && (isName || matches("registry_ipv4", host) || matches("registry_ipv6", host));
}

function isText(value: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(value);
    return !value.includes(0);
  } catch {
    return false;
  }
}

function matches(pattern: string, text: string): boolean {
  return text.length <= MAX_MATCHED && PATTERNS.get(pattern)!.test(text);
}

function limit(name: string): number {
  return RULES.limits[name]!;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** ASCII alone, as the table is compared. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function demand(rule: string, isKept: boolean, name = "", detail = ""): void {
  if (!isKept) throw new BrokenRule(rule, name, detail);
}

export function tell(name: string, message: string): void {
  const sentence = `${name} ${message}`;
  if (told.has(sentence) || told.size >= MAX_TOLD) return;
  told.add(sentence);
  process.emitWarning(sentence, "SecretsWarning");
}
