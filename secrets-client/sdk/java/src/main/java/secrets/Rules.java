package secrets;

import com.google.gson.Gson;
import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import secretsapi.v1.Context;
import secretsapi.v1.Redaction;
import secretsapi.v1.RegistryTarget;
import secretsapi.v1.ResolveRequest;
import secretsapi.v1.ResolveResponse;
import secretsapi.v1.ResolvedSecret;
import secretsapi.v1.ScopeKind;
import secretsapi.v1.Target;
import secretsapi.v1.TargetKind;

/** Checks an answer of Resolve where it arrives, by core's rules, whoever asked: a client trusts no service. */
final class Rules implements ClientInterceptor {
  /** More than any pattern accepts: a repetition takes a frame of the stack each time. */
  private static final int MAX_MATCHED = 512;

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

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      private volatile Object asked;

      @Override
      public void sendMessage(Q message) {
        asked = message;
        super.sendMessage(message);
      }

      @Override
      public void start(Listener<A> listener, Metadata headers) {
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              private BrokenRule broken;

              @Override
              @SuppressWarnings("unchecked")
              public void onMessage(A message) {
                try {
                  var isResolve = asked instanceof ResolveRequest && message instanceof ResolveResponse;
                  super.onMessage(isResolve ? (A) checked((ResolveRequest) asked, (ResolveResponse) message) : message);
                } catch (BrokenRule rule) {
                  broken = rule;
                }
              }

              @Override
              public void onClose(Status status, Metadata trailers) {
                super.onClose(broken == null ? status : Status.DATA_LOSS.withDescription(broken.getMessage()).withCause(broken), trailers);
              }
            },
            headers);
      }
    };
  }

  /** The answer without the secrets of which this version does not know something. */
  private static ResolveResponse checked(ResolveRequest asked, ResolveResponse answer) {
    checkWhole(asked, answer);
    var names = new HashSet<String>();
    var destinations = new HashSet<String>();
    var known = ResolveResponse.newBuilder(answer).clearSecrets();
    for (var secret : answer.getSecretsList()) {
      var name = secret.getSecretId();
      require("name", matches("name", name), "");
      var isKnown = checkSecret(asked, answer.getContext(), secret);
      require("repeated", names.add(name), name);
      var destination = isKnown ? destination(secret.getTarget()) : "";
      require("destination", destination.isEmpty() || destinations.add(destination), name);
      if (isKnown) known.addSecrets(secret);
      else tell(name, "was left out: this version does not know its kind of target, kind of scope or redaction");
    }
    require("missing", answer.getNotModified() || names.containsAll(asked.getRequiredSecretIdsList()), "");
    return known.build();
  }

  private static void checkWhole(ResolveRequest asked, ResolveResponse answer) {
    var context = answer.getContext();
    var seconds = answer.getNextChangeTime().getSeconds();
    require("too_many", answer.getSecretsCount() <= limit("secrets"), "");
    require("not_modified", !answer.getNotModified() || !asked.getIfNoneMatch().isEmpty() && answer.getSecretsCount() == 0, "");
    require("environment_bytes", answer.getEnvironmentBytes() >= 0, "");
    require("etag", matches("token", answer.getEtag()), "");
    require("revision", matches("token", answer.getRevision()), "");
    require("next_change_time", limit("first_second") <= seconds && seconds <= limit("last_second"), "");
    require("context", matches("organization", context.getOrganization()), "");
    require("context", context.getProject().isEmpty() || matches("project", context.getProject()), "");
    require("context", context.getWorkspace().isEmpty() || matches("workspace", context.getWorkspace()), "");
    require("context", context.getUser().isEmpty() || matches("user", context.getUser()), "");
    require("context", context.getUser().length() <= limit("user_bytes"), "");
    require("context", !asked.hasContext() || isAnswer(asked.getContext(), context), "");
  }

  /** The user, and the project of a workspace, are filled in. */
  private static boolean isAnswer(Context asked, Context answered) {
    var isProject = asked.getProject().equals(answered.getProject()) || asked.getProject().isEmpty() && !asked.getWorkspace().isEmpty();
    var isUser = asked.getUser().equals(answered.getUser()) || asked.getUser().isEmpty();
    return asked.getOrganization().equals(answered.getOrganization())
        && asked.getWorkspace().equals(answered.getWorkspace()) && isProject && isUser;
  }

  /** Whether all of it is known. */
  private static boolean checkSecret(ResolveRequest asked, Context context, ResolvedSecret secret) {
    var name = secret.getSecretId();
    var target = secret.getTarget();
    var isNamed = asked.getSecretIdsList().contains(name) || asked.getRequiredSecretIdsList().contains(name);
    require("not_requested", isNamed || asked.getSecretIdsCount() == 0, name);
    require("version", Integer.compareUnsigned(secret.getVersion(), 1) >= 0, name);
    require("target", secret.hasTarget(), name);
    checkTarget(name, target);
    var kind = kind(target);
    if (kind == TargetKind.TARGET_KIND_UNSPECIFIED || secret.getScope() == ScopeKind.UNRECOGNIZED || secret.getRedaction() == Redaction.UNRECOGNIZED) {
      require("unknown", !isNamed && (kind != TargetKind.TARGET_KIND_UNSPECIFIED || asked.getKindsCount() == 0), name);
      return false;
    }
    var value = secret.getValue();
    require("resource", secret.getSecret().equals(scope(context, secret.getScope()) + "/secrets/" + name), name);
    require("not_requested", asked.getKindsCount() == 0 || asked.getKindsList().contains(kind), name);
    require("not_requested", !target.hasApiOnly() || isNamed, name);
    require("value", !value.isEmpty() && value.size() <= limit("value_bytes"), name);
    require("value", !target.hasEnvironmentVariable() || isText(value), name);
    return true;
  }

  private static TargetKind kind(Target target) {
    return switch (target.getKindCase()) {
      case ENVIRONMENT_VARIABLE -> TargetKind.TARGET_KIND_ENVIRONMENT_VARIABLE;
      case FILE -> TargetKind.TARGET_KIND_FILE;
      case REGISTRY -> TargetKind.TARGET_KIND_REGISTRY;
      case API_ONLY -> TargetKind.TARGET_KIND_API_ONLY;
      case KIND_NOT_SET -> TargetKind.TARGET_KIND_UNSPECIFIED;
    };
  }

  /** The path of a context's scope; of one that it does not have, a text that is no path. */
  private static String scope(Context context, ScopeKind kind) {
    var path = "organizations/" + context.getOrganization();
    var below = switch (kind) {
      case SCOPE_KIND_ORGANIZATION -> "";
      case SCOPE_KIND_PROJECT -> "/projects/" + context.getProject();
      case SCOPE_KIND_WORKSPACE -> "/workspaces/" + context.getWorkspace();
      case SCOPE_KIND_USER -> "/users/" + context.getUser();
      default -> "/";
    };
    return below.endsWith("/") ? "\0" : path + below;
  }

  private static void checkTarget(String name, Target target) {
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
  private static String destination(Target target) {
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
    if (!pattern.startsWith("~/")) return covers(pattern, path) || path.startsWith(pattern + "/");
    for (var at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) // below any folder, since any may be a home
      if (coversPath(pattern.substring(1), path.substring(at))) return true;
    return false;
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

  private static boolean isText(ByteString value) {
    return value.isValidUtf8() && value.toStringUtf8().indexOf('\0') < 0;
  }

  private static boolean isVisible(String text) {
    return text.codePoints().noneMatch(c -> {
      for (var range : FILE.invisible()) if (range[0] <= c && c <= range[1]) return true;
      return false;
    });
  }

  private static boolean matches(String pattern, String text) {
    return text.length() <= MAX_MATCHED && PATTERNS.get(pattern).matcher(text).matches();
  }

  private static long limit(String name) {
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

  private static void require(String rule, boolean isKept, String name) {
    if (!isKept) throw broken(rule, name, "");
  }

  private static BrokenRule broken(String rule, String name, String detail) {
    var subject = name.isEmpty() ? "" : "`" + name + "`: ";
    return new BrokenRule(rule, subject + FILE.rules().get(rule) + detail);
  }

  private static void tell(String name, String message) {
    if (TOLD.add(name + " " + message)) LOG.log(System.Logger.Level.WARNING, name + " " + message);
  }

  private static File read() {
    return new Gson().fromJson(new InputStreamReader(Rules.class.getResourceAsStream("rules.json"), StandardCharsets.UTF_8), File.class);
  }
}
