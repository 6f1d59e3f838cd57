package secrets;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import secrets.v1.ErrorReason;

/** A call that did not succeed. */
public final class SecretsException extends RuntimeException {
  /** The gRPC code. */
  public final Status.Code code;

  /** Why, for a program; each says whether to retry. {@code ERROR_REASON_UNSPECIFIED} when the service did not answer. */
  public final ErrorReason reason;

  /** Facts beside the reason, for instance {@code suggestion}. */
  public final Map<String, String> metadata;

  private SecretsException(StatusRuntimeException error, ErrorInfo info) {
    super(error.getStatus().getDescription() + (error.getCause() == null ? "" : ": " + error.getCause().getMessage()), error);
    code = error.getStatus().getCode();
    metadata = info.getMetadataMap();
    var known = ErrorReason.getDescriptor().findValueByName("ERROR_REASON_" + info.getReason());
    reason = known == null ? ErrorReason.ERROR_REASON_UNSPECIFIED : ErrorReason.valueOf(known);
  }

  /** What a generated client threw, read. */
  public static SecretsException of(StatusRuntimeException error) {
    var status = StatusProto.fromThrowable(error);
    try {
      for (var detail : status.getDetailsList()) {
        if (!detail.is(ErrorInfo.class)) continue;
        var info = detail.unpack(ErrorInfo.class);
        if (info.getDomain().equals("secrets.v1")) return new SecretsException(error, info);
      }
    } catch (InvalidProtocolBufferException garbled) {
      error.addSuppressed(garbled);
    }
    return new SecretsException(error, ErrorInfo.getDefaultInstance());
  }
}
