import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status, type ServiceError } from "@grpc/grpc-js";

import { ErrorInfoSchema, StatusSchema } from "./gen/google/rpc/error_pb.js";
import type { ErrorReason } from "./gen/secretsapi/v1/error_reason_pb.js";

/** A call that did not succeed. The message is for a person. */
export class SecretsError extends Error {
  override readonly name = "SecretsError";
  /** The gRPC code, by name, for instance `NOT_FOUND`. */
  readonly code: keyof typeof status;
  /** Why, for a program; the documentation of `ErrorReason` says of each whether to retry. None when the service did not answer. */
  readonly reason: keyof typeof ErrorReason | undefined;
  /** Facts beside the reason, for instance `suggestion`. */
  readonly metadata: Record<string, string>;

  /** Reads what grpc-js reports. */
  constructor(error: ServiceError) {
    super(error.details);
    const [trailer] = error.metadata.get("grpc-status-details-bin");
    const details = trailer instanceof Buffer ? fromBinary(StatusSchema, trailer).details : [];
    const info = details.map((detail) => anyUnpack(detail, ErrorInfoSchema)).find((info) => info?.domain === "secretsapi.v1");
    this.code = status[error.code] as keyof typeof status;
    this.reason = info?.reason as keyof typeof ErrorReason | undefined;
    this.metadata = info?.metadata ?? {};
  }
}
