/** Checks each event of a watch where it arrives: a watch that has one which breaks a rule is refused. */
import { Metadata, status, type ClientReadableStream, type ServiceError } from "@grpc/grpc-js";

import { SecretsError } from "./error.js";
import type { WatchRequest, WatchResponse } from "./gen/secretsapi/v1/resolve_service_pb.js";
import { checkContext, checkState, Claims, demand, tell } from "./rules.js";

/** Three heartbeats: a stream without an event for longer is dead, though nobody closed it. */
const MAX_SILENCE_MS = 45_000;
const DETAILS = `no event and no heartbeat for ${MAX_SILENCE_MS / 1000} s`;
const SILENT = Object.assign(new Error(DETAILS), { code: status.UNAVAILABLE, details: DETAILS, metadata: new Metadata() });

/** Each event of a stream. Throws `SecretsError`. */
export async function* checkedEvents(asked: WatchRequest, stream: ClientReadableStream<WatchResponse>): AsyncGenerator<WatchResponse> {
  const events = (stream as AsyncIterable<WatchResponse>)[Symbol.asyncIterator]();
  let isSilent = false;
  const end = () => {
    isSilent = true;
    stream.cancel();
  };
  for (let isFirst = true; ; isFirst = false) {
    const silence = setTimeout(end, MAX_SILENCE_MS);
    const next = events.next().finally(() => clearTimeout(silence));
    const { done, value } = await next.catch((error: ServiceError) => {
      throw new SecretsError(isSilent ? SILENT : error);
    });
    if (done) return;
    check(asked, value, isFirst);
    yield value;
  }
}

/** Takes out of an event the secrets of which this version does not know something. Throws `BrokenRule`. */
function check(asked: WatchRequest, response: WatchResponse, isFirst: boolean): void {
  const { event } = response;
  const isKnown = event.case === "heartbeat" && asked.ifNoneMatch !== "";
  demand("event_order", (event.case === "set") === isFirst || (isFirst && isKnown));
  checkState(response);
  if (event.case === "set") {
    checkContext(asked, event.value.context);
    event.value.secrets = new Claims(asked, event.value.context).check(event.value.secrets);
  } else if (event.case === "changed") {
    // A change comes without a context: a workspace that was transferred gets the secrets of another user.
    const claims = new Claims(asked);
    event.value.added = claims.check(event.value.added);
    event.value.updated = claims.check(event.value.updated);
    claims.checkRemoved(event.value.removed);
  } else if (event.case === undefined) {
    tell("an event", "was left out: this version does not know its kind");
  }
}
