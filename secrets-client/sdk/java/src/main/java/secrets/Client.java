package secrets;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import secretsapi.v1.ResolveRequest;
import secretsapi.v1.ResolveServiceGrpc;
import secretsapi.v1.WatchRequest;
import secretsapi.v1.WatchResponse;

/**
 * A client of the secrets service: a connection, a credential, deadlines. For any number of threads. A call takes 30 s at most,
 * its repeats included; a stub's own deadline may say less.
 */
public final class Client implements AutoCloseable {
  private final ManagedChannel connection;
  private volatile int changes;

  /**
   * The connection is made by the first call, and again whenever it breaks.
   *
   * @param endpoint {@code https://host[:port]}, or {@code http://} on this machine
   * @param token the token to show; without one, only what is open to everybody works
   * @param authority a file of certificate authorities to trust in the place of Java's own, PEM
   * @param insecure allows {@code http://} to another machine, where others on the network can read tokens and values
   */
  public Client(String endpoint, Optional<String> token, Optional<Path> authority, boolean insecure) throws IOException {
    var address = Endpoint.parse(endpoint, insecure);
    var headers = new Metadata();
    if (token.isPresent()) headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), bearer(token.get()));
    var tls = TlsChannelCredentials.newBuilder();
    if (authority.isPresent()) tls.trustManager(authority.get().toFile());
    var transport = address.isTls() ? tls.build() : InsecureChannelCredentials.create();
    connection =
        Grpc.newChannelBuilderForAddress(address.host(), address.port(), transport)
            .intercept(MetadataUtils.newAttachHeadersInterceptor(headers), new RateLimit(), new CheckedCalls())
            .defaultServiceConfig(serviceConfig())
            .disableServiceConfigLookUp()
            .keepAliveTime(10, SECONDS)
            .keepAliveTimeout(3, SECONDS)
            .keepAliveWithoutCalls(true)
            .build();
    observe();
  }

  /** Reads {@code SECRETS_ENDPOINT}, {@code SECRETS_TOKEN} or {@code SECRETS_TOKEN_FILE}, {@code SECRETS_CA_FILE}, and {@code SECRETS_INSECURE}. */
  public static Client fromEnvironment() throws IOException {
    var token = variable("SECRETS_TOKEN");
    var file = variable("SECRETS_TOKEN_FILE");
    if (token.isEmpty() && file.isPresent()) token = Optional.of(Files.readString(Path.of(file.get())));
    var endpoint = variable("SECRETS_ENDPOINT").orElse("http://127.0.0.1:50051");
    return new Client(endpoint, token, variable("SECRETS_CA_FILE").map(Path::of), variable("SECRETS_INSECURE").equals(Optional.of("1")));
  }

  /** For the generated clients, for instance {@code SecretServiceGrpc.newBlockingStub(client.channel())}. */
  public Channel channel() {
    return connection;
  }

  /**
   * Gets the variables of a context, ready for a child process. Files, registry logins and API-only secrets are in the answer
   * of the generated client.
   *
   * @throws StatusRuntimeException when the call fails; {@link SecretsError} has the reason
   */
  public Map<String, String> resolve(ResolveRequest request) {
    var environment = new HashMap<String, String>();
    for (var secret : ResolveServiceGrpc.newBlockingStub(connection).resolve(request).getSecretsList())
      if (secret.getTarget().hasEnvironmentVariable()) environment.put(secret.getSecretId(), secret.getValue().toStringUtf8());
    return environment;
  }

  /**
   * Passes what {@link #resolve} would deliver, then each change of it, to {@code onEvent} until that returns false. Reconnects by
   * itself.
   *
   * @throws StatusRuntimeException when the right to it ends, or this is closed
   * @throws InterruptedException when the thread is interrupted while it waits to connect again
   */
  public void watch(WatchRequest request, Predicate<WatchResponse> onEvent) throws InterruptedException {
    for (var wait = 100L; ; wait = Math.min(2 * wait, 3_000)) {
      var context = Context.current().withCancellation();
      var outer = context.attach();
      var pause = ThreadLocalRandom.current().nextLong(wait);
      try {
        var events = ResolveServiceGrpc.newBlockingStub(connection).watch(request);
        while (events.hasNext()) {
          var event = events.next();
          request = request.toBuilder().setIfNoneMatch(event.getEtag()).build();
          wait = 100;
          if ((event.hasSet() || event.hasChanged()) && !onEvent.test(event)) return;
        }
      } catch (StatusRuntimeException error) {
        if (connection.isShutdown()) throw error;
        pause = RateLimit.watchMillis(error, pause).orElseThrow(() -> error);
      } finally {
        context.detachAndCancel(outer, null);
      }
      Thread.sleep(pause);
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

  private static Optional<String> variable(String name) {
    return Optional.ofNullable(System.getenv(name)).filter(value -> !value.isEmpty());
  }

  private static String bearer(String token) {
    if (token.strip().matches("[!-~]+")) return "Bearer " + token.strip();
    throw new IllegalArgumentException("the token is empty, or has an invalid character");
  }

  private static Map<String, ?> serviceConfig() throws IOException {
    try (var text = new InputStreamReader(Client.class.getResourceAsStream("service_config.json"))) {
      return new Gson().fromJson(text, new TypeToken<Map<String, ?>>() {});
    }
  }
}
