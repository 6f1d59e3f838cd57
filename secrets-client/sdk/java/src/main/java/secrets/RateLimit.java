package secrets;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * Sends a call again after each wait that the service asks for because there were too many, as long as that fits into the call's
 * deadline: the service refused it before it did anything.
 */
final class RateLimit implements ClientInterceptor {
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);
  /** What becomes of a watch whose connection, or a proxy on the way, breaks. */
  private static final Set<Status.Code> PASSING = EnumSet.of(Status.Code.UNAVAILABLE, Status.Code.INTERNAL, Status.Code.UNKNOWN);
  /** Whatever the service asks for. */
  private static final Duration MIN_WAIT = Duration.ofMillis(100);

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    if (method.getType() != MethodDescriptor.MethodType.UNARY) return next.newCall(method, options);
    var deadline = Deadline.after(CALL_TIMEOUT.toSeconds(), SECONDS);
    if (options.getDeadline() != null) deadline = deadline.minimum(options.getDeadline());
    if (Context.current().getDeadline() != null) deadline = deadline.minimum(Context.current().getDeadline());
    var limited = options.withDeadline(deadline);
    return new RepeatedCall<>(() -> next.newCall(method, limited), deadline);
  }

  /** How long the service asks to wait, and a little more, by chance. */
  static Optional<Duration> delay(StatusRuntimeException error) {
    return SecretsError.from(error).retryAfter().map(asked -> {
      // One that is too long to count is longer than any deadline.
      var millis = Math.max(Math.min(asked.toSeconds(), 86_400) * 1_000 + asked.toMillisPart(), MIN_WAIT.toMillis());
      return Duration.ofMillis(millis + ThreadLocalRandom.current().nextLong(millis / 5 + 1));
    });
  }

  /** How long a watch waits that failed, by itself as long as {@code pause}; empty if it does not go on. */
  static Optional<Long> watchMillis(StatusRuntimeException error, long pause) {
    var asked = delay(error).map(delay -> Math.min(delay.toMillis(), CALL_TIMEOUT.toMillis()));
    return asked.isPresent() || !PASSING.contains(error.getStatus().getCode()) ? asked : Optional.of(pause);
  }

  /** Keeps what the caller does with a call, to do it again with another one. */
  private static final class RepeatedCall<Q, A> extends ClientCall<Q, A> {
    private final Supplier<ClientCall<Q, A>> open;
    private final Deadline deadline;
    private final Context context = Context.current();
    private ClientCall<Q, A> call;
    private Listener<A> listener;
    private Metadata headers;
    private Q message;
    private int requested;
    private boolean isHalfClosed;
    /** Whether the caller is told of no end yet while there is no call. */
    private boolean isWaiting;

    RepeatedCall(Supplier<ClientCall<Q, A>> open, Deadline deadline) {
      this.open = open;
      this.deadline = deadline;
      call = open.get();
    }

    @Override
    public synchronized void start(Listener<A> listener, Metadata headers) {
      this.listener = listener;
      this.headers = headers;
      startCall();
    }

    @Override
    public synchronized void request(int messages) {
      requested += messages;
      call.request(messages);
    }

    @Override
    public synchronized void sendMessage(Q message) {
      this.message = message;
      call.sendMessage(message);
    }

    @Override
    public synchronized void halfClose() {
      isHalfClosed = true;
      call.halfClose();
    }

    @Override
    public void cancel(String reason, Throwable cause) {
      synchronized (this) {
        if (!isWaiting) {
          call.cancel(reason, cause);
          return;
        }
        isWaiting = false;
      }
      listener.onClose(Status.CANCELLED.withDescription(reason).withCause(cause), new Metadata());
    }

    @Override
    public synchronized boolean isReady() {
      return call.isReady();
    }

    private void startCall() {
      // Each call adds to its headers.
      var own = new Metadata();
      own.merge(headers);
      call.start(new Repeating(listener), own);
    }

    private synchronized void sendAgain() {
      if (!isWaiting) return;
      isWaiting = false;
      call = open.get();
      startCall();
      call.request(requested);
      if (message != null) call.sendMessage(message);
      if (isHalfClosed) call.halfClose();
    }

    private synchronized void sendLater(Duration delay) {
      isWaiting = true;
      CompletableFuture.delayedExecutor(delay.toNanos(), NANOSECONDS).execute(context.wrap(this::sendAgain));
    }

    private final class Repeating extends SimpleForwardingClientCallListener<A> {
      private boolean hasMessage;

      Repeating(Listener<A> listener) {
        super(listener);
      }

      @Override
      public void onMessage(A message) {
        hasMessage = true;
        super.onMessage(message);
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        var delay = status.isOk() || hasMessage ? Optional.<Duration>empty() : delay(status.asRuntimeException(trailers));
        if (delay.isPresent() && delay.get().toNanos() < deadline.timeRemaining(NANOSECONDS)) sendLater(delay.get());
        else super.onClose(status, trailers);
      }
    }
  }
}
