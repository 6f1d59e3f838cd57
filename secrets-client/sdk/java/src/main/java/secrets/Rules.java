package secrets;

import com.google.gson.Gson;
import com.google.protobuf.Timestamp;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import secretsapi.v1.RegistryTarget;
import secretsapi.v1.Target;

/** Core's rules of what an answer may hold: names, targets and times. */
final class Rules {
  /** More than any pattern accepts: a repetition takes a frame of the stack each time. */
  private static final int MAX_MATCHED = 512;

  /** A service has names without end. */
  private static final int MAX_TOLD = 1_000;

  private static final System.Logger LOG = System.getLogger("secrets");
  private static final File FILE = read();
  private static final Map<String, Pattern> PATTERNS = new HashMap<>();
  private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

  static {
    FILE.patterns().forEach((name, pattern) -> PATTERNS.put(name, Pattern.compile(pattern)));
    FILE.reserved().values().forEach(rows -> rows.forEach(row -> row.patterns().replaceAll(Rules::lower)));
  }

  private record File(
      Map<String, String> rules, Map<String, Long> limits, Map<String, String> patterns, int[][] invisible, Map<String, List<Row>> reserved) {}

  private record Row(String grade, String reason, List<String> patterns) {}

  static void checkTarget(String name, Target target) {
    if (target.hasEnvironmentVariable()) checkReserved("variables", name, name, Rules::covers);
    if (target.hasFile()) {
      var mode = Integer.toUnsignedLong(target.getFile().getMode());
      require("path", isPath(target.getFile().getPath()), name);
      require("mode", (mode & ~limit("mode_bits")) == 0 && (mode & limit("mode_bits_refused")) == 0, name);
      checkReserved("paths", target.getFile().getPath(), name, Rules::coversPath);
    }
    if (target.hasRegistry()) {
      require("registry_host", isHost(target.getRegistry().getHost()), name);
      require("registry_username", isUsername(target.getRegistry()), name);
    }
  }

  /** What it takes where it is delivered, beside its name. */
  static String destination(Target target) {
    if (target.hasFile()) return "file " + target.getFile().getPath();
    return target.hasRegistry() ? "registry " + target.getRegistry().getHost() : "";
  }

  /** Refuses what is hard, and says of what is soft, once, that it is delivered. */
  private static void checkReserved(String table, String text, String name, BiPredicate<String, String> covers) {
    var lower = lower(text);
    var rows = FILE.reserved().get(table).stream().filter(row -> row.patterns().stream().anyMatch(pattern -> covers.test(pattern, lower))).toList();
    for (var row : rows)
      if (row.grade().equals("HARD")) throw broken("reserved", name, " (" + row.reason() + ")");
    for (var row : rows) tell(name, "is delivered, and " + row.reason());
  }

  private static boolean covers(String pattern, String text) {
    return pattern.endsWith("*") ? text.startsWith(pattern.substring(0, pattern.length() - 1)) : text.equals(pattern);
  }

  private static boolean coversPath(String pattern, String path) {
    var start = pattern.endsWith("*") ? pattern.substring(0, pattern.length() - 1) : pattern + "/";
    // Below any folder, since any may be a home.
    return start.startsWith("~/") ? (path + "/").contains(start.substring(1)) : (path + "/").startsWith(start);
  }

  private static boolean isPath(String path) {
    var parts = List.of((path.startsWith("~") ? path.substring(1) : path).split("/", -1));
    var below = parts.subList(1, parts.size());
    return parts.get(0).isEmpty() && !below.isEmpty() && bytes(path) <= limit("path_bytes") && isVisible(path)
        && below.stream().allMatch(part -> !Set.of("", ".", "..").contains(part) && bytes(part) <= limit("path_part_bytes"));
  }

  private static boolean isHost(String host) {
    var isBounded = host.startsWith("[") || host.split(":", 2)[0].length() <= limit("registry_host_bytes");
    var isName = matches("registry_dns", host) && !matches("registry_number", host);
    return isBounded && (isName || matches("registry_ipv4", host) || matches("registry_ipv6", host));
  }

  private static boolean isUsername(RegistryTarget registry) {
    var name = registry.getUsername();
    var isBounded = !name.isEmpty() && bytes(name) <= limit("registry_username_bytes");
    return isBounded && !name.contains(":") && !name.startsWith(" ") && !name.endsWith(" ") && isVisible(name);
  }

  static boolean isInvisible(int c) {
    for (var range : FILE.invisible()) if (range[0] <= c && c <= range[1]) return true;
    return false;
  }

  private static boolean isVisible(String text) {
    return text.codePoints().noneMatch(Rules::isInvisible);
  }

  /** One that RFC 3339 could write. */
  static boolean isTime(Timestamp time) {
    var isSecond = limit("first_second") <= time.getSeconds() && time.getSeconds() <= limit("last_second");
    return isSecond && 0 <= time.getNanos() && time.getNanos() < 1_000_000_000;
  }

  static boolean matches(String pattern, String text) {
    return text.length() <= MAX_MATCHED && PATTERNS.get(pattern).matcher(text).matches();
  }

  static long limit(String name) {
    return FILE.limits().get(name);
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** ASCII alone, as the table is compared. */
  private static String lower(String text) {
    var lower = new StringBuilder(text);
    for (var at = 0; at < text.length(); at++)
      if (text.charAt(at) >= 'A' && text.charAt(at) <= 'Z') lower.setCharAt(at, (char) (text.charAt(at) + 32));
    return lower.toString();
  }

  static void require(String rule, boolean isKept, String name) {
    if (!isKept) throw broken(rule, name, "");
  }

  static BrokenRule broken(String rule, String name, String detail) {
    var subject = name.isEmpty() ? "" : "`" + name + "`: ";
    return new BrokenRule(rule, subject + FILE.rules().get(rule) + detail);
  }

  static void tell(String name, String message) {
    if (TOLD.size() < MAX_TOLD && TOLD.add(name + " " + message)) LOG.log(System.Logger.Level.WARNING, name + " " + message);
  }

  private static File read() {
    return new Gson().fromJson(new InputStreamReader(Rules.class.getResourceAsStream("rules.json"), StandardCharsets.UTF_8), File.class);
  }
}
