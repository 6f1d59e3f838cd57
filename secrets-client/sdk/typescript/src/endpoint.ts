/** The address of a service: a scheme, a host and a port, and nothing else. */
import { isIPv4, isIPv6 } from "node:net";

export interface Endpoint {
  /** A name or an address, one of IPv6 in brackets. */
  host: string;
  port: number;
  isTls: boolean;
}

/** Its errors show no more of the text than scheme, host and port: the rest may be a password. */
export function parseEndpoint(text: string, insecure: boolean): Endpoint {
  demand(!/^[ \t\r\n\v\f]|[ \t\r\n\v\f]$/.test(text), "must not have a space before or after it");
  // Before anything else: a password may hold each of the characters that end a host.
  demand(!text.includes("@"), "must not have a user name or password: a token says who calls");
  const parts = /^(https?):\/\/([^/\\?#]*?)(?::([^:\]/\\?#]*))?([/\\?#].*)?$/is.exec(text);
  demand(parts !== null, "expected an address such as `https://secrets.example.com`");
  const [, scheme, host, port, path = ""] = parts!;
  const isTls = scheme!.length === 5;
  const endpoint = { host: host!.toLowerCase(), port: port === undefined ? defaultPort(isTls) : Number(port || "0"), isTls };
  const isPort = port === undefined || (/^[0-9]+$/.test(port) && endpoint.port >= 1 && endpoint.port <= 65_535);
  demand(isPort, "invalid port: must be a number from 1 to 65535");
  demand(isHost(host!), "invalid host: expected a name, an IPv4 address, or an IPv6 address in brackets");
  const more = path.replace(/^\//, "");
  const part = more.startsWith("?") ? "query" : more.startsWith("#") ? "fragment" : "path";
  demand(more === "", `must not have a ${part}; did you mean \`${written(endpoint)}\`?`);
  if (!insecure && !isTls && !isLoopback(endpoint.host)) {
    throw new TypeError(
      `${written(endpoint)} is not encrypted, so that others on the network could read tokens and values; use \`https://\`, ` +
        "or allow it for a network that you trust with SECRETS_INSECURE=1 or the option `insecure`",
    );
  }
  return endpoint;
}

function written({ host, port, isTls }: Endpoint): string {
  return `${isTls ? "https" : "http"}://${host}${port === defaultPort(isTls) ? "" : `:${port}`}`;
}

function defaultPort(isTls: boolean): number {
  return isTls ? 443 : 80;
}

function isHost(host: string): boolean {
  if (!host.startsWith("[")) return /^[A-Za-z0-9._-]+$/.test(host);
  return host.endsWith("]") && !host.includes("%") && isIPv6(host.slice(1, -1));
}

/** Whether it is this machine; not what another notation of an address may mean. */
function isLoopback(host: string): boolean {
  if (host.startsWith("[")) return new URL(`http://${host}`).hostname === "[::1]";
  return host === "localhost" || (isIPv4(host) && host.startsWith("127."));
}

function demand(condition: boolean, sentence: string): void {
  if (!condition) throw new TypeError(`invalid endpoint: ${sentence}`);
}
