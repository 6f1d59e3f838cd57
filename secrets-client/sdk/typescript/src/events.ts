/** Checks each event of a watch where it arrives: a watch that has one which breaks a rule is refused. */
import type { ServiceError } from "@grpc/grpc-js";

import { SecretsError } from "./error.js";
import type { WatchRequest, WatchResponse } from "./gen/secretsapi/v1/resolve_service_pb.js";
import { checkContext, checkState, Claims, demand, tell } from "./rules.js";

/** Each event of a stream. Throws `SecretsError`. */
export async function* checkedEvents(asked: WatchRequest, stream: AsyncIterable<WatchResponse>): AsyncGenerator<WatchResponse> {
  let isFirst = true;
  try {
    for await (const response of stream) {
      check(asked, response, isFirst);
      isFirst = false;
      yield response;
    }
  } catch (error) {
    throw error instanceof SecretsError ? error : new SecretsError(error as ServiceError);
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
