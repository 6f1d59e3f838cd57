package secrets;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import secretsapi.v1.ErrorReason;

/**
 * The machine-readable part of an error, beside the code and the message of {@code error.getStatus()}.
 *
 * @param reason why; each says whether to retry. {@code ERROR_REASON_UNSPECIFIED} when the service did not answer
 * @param metadata facts beside the reason, for instance {@code suggestion}
 */
public record SecretsError(ErrorReason reason, Map<String, String> metadata) {
  /** Reads what {@link Client} and the generated clients throw. */
  public static SecretsError from(StatusRuntimeException error) {
    try {
      for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (!detail.is(ErrorInfo.class)) continue;
        var info = detail.unpack(ErrorInfo.class);
        var known = ErrorReason.getDescriptor().findValueByName("ERROR_REASON_" + info.getReason());
        if (info.getDomain().equals("secretsapi.v1") && known != null)
          return new SecretsError(ErrorReason.valueOf(known), info.getMetadataMap());
      }
    } catch (InvalidProtocolBufferException garbled) {
      error.addSuppressed(garbled);
    }
    return new SecretsError(ErrorReason.ERROR_REASON_UNSPECIFIED, Map.of());
  }
}
