package secrets;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.UUID;

/** What every call needs: the credential, a deadline, and for a change an id under which it can be repeated. */
record EveryCall(Options options) implements ClientInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  @Override
  public <I, O> ClientCall<I, O> interceptCall(MethodDescriptor<I, O> method, CallOptions call, Channel next) {
    var unary = method.getType() == MethodDescriptor.MethodType.UNARY;
    if (unary && call.getDeadline() == null) call = call.withDeadlineAfter(options.deadline().toMillis(), MILLISECONDS);
    return new SimpleForwardingClientCall<>(next.newCall(method, call)) {
      @Override
      public void start(Listener<O> listener, Metadata headers) {
        options.token().ifPresent(token -> headers.put(AUTHORIZATION, "Bearer " + token));
        super.start(listener, headers);
      }

      @Override
      public void sendMessage(I message) {
        super.sendMessage(identified(message));
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static <I> I identified(I request) {
    if (!(request instanceof Message message)) return request;
    var field = message.getDescriptorForType().findFieldByName("request_id");
    if (field == null || message.hasField(field) || !message.getField(field).equals("")) return request;
    return (I) message.toBuilder().setField(field, UUID.randomUUID().toString()).build();
  }
}
