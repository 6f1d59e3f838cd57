package secrets;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import secretsapi.v1.ErrorReason;

/**
 * The machine-readable part of an error, beside the code and the message of {@code error.getStatus()}.
 *
 * @param reason why; each says whether to retry. {@code ERROR_REASON_UNSPECIFIED} when the service did not answer
 * @param metadata facts beside the reason, for instance {@code suggestion}
 * @param retryAfter how long the service asks to wait, if there were too many calls
 */
public record SecretsError(ErrorReason reason, Map<String, String> metadata, Optional<Duration> retryAfter) {
  /** Reads what {@link Client} and the generated clients throw. */
  public static SecretsError from(StatusRuntimeException error) {
    var reason = ErrorReason.ERROR_REASON_UNSPECIFIED;
    var metadata = Map.<String, String>of();
    var retryAfter = Optional.<Duration>empty();
    try {
      for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          var info = detail.unpack(ErrorInfo.class);
          var known = ErrorReason.getDescriptor().findValueByName("ERROR_REASON_" + info.getReason());
          if (!info.getDomain().equals("secretsapi.v1")) continue;
          metadata = info.getMetadataMap();
          if (known != null) reason = ErrorReason.valueOf(known);
        } else if (detail.is(RetryInfo.class) && detail.unpack(RetryInfo.class).hasRetryDelay()) {
          var asked = detail.unpack(RetryInfo.class).getRetryDelay();
          retryAfter = Optional.of(Duration.ofSeconds(Math.max(asked.getSeconds(), 0)).plusNanos(Math.max(asked.getNanos(), 0)));
        }
      }
    } catch (InvalidProtocolBufferException | RuntimeException garbled) {
      error.addSuppressed(garbled);
    }
    var isLimited = error.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED && reason == ErrorReason.ERROR_REASON_RATE_LIMITED;
    return new SecretsError(reason, metadata, retryAfter.filter(asked -> isLimited));
  }
}
