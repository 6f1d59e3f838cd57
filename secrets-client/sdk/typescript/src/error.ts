import { status, type ServiceError } from "@grpc/grpc-js";

import { detailsOf } from "./details.js";
import { ErrorReason } from "./gen/secretsapi/v1/error_reason_pb.js";
import { escaped } from "./text.js";

/** A call that did not succeed. The message is for a person. */
export class SecretsError extends Error {
  override readonly name = "SecretsError";
  /** The gRPC code, by name, for instance `NOT_FOUND`. */
  readonly code: keyof typeof status;
  /** Why, for a program; the documentation of `ErrorReason` says of each whether to retry. None when the service did not answer. */
  readonly reason: keyof typeof ErrorReason | undefined;
  /** Facts beside the reason, for instance `suggestion`. */
  readonly metadata: Record<string, string>;
  /** The milliseconds that the service asks to wait, if there were too many calls. */
  readonly retryAfter: number | undefined;

  /** Reads what grpc-js reports. */
  constructor(error: ServiceError) {
    super(escaped(error.details));
    const { info, asked } = detailsOf(error);
    this.code = (status[error.code] ?? "UNKNOWN") as keyof typeof status;
    this.reason = info && Object.hasOwn(ErrorReason, info.reason) ? (info.reason as keyof typeof ErrorReason) : undefined;
    this.metadata = info?.metadata ?? {};
    const isLimited = this.code === "RESOURCE_EXHAUSTED" && this.reason === "RATE_LIMITED";
    this.retryAfter = isLimited && asked ? Math.max(0, Number(asked.seconds) * 1e3 + asked.nanos / 1e6) : undefined;
  }
}
