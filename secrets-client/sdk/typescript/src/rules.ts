/** Checks an answer of `Resolve` where it arrives, by core's rules (`rules.json`): a client trusts no service. */
import { readFileSync } from "node:fs";

import { isMessage, type Message } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";

import { SecretsError } from "./error.js";
import type { Context } from "./gen/secretsapi/v1/context_pb.js";
import { ResolveRequestSchema, ResolveResponseSchema } from "./gen/secretsapi/v1/resolve_service_pb.js";
import type { ResolvedSecret, ResolveRequest, ResolveResponse } from "./gen/secretsapi/v1/resolve_service_pb.js";
import { Redaction, ScopeKind, TargetKind } from "./gen/secretsapi/v1/secret_pb.js";
import type { FileTarget, RegistryTarget } from "./gen/secretsapi/v1/secret_pb.js";

interface Row {
  grade: string;
  reason: string;
  patterns: string[];
}

interface Rules {
  rules: Record<string, string>;
  limits: Record<string, number>;
  patterns: Record<string, string>;
  invisible: [number, number][];
  reserved: { variables: Row[]; paths: Row[] };
}

const RULES = JSON.parse(readFileSync(new URL("./rules.json", import.meta.url), "utf8")) as Rules;
const PATTERNS = new Map(Object.entries(RULES.patterns).map(([name, pattern]) => [name, new RegExp(`^(?:${pattern})$`, "u")]));
for (const row of [...RULES.reserved.variables, ...RULES.reserved.paths]) row.patterns = row.patterns.map(lower);

const KINDS = {
  environmentVariable: TargetKind.ENVIRONMENT_VARIABLE,
  file: TargetKind.FILE,
  registry: TargetKind.REGISTRY,
  apiOnly: TargetKind.API_ONLY,
};

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

/** The answer; one of Resolve without the secrets of which this version does not know something. Throws `BrokenRule`. */
export function checked<A extends Message>(asked: Message, answer: A): A {
  if (isMessage(asked, ResolveRequestSchema) && isMessage(answer, ResolveResponseSchema)) check(asked, answer);
  return answer;
}

function check(asked: ResolveRequest, answer: ResolveResponse): void {
  checkWhole(asked, answer);
  const names = new Set<string>();
  const destinations = new Set<string>();
  answer.secrets = answer.secrets.filter((secret) => {
    const name = secret.secretId;
    demand("name", matches("name", name));
    const isKnown = checkSecret(asked, answer.context!, secret);
    const destination = isKnown ? destinationOf(secret) : "";
    demand("repeated", !names.has(name), name);
    demand("destination", !destination || !destinations.has(destination), name);
    names.add(name);
    destinations.add(destination);
    if (!isKnown) tell(name, "was left out: this version does not know its kind of target, kind of scope or redaction");
    return isKnown;
  });
  demand("missing", answer.notModified || asked.requiredSecretIds.every((name) => names.has(name)));
}

function checkWhole(asked: ResolveRequest, answer: ResolveResponse): void {
  const { context, nextChangeTime } = answer;
  const seconds = nextChangeTime?.seconds ?? 0n;
  const { project = "", workspace = "", user = "" } = context ?? {};
  demand("too_many", answer.secrets.length <= limit("secrets"));
  demand("not_modified", !answer.notModified || (asked.ifNoneMatch !== "" && answer.secrets.length === 0));
  demand("environment_bytes", answer.environmentBytes >= 0n);
  demand("etag", matches("token", answer.etag));
  demand("revision", matches("token", answer.revision));
  demand("next_change_time", limit("first_second") <= seconds && seconds <= limit("last_second"));
  demand("context", context !== undefined && matches("organization", context.organization));
  demand("context", !project || matches("project", project));
  demand("context", !workspace || matches("workspace", workspace));
  demand("context", !user || (matches("user", user) && user.length <= limit("user_bytes")));
  demand("context", !asked.context || isAnswerTo(asked.context, context!));
}

