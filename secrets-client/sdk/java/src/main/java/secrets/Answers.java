package secrets;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import secretsapi.v1.Context;
import secretsapi.v1.Redaction;
import secretsapi.v1.ResolveRequest;
import secretsapi.v1.ResolveResponse;
import secretsapi.v1.ResolvedSecret;
import secretsapi.v1.ScopeKind;
import secretsapi.v1.Target;
import secretsapi.v1.TargetKind;
import secretsapi.v1.WatchRequest;
import secretsapi.v1.WatchResponse;
import secretsapi.v1.WatchedChange;
import secretsapi.v1.WatchedSecret;

/** The secrets of one answer, or of one event, beside each other and beside what was asked for. */
final class Answers {
  private final Question asked;
  /** That of the answer; null for one that comes without. */
  private final Context context;
  private final Set<String> names = new HashSet<>();
  private final Set<String> destinations = new HashSet<>();

  /** What Resolve and Watch are asked. */
  private record Question(Context context, Set<String> only, Set<String> named, List<TargetKind> kinds) {
    Question(Context context, List<String> only, List<String> required, List<TargetKind> kinds) {
      this(context, Set.copyOf(only), new HashSet<>(only), kinds);
      named.addAll(required);
    }
  }

  /** What a secret has in an answer of Resolve, and in an event of Watch. */
  private record Sent(String path, String name, Target target, boolean hasTarget, ScopeKind scope, int version, Redaction redaction) {
    Sent(ResolvedSecret it) {
      this(it.getSecret(), it.getSecretId(), it.getTarget(), it.hasTarget(), it.getScope(), it.getVersion(), it.getRedaction());
    }

    Sent(WatchedSecret it) {
      this(it.getSecret(), it.getSecretId(), it.getTarget(), it.hasTarget(), it.getScope(), it.getVersion(), it.getRedaction());
    }
  }

  private Answers(Question asked, Context context) {
    this.asked = asked;
    this.context = context;
  }

  /** The answer without the secrets of which this version does not know something. */
  static ResolveResponse checked(ResolveRequest request, ResolveResponse answer) {
    var asked = new Question(
        request.hasContext() ? request.getContext() : null, request.getSecretIdsList(), request.getRequiredSecretIdsList(), request.getKindsList());
    require("not_modified", !answer.getNotModified() || !request.getIfNoneMatch().isEmpty() && answer.getSecretsCount() == 0, "");
    require("environment_bytes", answer.getEnvironmentBytes() >= 0, "");
    checkState(answer.getEtag(), answer.getRevision(), answer.getNextChangeTime());
    checkContext(asked, answer.getContext());
    var answers = new Answers(asked, answer.getContext());
    var known = answers.checked(answer.getSecretsList(), Sent::new);
    known.forEach(Answers::checkValue);
    require("missing", answer.getNotModified() || answers.names.containsAll(request.getRequiredSecretIdsList()), "");
    return answer.toBuilder().clearSecrets().addAllSecrets(known).build();
  }

  /** The event, the first of its stream or a later one, without the secrets of which this version does not know something. */
  static WatchResponse checked(WatchRequest request, WatchResponse event, boolean isFirst) {
    var asked = new Question(
        request.hasContext() ? request.getContext() : null, request.getSecretIdsList(), request.getRequiredSecretIdsList(), request.getKindsList());
    var isKnown = event.hasHeartbeat() && !request.getIfNoneMatch().isEmpty();
    require("event_order", event.hasSet() == isFirst || isFirst && isKnown, "");
    checkState(event.getEtag(), event.getRevision(), event.getNextChangeTime());
    return switch (event.getEventCase()) {
      case SET -> {
        checkContext(asked, event.getSet().getContext());
        var known = new Answers(asked, event.getSet().getContext()).events(event.getSet().getSecretsList());
        yield event.toBuilder().setSet(event.getSet().toBuilder().clearSecrets().addAllSecrets(known)).build();
      }
      // It comes without a context: a workspace that was transferred gets the secrets of another user.
      case CHANGED -> event.toBuilder().setChanged(new Answers(asked, null).change(event.getChanged())).build();
      case HEARTBEAT -> event;
      case EVENT_NOT_SET -> {
        Rules.tell("an event", "was left out: this version does not know its kind");
        yield event;
      }
    };
  }

  private WatchedChange change(WatchedChange change) {
    var known = change.toBuilder().clearAdded().addAllAdded(events(change.getAddedList()));
    known.clearUpdated().addAllUpdated(events(change.getUpdatedList()));
    require("too_many", change.getRemovedCount() <= Rules.limit("secrets"), "");
    for (var name : change.getRemovedList()) {
      checkName(name);
      require("repeated", names.add(name), name);
    }
    return known.build();
  }

