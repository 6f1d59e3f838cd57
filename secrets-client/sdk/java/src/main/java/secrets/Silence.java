package secrets;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.ClientCall;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;

/** Ends a stream without an event for as long as three heartbeats take: it is dead, though nobody closed it. */
final class Silence {
  private static final int MAX_SECONDS = 45;
  static final Status STATUS = Status.UNAVAILABLE.withDescription("no event and no heartbeat for " + MAX_SECONDS + " s");

  private final ClientCall<?, ?> call;
  /** Messages that the caller wants and has not got; without one, nothing is missed. */
  private int wanted;
  private int changes;
  private boolean isOver;

  Silence(ClientCall<?, ?> call) {
    this.call = call;
  }

  synchronized void await(int messages) {
    wanted += messages;
    observe();
  }

  synchronized void interrupt() {
    wanted--;
    observe();
  }

  /** Called when the stream has ended; whether it was ended here. */
  synchronized boolean hasEnded() {
    changes++;
    return isOver;
  }

  private void observe() {
    var seen = ++changes;
    if (wanted > 0) CompletableFuture.delayedExecutor(MAX_SECONDS, SECONDS).execute(() -> end(seen));
  }

  private void end(int seen) {
    synchronized (this) {
      if (seen != changes) return;
      isOver = true;
    }
    call.cancel(STATUS.getDescription(), null);
  }
}
