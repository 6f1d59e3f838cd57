package secrets;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Pattern;

/** The address of a service: a scheme, a host and a port, and nothing else. An address of IPv6 is in brackets. */
record Endpoint(String host, int port, boolean isTls) {
  private static final Pattern PARTS = Pattern.compile("(https?)://([^/\\\\?#]*?)(?::([^:\\]/\\\\?#]*))?([/\\\\?#].*)?", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);
  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127(\\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}");

  /** Its errors show no more of the text than scheme, host and port: the rest may be a password. */
  static Endpoint parse(String text, boolean insecure) {
    require(text.replaceAll("^[ \\t\\r\\n\\x0B\\f]+|[ \\t\\r\\n\\x0B\\f]+$", "").equals(text), "must not have a space before or after it");
    // Before anything else: a password may hold each of the characters that end a host.
    require(!text.contains("@"), "must not have a user name or password: a token says who calls");
    var parts = PARTS.matcher(text);
    require(parts.matches(), "expected an address such as `https://secrets.example.com`");
    var isTls = parts.group(1).length() == 5;
    var port = parts.group(3) == null ? defaultPort(isTls) : port(parts.group(3));
    require(1 <= port && port <= 65_535, "invalid port: must be a number from 1 to 65535");
    require(isHost(parts.group(2)), "invalid host: expected a name, an IPv4 address, or an IPv6 address in brackets");
    var host = parts.group(2).toLowerCase(Locale.ROOT);
    var endpoint = new Endpoint(host, port, isTls);
    var more = parts.group(4) == null ? "" : parts.group(4).startsWith("/") ? parts.group(4).substring(1) : parts.group(4);
    var part = more.startsWith("?") ? "query" : more.startsWith("#") ? "fragment" : "path";
    require(more.isEmpty(), "must not have a " + part + "; did you mean `" + endpoint + "`?");
    if (!insecure && !isTls && !isLoopback(host))
      throw new IllegalArgumentException(endpoint + " is not encrypted, so that others on the network could read tokens and values; use `https://`,"
          + " or allow it for a network that you trust with SECRETS_INSECURE=1 or the option `insecure`");
    return endpoint;
  }

  @Override
  public String toString() {
    return (isTls ? "https://" : "http://") + host + (port == defaultPort(isTls) ? "" : ":" + port);
  }

  private static int defaultPort(boolean isTls) {
    return isTls ? 443 : 80;
  }

  private static int port(String text) {
    return text.matches("0*[0-9]{1,5}") ? Integer.parseInt(text) : 0;
  }

  private static boolean isHost(String host) {
    return host.startsWith("[") ? address(host) != null : host.matches("[A-Za-z0-9._-]+");
  }

  /** Whether it is this machine; not what another notation of an address may mean. */
  private static boolean isLoopback(String host) {
    if (!host.startsWith("[")) return LOOPBACK.matcher(host).matches();
    return address(host) instanceof Inet6Address address && address.isLoopbackAddress();
  }

  /** The address in brackets, which nobody is asked for; null when it is none. */
  private static InetAddress address(String host) {
    try {
      return host.matches("\\[[0-9A-Fa-f:.]+\\]") ? InetAddress.getByName(host) : null;
    } catch (UnknownHostException none) {
      return null;
    }
  }

  private static void require(boolean condition, String sentence) {
    if (!condition) throw new IllegalArgumentException("invalid endpoint: " + sentence);
  }
}