/** The user, and the project of a workspace, are filled in. */
function isAnswerTo(asked: Context, answered: Context): boolean {
  const isProject = asked.project === answered.project || (!asked.project && asked.workspace !== "");
  const isUser = asked.user === answered.user || !asked.user;
  return asked.organization === answered.organization && asked.workspace === answered.workspace && isProject && isUser;
}

/** Whether all of it is known. */
function checkSecret(asked: ResolveRequest, context: Context, secret: ResolvedSecret): boolean {
  const { secretId: name, target, value } = secret;
  const isNamed = asked.secretIds.includes(name) || asked.requiredSecretIds.includes(name);
  demand("not_requested", isNamed || asked.secretIds.length === 0, name);
  demand("version", secret.version >= 1, name);
  demand("target", target !== undefined, name);
  const kind = target!.kind;
  if (kind.case === "environmentVariable") checkReserved(RULES.reserved.variables, name, name, covers);
  if (kind.case === "file") checkFile(name, kind.value);
  if (kind.case === "registry") checkRegistry(name, kind.value);
  if (kind.case === undefined || !(secret.scope in ScopeKind) || !(secret.redaction in Redaction)) {
    demand("unknown", !isNamed && (kind.case !== undefined || asked.kinds.length === 0), name);
    return false;
  }
  demand("resource", secret.secret === `${scopeOf(context, secret.scope)}/secrets/${name}`, name);
  demand("not_requested", asked.kinds.length === 0 || asked.kinds.includes(KINDS[kind.case]), name);
  demand("not_requested", kind.case !== "apiOnly" || isNamed, name);
  demand("value", value.length >= 1 && value.length <= limit("value_bytes"), name);
  demand("value", kind.case !== "environmentVariable" || isText(value), name);
  return true;
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
  checkReserved(RULES.reserved.paths, path, name, coversPath);
}

function checkRegistry(name: string, { host, username }: RegistryTarget): void {
  demand("registry_host", isHost(host), name);
  const isBounded = username !== "" && bytes(username) <= limit("registry_username_bytes");
  const isPlain = !username.includes(":") && !username.startsWith(" ") && !username.endsWith(" ") && isVisible(username);
  demand("registry_username", isBounded && isPlain, name);
}

/** What it takes where it is delivered, beside its name. */
function destinationOf({ target }: ResolvedSecret): string {
  const kind = target!.kind;
  if (kind.case === "file") return `file ${kind.value.path}`;
  return kind.case === "registry" ? `registry ${kind.value.host}` : "";
}

/** Refuses what is hard, and says of what is soft, once, that it is delivered. */
function checkReserved(table: Row[], text: string, name: string, covers: (pattern: string, text: string) => boolean): void {
  const rows = table.filter((row) => row.patterns.some((pattern) => covers(pattern, lower(text))));
  for (const row of rows) demand("reserved", row.grade !== "HARD", name, ` (${row.reason})`);
  for (const row of rows) tell(name, `is delivered, and ${row.reason}`);
}

function covers(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

function coversPath(pattern: string, path: string): boolean {
  if (!pattern.startsWith("~/")) return covers(pattern, path) || path.startsWith(`${pattern}/`);
  // Below any folder, since any may be a home.
  return [...path.matchAll(/\//g)].some(({ index }) => coversPath(pattern.slice(1), path.slice(index)));
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

function isVisible(text: string): boolean {
  return ![...text].some((c) => RULES.invisible.some(([first, last]) => first <= c.codePointAt(0)! && c.codePointAt(0)! <= last));
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
  return PATTERNS.get(pattern)!.test(text);
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

function demand(rule: string, isKept: boolean, name = "", detail = ""): void {
  if (!isKept) throw new BrokenRule(rule, name, detail);
}

function tell(name: string, message: string): void {
  const sentence = `${name} ${message}`;
  if (!told.has(sentence)) process.emitWarning(sentence, "SecretsWarning");
  told.add(sentence);
}
