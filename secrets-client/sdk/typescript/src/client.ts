import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";

import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Client as Connection, Metadata, connectivityState, credentials, type ServiceError } from "@grpc/grpc-js";

import { parseEndpoint } from "./endpoint.js";
import { SecretsError } from "./error.js";
import { ResolveService, WatchRequestSchema, type ResolveRequestSchema, type WatchResponse } from "./gen/secretsapi/v1/resolve_service_pb.js";
import { checkedEvents } from "./events.js";
import { obey, watchDelay } from "./rate_limit.js";
import { checked } from "./rules.js";

export * from "./error.js";
export * from "./gen/index.js";
export { BrokenRule } from "./rules.js";

/** How long a connection may take to be made; after that, another is tried. */
const CONNECT_MS = 5_000;
/** How long to wait before a broken connection is made again. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;

const CHANNEL = {
  "grpc.service_config": readFileSync(new URL("./service_config.json", import.meta.url), "utf8"),
  "grpc.service_config_disable_resolution": 1,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.initial_reconnect_backoff_ms": FIRST_WAIT_MS,
  "grpc.max_reconnect_backoff_ms": LONGEST_WAIT_MS,
  "grpc.use_local_subchannel_pool": 1,
};

/** Where the service is, and who calls. */
export interface ClientOptions {
  /** `https://host[:port]`, or `http://` on this machine. */
  endpoint: string;
  /** Allows `http://` to another machine, where others on the network can read tokens and values. */
  insecure?: boolean;
  /** The token to show; without one, only what is open to everybody works. */
  token?: string;
  /** A certificate authority to trust beside the public ones, PEM. */
  ca?: string;
  /** How long a call may take, its repeats included, in milliseconds; 30 s by default, and at most. */
  deadline?: number;
}

/** A client of the secrets service: a connection, a credential, a deadline. */
export class Client {
  readonly #options: ClientOptions;
  readonly #metadata = new Metadata();
  #connection: Connection;
  readonly #ended = new AbortController();

  constructor(options: ClientOptions) {
    this.#options = options;
    const token = options.token?.trim();
    if (token !== undefined) {
      // grpc-js would refuse it in an error that shows it.
      if (!/^[!-~]+$/.test(token)) throw new TypeError("the token is empty, or has an invalid character");
      this.#metadata.set("authorization", `Bearer ${token}`);
    }
    this.#connection = this.#connect();
  }

  /** Reads `SECRETS_ENDPOINT`, `SECRETS_TOKEN` or `SECRETS_TOKEN_FILE`, `SECRETS_CA_FILE`, and `SECRETS_INSECURE`; `options` win. */
  static fromEnvironment(options: Partial<ClientOptions> = {}): Client {
    const { SECRETS_ENDPOINT, SECRETS_TOKEN, SECRETS_TOKEN_FILE, SECRETS_CA_FILE, SECRETS_INSECURE } = process.env;
    const read = (path?: string) => (path ? readFileSync(path, "utf8") : undefined);
    return new Client({
      endpoint: SECRETS_ENDPOINT || "http://127.0.0.1:50051",
      token: SECRETS_TOKEN || read(SECRETS_TOKEN_FILE),
      ca: read(SECRETS_CA_FILE),
      insecure: SECRETS_INSECURE === "1",
      ...options,
    });
  }

  /**
   * Gets the variables of a context, the session's own by default, ready for a child process. Files, registry logins and API-only
   * secrets are in the answer of `call(ResolveService.method.resolve, …)`.
   */
  async resolve(request: MessageInitShape<typeof ResolveRequestSchema> = {}): Promise<Record<string, string>> {
    const { secrets } = await this.call(ResolveService.method.resolve, request);
    const variables = secrets.filter((secret) => secret.target?.kind.case === "environmentVariable");
    return Object.fromEntries(variables.map(({ secretId, value }) => [secretId, Buffer.from(value).toString("utf8")]));
  }

  /**
   * Yields what `resolve` would deliver, then each change of it, until `signal` or `close` ends it; reconnects by itself. Throws when
   * the right to it ends.
   */
  async *watch(request: MessageInitShape<typeof WatchRequestSchema> = {}, signal?: AbortSignal): AsyncGenerator<WatchResponse> {
    const message = clone(WatchRequestSchema, create(WatchRequestSchema, request));
    const ended = AbortSignal.any(signal ? [signal, this.#ended.signal] : [this.#ended.signal]);
    for (let wait = FIRST_WAIT_MS; !ended.aborted; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const stream = this.#connection.makeServerStreamRequest(...wire(ResolveService.method.watch), message, this.#metadata);
      const cancel = () => stream.cancel();
      let pause: number | undefined = Math.random() * wait;
      ended.addEventListener("abort", cancel);
      try {
        for await (const response of checkedEvents(message, stream)) {
          message.ifNoneMatch = response.etag;
          wait = FIRST_WAIT_MS;
          if (response.event.case === "set" || response.event.case === "changed") yield response;
        }
      } catch (error) {
        pause = watchDelay(error, wait);
        if (pause === undefined && !ended.aborted) throw error;
      } finally {
        ended.removeEventListener("abort", cancel);
        stream.on("error", () => {}).cancel();
      }
      await sleep(pause, undefined, { signal: ended }).catch(() => {});
    }
  }

  /** Calls any method, for instance `SecretService.method.createSecret`. */
  call<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>, request: MessageInitShape<I>): Promise<MessageShape<O>> {
    const message = create(method.input, request);
    const deadline = Date.now() + (this.#options.deadline ?? 30_000);
    const send = () =>
      new Promise<MessageShape<O>>((resolve, reject) => {
        this.#connection.makeUnaryRequest(...wire(method), message, this.#metadata, { deadline }, (error, response) =>
          error ? reject(new SecretsError(error)) : resolve(response!),
        );
      });
    return obey(deadline, this.#ended.signal, send).then((answer) => checked(message, answer));
  }

  /** Ends every call and the connection. */
  close(): void {
    this.#ended.abort();
    this.#connection.close();
  }

  #connect(): Connection {
    const { endpoint, insecure = false, ca } = this.#options;
    const { host, port, isTls } = parseEndpoint(endpoint, insecure);
    // Node would ignore a text without a certificate; reading the first one refuses that.
    const authorities = isTls && ca ? Buffer.from([...rootCertificates, new X509Certificate(ca), ca].join("\n")) : null;
    const trust = isTls ? credentials.createSsl(authorities) : credentials.createInsecure();
    const connection = new Connection(`dns:${host}:${port}`, trust, CHANNEL);
    this.#observe(connection);
    return connection;
  }

  /** grpc-js waits for ever for a connection that is neither made nor refused. Gives up what comes to nothing, and starts anew. */
  #observe(connection: Connection): void {
    const channel = connection.getChannel();
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    const waiting = state === connectivityState.CONNECTING || state === connectivityState.TRANSIENT_FAILURE;
    channel.watchConnectivityState(state, waiting ? Date.now() + CONNECT_MS : Infinity, (stuck) => {
      if (!stuck) return this.#observe(connection);
      this.#connection = this.#connect();
      connection.close();
    });
  }
}

/** What grpc-js asks to know of a method. */
function wire<I extends DescMessage, O extends DescMessage>(method: { parent: DescService; name: string; input: I; output: O }) {
  return [
    `/${method.parent.typeName}/${method.name}`,
    (request: MessageShape<I>) => Buffer.from(toBinary(method.input, request)),
    (bytes: Buffer) => fromBinary(method.output, bytes),
  ] as const;
}
