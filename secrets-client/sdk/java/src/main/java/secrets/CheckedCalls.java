package secrets;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import secretsapi.v1.ResolveRequest;
import secretsapi.v1.ResolveResponse;
import secretsapi.v1.WatchRequest;
import secretsapi.v1.WatchResponse;

/** Checks what Resolve and Watch answer where it arrives, whoever asked: a client trusts no service. */
final class CheckedCalls implements ClientInterceptor {
  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      private volatile Object asked;
      private final Silence silence = new Silence(this);
      private boolean isCancelled;

      @Override
      public void sendMessage(Q message) {
        asked = message;
        super.sendMessage(message);
      }

      @Override
      public void request(int messages) {
        if (method.getType() == MethodDescriptor.MethodType.SERVER_STREAMING) silence.await(messages);
        super.request(messages);
      }

      /** An answer may come, and be refused, before the request has ended. */
      @Override
      public synchronized void halfClose() {
        if (!isCancelled) super.halfClose();
      }

      @Override
      public synchronized void cancel(String reason, Throwable cause) {
        isCancelled = true;
        super.cancel(reason, cause);
      }

      @Override
      public void start(Listener<A> listener, Metadata headers) {
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              private BrokenRule broken;
              private boolean hasBegun;

              @Override
              public void onMessage(A message) {
                silence.interrupt();
                if (broken != null) return;
                try {
                  super.onMessage(checked(asked, message, !hasBegun));
                  hasBegun = true;
                } catch (BrokenRule rule) {
                  broken = rule;
                  cancel(rule.getMessage(), rule);
                }
              }

              @Override
              public void onClose(Status status, Metadata trailers) {
                if (silence.hasEnded()) super.onClose(Silence.STATUS, new Metadata());
                else if (broken == null) super.onClose(Text.harmless(status), trailers);
                else super.onClose(Status.DATA_LOSS.withDescription(broken.getMessage()).withCause(broken), new Metadata());
              }
            },
            headers);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static <A> A checked(Object asked, A message, boolean isFirst) {
    if (asked instanceof ResolveRequest request && message instanceof ResolveResponse answer) return (A) Answers.checked(request, answer);
    if (asked instanceof WatchRequest request && message instanceof WatchResponse event) return (A) Answers.checked(request, event, isFirst);
    // It would go unchecked; no service answers what it has not been asked yet.
    if (message instanceof ResolveResponse || message instanceof WatchResponse) throw Rules.broken("not_requested", "", "");
    return message;
  }
}