  private List<WatchedSecret> events(List<WatchedSecret> secrets) {
    var known = checked(secrets, Sent::new);
    known.forEach(secret -> require("expire_time", Rules.isTime(secret.getExpireTime()), secret.getSecretId()));
    return known;
  }

  /** Those of which this version knows everything. */
  private <S> List<S> checked(List<S> secrets, Function<S, Sent> sent) {
    require("too_many", secrets.size() <= Rules.limit("secrets"), "");
    var known = new ArrayList<S>();
    for (var each : secrets) {
      var secret = sent.apply(each);
      checkName(secret.name());
      var isKnown = isKnown(secret);
      require("repeated", names.add(secret.name()), secret.name());
      var destination = isKnown ? Rules.destination(secret.target()) : "";
      require("destination", destination.isEmpty() || destinations.add(destination), secret.name());
      if (isKnown) known.add(each);
      else Rules.tell(secret.name(), "was left out: this version does not know its kind of target, kind of scope or redaction");
    }
    return known;
  }

  private void checkName(String name) {
    require("name", Rules.matches("name", name), "");
    require("not_requested", asked.only().isEmpty() || asked.named().contains(name), name);
  }

  private boolean isKnown(Sent secret) {
    var name = secret.name();
    var isNamed = asked.named().contains(name);
    require("version", Integer.compareUnsigned(secret.version(), 1) >= 0, name);
    require("target", secret.hasTarget(), name);
    Rules.checkTarget(name, secret.target());
    var kind = kind(secret.target());
    if (kind == TargetKind.TARGET_KIND_UNSPECIFIED || secret.scope() == ScopeKind.UNRECOGNIZED || secret.redaction() == Redaction.UNRECOGNIZED) {
      require("unknown", !isNamed && (kind != TargetKind.TARGET_KIND_UNSPECIFIED || asked.kinds().isEmpty()), name);
      return false;
    }
    var within = context == null ? contextOfPath(secret.path()) : context;
    require("resource", secret.path().equals(scope(within, secret.scope()) + "/secrets/" + name) && isContext(within), name);
    require("not_requested", asked.kinds().isEmpty() || asked.kinds().contains(kind), name);
    require("not_requested", kind != TargetKind.TARGET_KIND_API_ONLY || isNamed, name);
    return true;
  }

  private static void checkValue(ResolvedSecret secret) {
    var value = secret.getValue();
    require("value", !value.isEmpty() && value.size() <= Rules.limit("value_bytes"), secret.getSecretId());
    require("value", !secret.getTarget().hasEnvironmentVariable() || isText(value), secret.getSecretId());
  }

  private static boolean isText(ByteString value) {
    return value.isValidUtf8() && value.toStringUtf8().indexOf('\0') < 0;
  }

  private static void checkState(String etag, String revision, Timestamp nextChange) {
    require("etag", Rules.matches("token", etag), "");
    require("revision", Rules.matches("token", revision), "");
    require("next_change_time", Rules.isTime(nextChange), "");
  }

  private static void checkContext(Question asked, Context context) {
    require("context", isContext(context) && (asked.context() == null || isAnswer(asked.context(), context)), "");
  }

  private static boolean isContext(Context context) {
    var optional = Map.of("project", context.getProject(), "workspace", context.getWorkspace(), "user", context.getUser());
    return Rules.matches("organization", context.getOrganization()) && context.getUser().length() <= Rules.limit("user_bytes")
        && optional.entrySet().stream().allMatch(each -> each.getValue().isEmpty() || Rules.matches(each.getKey(), each.getValue()));
  }

  /** The user, and the project of a workspace, are filled in. */
  private static boolean isAnswer(Context asked, Context answered) {
    var isProject = asked.getProject().equals(answered.getProject()) || asked.getProject().isEmpty() && !asked.getWorkspace().isEmpty();
    var isUser = asked.getUser().equals(answered.getUser()) || asked.getUser().isEmpty();
    return asked.getOrganization().equals(answered.getOrganization())
        && asked.getWorkspace().equals(answered.getWorkspace()) && isProject && isUser;
  }

  /** What the path of a secret says of its context. */
  private static Context contextOfPath(String path) {
    var parts = path.split("/", -1);
    var named = new HashMap<String, String>();
    for (var at = 0; at + 1 < parts.length; at += 2) named.put(parts[at], parts[at + 1]);
    return Context.newBuilder()
        .setOrganization(named.getOrDefault("organizations", ""))
        .setProject(named.getOrDefault("projects", ""))
        .setWorkspace(named.getOrDefault("workspaces", ""))
        .setUser(named.getOrDefault("users", ""))
        .build();
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

  private static void require(String rule, boolean isKept, String name) {
    Rules.require(rule, isKept, name);
  }
}
