package secrets;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Where the service is, and who calls.
 *
 * @param endpoint {@code https://host[:port]}, or {@code http://} on a network that nobody else listens to
 * @param token the token to show; without one, only what is open to everybody works
 * @param authority a file of certificate authorities to trust in the place of Java's own, PEM
 * @param deadline how long a call may take, its repeats included; 30 s at most
 */
public record Options(URI endpoint, Optional<String> token, Optional<Path> authority, Duration deadline) {
  public Options {
    token = token.map(String::strip);
    if (token.isPresent() && !token.get().matches("[!-~]+"))
      throw new IllegalArgumentException("the token holds a character that no token has; was something else pasted?");
  }

  /** Reads {@code SECRETS_ENDPOINT}, {@code SECRETS_TOKEN} or {@code SECRETS_TOKEN_FILE}, and {@code SECRETS_CA_FILE}. */
  public static Options fromEnvironment() throws IOException {
    var token = variable("SECRETS_TOKEN");
    var file = variable("SECRETS_TOKEN_FILE");
    if (token.isEmpty() && file.isPresent()) token = Optional.of(Files.readString(Path.of(file.get())));
    var endpoint = URI.create(variable("SECRETS_ENDPOINT").orElse("http://127.0.0.1:50051"));
    return new Options(endpoint, token, variable("SECRETS_CA_FILE").map(Path::of), Duration.ofSeconds(30));
  }

  /** All but the token, which is not for logs. */
  @Override
  public String toString() {
    return "Options[endpoint=" + endpoint + ", authority=" + authority + ", deadline=" + deadline + "]";
  }

  private static Optional<String> variable(String name) {
    return Optional.ofNullable(System.getenv(name)).filter(value -> !value.isEmpty());
  }
}
