package secrets;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import secrets.v1.ResolveRequest;
import secrets.v1.ResolveServiceGrpc;
import secrets.v1.WatchRequest;
import secrets.v1.WatchResponse;

/** A client of the secrets service: a connection, a credential, a deadline. For any number of threads. */
public final class Client implements AutoCloseable {
  private final ManagedChannel connection;
  private final Channel channel;
  private volatile int changes;

  /** The connection is made by the first call, and again whenever it breaks. */
  public Client(Options options) throws IOException {
    var endpoint = options.endpoint();
    var secure = "https".equals(endpoint.getScheme());
    if (endpoint.getHost() == null || !secure && !"http".equals(endpoint.getScheme()))
      throw new IllegalArgumentException("endpoint: `" + endpoint + "` is not http(s)://host:port");
    var port = endpoint.getPort() < 0 ? (secure ? 443 : 80) : endpoint.getPort();
    var tls = TlsChannelCredentials.newBuilder();
    if (options.authority().isPresent()) tls.trustManager(options.authority().get().toFile());
    var credentials = secure ? tls.build() : InsecureChannelCredentials.create();
    connection =
        Grpc.newChannelBuilderForAddress(endpoint.getHost(), port, credentials)
            .defaultServiceConfig(serviceConfig())
            .disableServiceConfigLookUp()
            .keepAliveTime(10, SECONDS)
            .keepAliveTimeout(3, SECONDS)
            .keepAliveWithoutCalls(true)
            .maxInboundMessageSize(8 << 20)
            .build();
    channel = ClientInterceptors.intercept(connection, new EveryCall(options));
    observe();
  }

  /** For the generated clients, for instance {@code SecretServiceGrpc.newBlockingStub(client.channel())}. */
  public Channel channel() {
    return channel;
  }

  /**
   * Gets the variables of a context, ready for a child process. Files, registry logins and API-only secrets are in the answer
   * of the generated client.
   *
   * @throws SecretsException when the call fails
   */
  public Map<String, String> resolve(ResolveRequest request) {
    try {
      var environment = new HashMap<String, String>();
      for (var secret : ResolveServiceGrpc.newBlockingStub(channel).resolve(request).getSecretsList())
        if (secret.getTarget().hasEnvironmentVariable())
          environment.put(secret.getSecretId(), secret.getValue().toStringUtf8());
      return environment;
    } catch (StatusRuntimeException error) {
      throw SecretsException.of(error);
    }
  }

  /**
   * Tells what {@link #resolve} would deliver, then each change of it, until {@code told} answers false. Reconnects by itself.
   *
   * @throws SecretsException when the right to it ends, or the thread is interrupted while it waits for news
   */
  public void watch(WatchRequest request, Predicate<WatchResponse> told) throws InterruptedException {
    for (var wait = 100L; ; wait = Math.min(2 * wait, 3_000)) {
      var context = Context.current().withCancellation();
      var outer = context.attach();
      try {
        var events = ResolveServiceGrpc.newBlockingStub(channel).watch(request);
        while (events.hasNext()) {
          var event = events.next();
          request = request.toBuilder().setIfNoneMatch(event.getEtag()).build();
          wait = 100;
          if (!event.hasHeartbeat() && !told.test(event)) return;
        }
      } catch (StatusRuntimeException error) {
        if (error.getStatus().getCode() != Status.Code.UNAVAILABLE) throw SecretsException.of(error);
      } finally {
        context.detachAndCancel(outer, null);
      }
      Thread.sleep(ThreadLocalRandom.current().nextLong(wait));
    }
  }

  /** Ends every call and the connection. */
  @Override
  public void close() {
    connection.shutdownNow();
  }

  /**
   * grpc-java lets nobody choose how long it takes to connect, nor how long it waits after a failure, which grows to two
   * minutes. What comes to nothing for some seconds is dropped here; the next call starts anew.
   */
  private synchronized void observe() {
    var state = connection.getState(false);
    var seen = ++changes;
    connection.notifyWhenStateChanged(state, this::observe);
    if (state == ConnectivityState.CONNECTING || state == ConnectivityState.TRANSIENT_FAILURE)
      CompletableFuture.delayedExecutor(state == ConnectivityState.CONNECTING ? 5 : 3, SECONDS).execute(() -> {
        if (seen == changes) connection.enterIdle();
      });
  }

  private static Map<String, ?> serviceConfig() throws IOException {
    try (var text = new InputStreamReader(Client.class.getResourceAsStream("service_config.json"))) {
      return new Gson().fromJson(text, new TypeToken<Map<String, ?>>() {});
    }
  }
}
