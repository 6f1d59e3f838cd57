// The runner of tests/interop/scenario.json; see tests/interop/README.md.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { fromJson, toJson } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodUnary, DescService, JsonValue } from "@bufbuild/protobuf";
import * as secrets from "secrets-client";

type Json = JsonValue | undefined;
type Members = Record<string, JsonValue>;

interface Step {
  name: string;
  as?: string;
  call?: string;
  request?: JsonValue;
  resolve?: JsonValue;
  watch?: JsonValue;
  then?: Step[];
  keep?: Record<string, string>;
  expect?: Members;
  within_seconds?: number;
}

const environment = secrets.Client.fromEnvironment;
const kept = new Map<string, string>();
const clients = new Map<string, secrets.Client>();

async function scenario(path: string): Promise<boolean> {
  kept.set("operator", readFileSync(process.env["SECRETS_TOKEN_FILE"]!, "utf8").trim());
  kept.set("organization", process.env["SECRETS_ORGANIZATION"]!);
  const { steps } = JSON.parse(readFileSync(path, "utf8")) as { steps: Step[] };
  for (const [index, step] of steps.entries()) {
    const wrong = await run(step);
    console.log(wrong ? `failed ${index + 1} ${step.name}: ${wrong}` : `ok ${index + 1} ${step.name}`);
    if (wrong) return false;
  }
  return true;
}

/** Does a step; says what went wrong, if anything did. */
async function run(step: Step): Promise<string | undefined> {
  const came = await outcome(step);
  const wrong = misfit(step.expect && filled(step.expect), came);
  if (wrong) return wrong;
  for (const [name, path] of Object.entries(step.keep ?? {})) kept.set(name, String(at(came["response"], path)));
  return undefined;
}

async function outcome(step: Step): Promise<Members> {
  const end = Date.now() + (step.within_seconds ?? 0) * 1000;
  for (;;) {
    const came = await attempt(step);
    if (Date.now() >= end || !misfit(step.expect && filled(step.expect), came)) return came;
    await sleep(500);
  }
}

async function attempt(step: Step): Promise<Members> {
  const client = clientOf(step.as);
  try {
    if (step.resolve) {
      const request = fromJson(secrets.ResolveRequestSchema, filled(step.resolve));
      return { environment: await client.resolve(request) };
    }
    if (step.watch) return await watch(client, step);
    const method = methodOf(step.call!);
    const response = await client.call(method, fromJson(method.input, filled(step.request!)));
    return { response: toJson(method.output, response, { useProtoFieldName: true }) };
  } catch (error) {
    if (!(error instanceof secrets.SecretsError)) throw error;
    return { error: { code: error.code, reason: error.reason ?? "", metadata: error.metadata, message: error.message } };
  }
}

/** As many events as are expected, or, when none is, all until the watch fails. */
async function watch(client: secrets.Client, step: Step): Promise<Members> {
  const expected = step.expect?.["events"] as JsonValue[] | undefined;
  const events: JsonValue[] = [];
  for await (const event of client.watch(fromJson(secrets.WatchRequestSchema, filled(step.watch!)))) {
    events.push(toJson(secrets.WatchResponseSchema, event, { useProtoFieldName: true }));
    for (const inner of events.length === 1 ? (step.then ?? []) : []) {
      const wrong = await run(inner);
      if (wrong) return { failed: `${inner.name}: ${wrong}` };
    }
    if (events.length === expected?.length) break;
  }
  return { events };
}

function clientOf(actor: string | undefined): secrets.Client {
  const token = actor === undefined ? undefined : kept.get(actor)!;
  const client = clients.get(token ?? "") ?? environment({ token });
  clients.set(token ?? "", client);
  return client;
}

function methodOf(call: string): DescMethodUnary<DescMessage, DescMessage> {
  const [service, name] = call.split("/");
  const methods = (secrets as unknown as Record<string, DescService>)[service!]!.methods;
  const method = methods.find((method) => method.name === name);
  if (method?.methodKind !== "unary") throw new Error(`no unary method ${call}`);
  return method as DescMethodUnary<DescMessage, DescMessage>;
}

/** `value` with what was kept in the place of `${name}`. */
function filled<T extends Json>(value: T): T {
  const text = JSON.stringify(value).replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const found = kept.get(name);
    return found === undefined ? whole : JSON.stringify(found).slice(1, -1);
  });
  return JSON.parse(text) as T;
}

