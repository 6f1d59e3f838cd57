/** The machine-readable part of an error, which may be anything. */
import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack, type Any, type Duration } from "@bufbuild/protobuf/wkt";
import type { ServiceError } from "@grpc/grpc-js";

import { ErrorInfoSchema, RetryInfoSchema, StatusSchema, type ErrorInfo } from "./gen/google/rpc/error_pb.js";

/** The reason, and how long the service asks to wait. */
export function detailsOf(error: ServiceError): { info: ErrorInfo | undefined; asked: Duration | undefined } {
  const [trailer] = error.metadata.get("grpc-status-details-bin");
  const status = trailer instanceof Buffer ? read(() => fromBinary(StatusSchema, trailer)) : undefined;
  const details = status?.code === error.code ? status.details : [];
  return {
    info: unpacked(details, ErrorInfoSchema).find(({ domain }) => domain === "secretsapi.v1"),
    asked: unpacked(details, RetryInfoSchema).find(({ retryDelay }) => retryDelay)?.retryDelay,
  };
}

function unpacked<D extends DescMessage>(details: Any[], schema: D): MessageShape<D>[] {
  return details.map((detail) => read(() => anyUnpack(detail, schema))).filter((message) => message !== undefined);
}

/** None of what is not what it says. */
function read<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
