/** Waits as the service asks to, when there were too many calls: it refused them before it did anything. */
import { setTimeout as sleep } from "node:timers/promises";

import { SecretsError } from "./error.js";

/** The shortest wait, whatever the service asks for. */
const MIN_WAIT_MS = 100;
/** The longest wait of a watch, which has no deadline. */
const MAX_WATCH_WAIT_MS = 30_000;
/** What becomes of a watch whose connection, or a proxy on the way, breaks. */
const PASSING = new Set(["UNAVAILABLE", "INTERNAL", "UNKNOWN"]);

/** Sends a call again after each wait that the service asks for, as long as that fits into its deadline. */
export async function obey<A>(deadline: number, ended: AbortSignal, send: () => Promise<A>): Promise<A> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const wait = delay(error);
      if (wait === undefined || Date.now() + wait >= deadline) throw error;
      await sleep(wait, undefined, { signal: ended }).catch(() => {});
    }
  }
}

/** How long to wait, in milliseconds: as long as the service asks for, and a little more, by chance. */
function delay(error: unknown): number | undefined {
  const asked = error instanceof SecretsError ? error.retryAfter : undefined;
  return asked === undefined ? undefined : Math.max(asked, MIN_WAIT_MS) * (1 + 0.2 * Math.random());
}

/** How long a watch waits that failed, by itself up to `own` milliseconds; none if it does not go on. */
export function watchDelay(error: unknown, own: number): number | undefined {
  const asked = delay(error);
  if (asked !== undefined) return Math.min(asked, MAX_WATCH_WAIT_MS);
  return error instanceof SecretsError && PASSING.has(error.code) ? Math.random() * own : undefined;
}