/** What of the outcome is not as expected; nothing when all is. */
function misfit(expected: Members | undefined, came: Members): string | undefined {
  if (!expected) return "error" in came ? `it failed: ${JSON.stringify(came)}` : undefined;
  for (const kind of Object.keys(expected)) {
    if (!(kind in came) || (kind === "environment" && !isDeepStrictEqual(expected[kind], came[kind]))) return differ("", expected, came);
  }
  return fit("", expected, came);
}

function fit(place: string, expected: Json, came: Json): string | undefined {
  if (Array.isArray(expected) && Array.isArray(came) && expected.length === came.length) {
    return expected.map((element, position) => fit(`${place}.${position}`, element, came[position])).find(Boolean);
  }
  if (isObject(expected) && isObject(came)) {
    return Object.entries(expected).map(([name, member]) => fit(`${place}.${name}`, member, came[name])).find(Boolean);
  }
  const fits = came === undefined ? !expected || (typeof expected === "object" && Object.keys(expected).length === 0) : expected === came;
  return fits ? undefined : differ(place, expected, came);
}

function isObject(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function differ(place: string, expected: Json, came: Json): string {
  return `${place}: expected ${JSON.stringify(expected)}, and ${JSON.stringify(came)} came`;
}

function at(value: Json, path: string): Json {
  return path.split(".").reduce<Json>((inner, name) => (inner as Members)[name], value);
}

async function resolveForever(): Promise<never> {
  const client = environment();
  for (;;) {
    console.log(await client.resolve().then(() => "resolved", (error: secrets.SecretsError) => `failed ${error.code}`));
    await sleep(200);
  }
}

/** Resolves once for each answer, and again without `resolve`; prints what came of it. */
async function answers(path: string): Promise<never> {
  const client = environment();
  const { malformed, accepted } = JSON.parse(readFileSync(path, "utf8")) as Record<string, { request?: JsonValue }[]>;
  for (const { request } of [...malformed!, ...accepted!]) {
    const message = fromJson(secrets.ResolveRequestSchema, request ?? {});
    await printAnswer(async () => ({ environment: await client.resolve(message) }));
    await printAnswer(async () => {
      const response = await client.call(secrets.ResolveService.method.resolve, message);
      return { names: response.secrets.map((secret) => secret.secretId) };
    });
  }
  process.exit(0);
}

async function printAnswer(resolve: () => Promise<Members>): Promise<void> {
  const came = await resolve().catch((error: unknown) => {
    if (!(error instanceof secrets.BrokenRule)) throw error;
    return { rule: error.rule, message: error.message };
  });
  console.log(JSON.stringify(came));
}

/** Watches once for each stream; prints what came of it. */
async function events(path: string): Promise<never> {
  const client = environment();
  const { malformed, accepted } = JSON.parse(readFileSync(path, "utf8")) as Record<string, { request?: JsonValue }[]>;
  for (const { request } of [...malformed!, ...accepted!]) {
    const delivered: string[][] = [];
    let came: object = {};
    try {
      for await (const event of client.watch(fromJson(secrets.WatchRequestSchema, request ?? {}))) delivered.push(namesOf(event));
    } catch (error) {
      if (!(error instanceof secrets.SecretsError)) throw error;
      came = error instanceof secrets.BrokenRule ? { rule: error.rule, message: error.message } : { code: error.code };
    }
    console.log(JSON.stringify({ delivered, ...came }));
  }
  process.exit(0);
}

function namesOf({ event }: secrets.WatchResponse): string[] {
  if (event.case === "set") return event.value.secrets.map((secret) => secret.secretId);
  if (event.case !== "changed") return [];
  return [...event.value.added.map((secret) => secret.secretId), ...event.value.updated.map((secret) => secret.secretId), ...event.value.removed];
}

/** Makes a client for each address, and again with `insecure`; prints why it is refused. */
function endpoints(path: string): never {
  for (const { endpoint } of (JSON.parse(readFileSync(path, "utf8")) as { endpoints: { endpoint: string }[] }).endpoints) {
    for (const insecure of [false, true]) {
      let came = {};
      try {
        new secrets.Client({ endpoint, insecure }).close();
      } catch (error) {
        came = { message: (error as Error).message };
      }
      console.log(JSON.stringify(came));
    }
  }
  process.exit(0);
}

const [argument, path] = process.argv.slice(2);
if (argument === "--answers") await answers(path!);
if (argument === "--events") await events(path!);
if (argument === "--endpoints") endpoints(path!);
if (argument === "--resolve-forever") {
  process.stdout.on("error", () => process.exit(0));
  await resolveForever();
}
process.exit((await scenario(argument!)) ? 0 : 1);
