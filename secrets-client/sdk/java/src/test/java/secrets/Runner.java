package secrets;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ClientCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import secretsapi.v1.ErrorReason;
import secretsapi.v1.ResolveRequest;
import secretsapi.v1.ResolveServiceGrpc;
import secretsapi.v1.WatchRequest;
import secretsapi.v1.WatchResponse;

/** The runner of {@code tests/interop/scenario.json}; see {@code tests/interop/README.md}. */
final class Runner {
  private static final Pattern WORD = Pattern.compile("\\$\\{(\\w+)\\}");

  private final Map<String, String> kept = new HashMap<>();
  private final Map<String, Client> clients = new HashMap<>();

  record Step(
      String name, String as, String call, JsonElement request, JsonElement resolve, JsonElement watch, Step[] then,
      Map<String, String> keep, JsonObject expect, int within_seconds) {}

  record Steps(Step[] steps) {}

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("--resolve-forever")) resolveForever();
    if (arguments[0].equals("--answers")) answers(Path.of(arguments[1]));
    if (arguments[0].equals("--events")) events(Path.of(arguments[1]));
    if (arguments[0].equals("--endpoints")) endpoints(Path.of(arguments[1]));
    var scenario = new Runner();
    scenario.kept.put("operator", Files.readString(Path.of(System.getenv("SECRETS_TOKEN_FILE"))).strip());
    scenario.kept.put("organization", System.getenv("SECRETS_ORGANIZATION"));
    var number = 0;
    for (var step : new Gson().fromJson(Files.readString(Path.of(arguments[0])), Steps.class).steps()) {
      number++;
      var wrong = scenario.run(step);
      if (wrong != null) {
        System.out.printf("failed %d %s: %s%n", number, step.name(), wrong);
        System.exit(1);
      }
      System.out.printf("ok %d %s%n", number, step.name());
    }
    System.exit(0);
  }

  private static void resolveForever() throws Exception {
    var client = Client.fromEnvironment();
    while (!System.out.checkError()) {
      try {
        client.resolve(ResolveRequest.getDefaultInstance());
        System.out.println("resolved");
      } catch (StatusRuntimeException error) {
        System.out.println("failed " + error.getStatus().getCode());
      }
      Thread.sleep(200);
    }
    System.exit(0);
  }

  record Answer(JsonElement request) {}

  record AnswersFile(List<Answer> malformed, List<Answer> accepted) {}

  /** Resolves once for each answer, and again through the stub; prints what came of it. */
  private static void answers(Path path) throws Exception {
    var client = Client.fromEnvironment();
    var file = new Gson().fromJson(Files.readString(path), AnswersFile.class);
    for (var answer : Stream.concat(file.malformed().stream(), file.accepted().stream()).toList()) {
      var request = ResolveRequest.newBuilder();
      if (answer.request() != null) JsonFormat.parser().merge(answer.request().toString(), request);
      printAnswer(() -> Map.of("environment", client.resolve(request.build())));
      printAnswer(() -> {
        var secrets = ResolveServiceGrpc.newBlockingStub(client.channel()).resolve(request.build()).getSecretsList();
        return Map.of("names", secrets.stream().map(secret -> secret.getSecretId()).toList());
      });
    }
    System.exit(0);
  }

  /** Watches once for each stream, and again through the stub; prints what came of it. */
  private static void events(Path path) throws Exception {
    var client = Client.fromEnvironment();
    var file = new Gson().fromJson(Files.readString(path), AnswersFile.class);
    for (var stream : Stream.concat(file.malformed().stream(), file.accepted().stream()).toList()) {
      var request = WatchRequest.newBuilder();
      if (stream.request() != null) JsonFormat.parser().merge(stream.request().toString(), request);
      printEvents(onEvent -> client.watch(request.build(), onEvent));
      printEvents(onEvent -> ResolveServiceGrpc.newBlockingStub(client.channel()).watch(request.build()).forEachRemaining(onEvent::test));
    }
    System.exit(0);
  }

  private interface Watch {
    void run(Predicate<WatchResponse> onEvent) throws InterruptedException;
  }

  private static void printEvents(Watch watch) throws InterruptedException {
    var delivered = new ArrayList<List<String>>();
    var came = new HashMap<String, Object>(Map.of("delivered", delivered));
    try {
      watch.run(event -> {
        if (event.hasSet() || event.hasChanged()) delivered.add(names(event));
        return true;
      });
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCause() instanceof BrokenRule broken)
        came.putAll(Map.of("rule", broken.rule(), "message", error.getStatus().getDescription()));
      else came.put("code", error.getStatus().getCode());
    }
    System.out.println(new Gson().toJson(came));
  }

  private static List<String> names(WatchResponse event) {
    var change = event.getChanged();
    var secrets = Stream.of(event.getSet().getSecretsList(), change.getAddedList(), change.getUpdatedList()).flatMap(List::stream);
    return Stream.concat(secrets.map(secret -> secret.getSecretId()), change.getRemovedList().stream()).toList();
  }

  record Address(String endpoint) {}

  record Addresses(List<Address> endpoints) {}

  /** Makes a client for each address, and again with {@code insecure}; prints why it is refused. */
  private static void endpoints(Path path) throws Exception {
    for (var address : new Gson().fromJson(Files.readString(path), Addresses.class).endpoints())
      for (var insecure : List.of(false, true)) {
        var came = Map.<String, String>of();
        try {
          new Client(address.endpoint(), Optional.empty(), Optional.empty(), insecure).close();
        } catch (IllegalArgumentException error) {
          came = Map.of("message", error.getMessage());
        }
        System.out.println(new Gson().toJson(came));
      }
    System.exit(0);
  }

  private static void printAnswer(Supplier<Map<String, ?>> resolve) {
    Map<String, ?> came;
    try {
      came = resolve.get();
    } catch (StatusRuntimeException error) {
      if (!(error.getStatus().getCause() instanceof BrokenRule broken)) throw error;
      came = Map.of("rule", broken.rule(), "message", error.getStatus().getDescription());
    }
    System.out.println(new Gson().toJson(came));
  }

  /** Does a step; says what went wrong, if anything did. */
  private String run(Step step) throws Exception {
    var expected = step.expect() == null ? null : filled(step.expect());
    var end = System.nanoTime() + step.within_seconds() * 1_000_000_000L;
    while (true) {
      var came = attempt(step);
      var wrong = misfit(expected, came);
      if (wrong == null && step.keep() != null)
        step.keep().forEach((name, path) -> kept.put(name, at(came.get("response"), path).getAsString()));
      if (wrong == null || System.nanoTime() >= end) return wrong;
      Thread.sleep(500);
    }
  }

  private JsonObject attempt(Step step) throws Exception {
    var client = client(step.as());
    try {
      if (step.resolve() != null) {
        var request = (ResolveRequest) read(ResolveRequest.getDefaultInstance(), step.resolve());
        return outcome("environment", new Gson().toJsonTree(client.resolve(request)));
      }
      if (step.watch() != null) return watch(client, step);
      var method = method(step.call());
      var request = read(((MethodDescriptor.PrototypeMarshaller<Message>) method.getRequestMarshaller()).getMessagePrototype(), step.request());
      var response = ClientCalls.blockingUnaryCall(client.channel(), method, CallOptions.DEFAULT, request);
      return outcome("response", JsonParser.parseString(JsonFormat.printer().preservingProtoFieldNames().print(response)));
    } catch (StatusRuntimeException error) {
      return failure(error);
    }
  }

  /** As many events as are expected, or, when none is, all until the watch fails. */
  private JsonObject watch(Client client, Step step) throws Exception {
    var request = (WatchRequest) read(WatchRequest.getDefaultInstance(), step.watch());
    var expected = step.expect().getAsJsonArray("events");
    var events = new JsonArray();
    var failed = new JsonObject();
    client.watch(request, event -> {
      try {
        events.add(JsonParser.parseString(JsonFormat.printer().preservingProtoFieldNames().print(event)));
        for (var inner : events.size() == 1 ? step.then() : new Step[0]) {
          var wrong = run(inner);
          if (wrong != null) failed.addProperty("failed", inner.name() + ": " + wrong);
        }
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
      return failed.isEmpty() && (expected == null || events.size() < expected.size());
    });
    return failed.isEmpty() ? outcome("events", events) : failed;
  }

  private Message read(Message empty, JsonElement json) throws Exception {
    var builder = empty.newBuilderForType();
    JsonFormat.parser().merge(filled(json).toString(), builder);
    return builder.build();
  }

  /** One for each token, since an actor may get another, and one for nobody. */
  private Client client(String actor) throws Exception {
    var endpoint = System.getenv("SECRETS_ENDPOINT");
    var authority = Optional.of(Path.of(System.getenv("SECRETS_CA_FILE")));
    var token = kept.get(actor);
    if (!clients.containsKey(token)) clients.put(token, new Client(endpoint, Optional.ofNullable(token), authority, false));
    return clients.get(token);
  }

  @SuppressWarnings("unchecked")
  private static MethodDescriptor<Message, Message> method(String call) throws Exception {
    var service = call.split("/")[0];
    var stub = Class.forName("secretsapi.v1." + service + "Grpc");
    var described = (ServiceDescriptor) stub.getMethod("getServiceDescriptor").invoke(null);
    for (var method : described.getMethods())
      if (method.getFullMethodName().equals("secretsapi.v1." + call)) return (MethodDescriptor<Message, Message>) method;
    throw new IllegalArgumentException("no method " + call);
  }

  private static JsonObject failure(StatusRuntimeException error) {
    var details = SecretsError.from(error);
    var failed = new JsonObject();
    failed.addProperty("code", error.getStatus().getCode().name());
    var known = details.reason() != ErrorReason.ERROR_REASON_UNSPECIFIED;
    failed.addProperty("reason", known ? details.reason().name().replace("ERROR_REASON_", "") : "");
    failed.add("metadata", new Gson().toJsonTree(details.metadata()));
    failed.addProperty("message", error.getStatus().getDescription());
    return outcome("error", failed);
  }

  private static JsonObject outcome(String kind, JsonElement value) {
    var outcome = new JsonObject();
    outcome.add(kind, value);
    return outcome;
  }

  /** The same with what was kept in the place of {@code ${name}}. */
  private JsonObject filled(JsonElement json) {
    var text = WORD.matcher(json.toString()).replaceAll(word -> {
      var quoted = new JsonPrimitive(kept.get(word.group(1))).toString();
      return Matcher.quoteReplacement(quoted.substring(1, quoted.length() - 1));
    });
    return JsonParser.parseString(text).getAsJsonObject();
  }

  private static String misfit(JsonObject expected, JsonObject came) {
    if (expected == null) return came.has("error") ? "it failed: " + came : null;
    for (var kind : expected.keySet())
      if (!came.has(kind) || kind.equals("environment") && !expected.get(kind).equals(came.get(kind)))
        return "expected " + expected + ", and " + came + " came";
    return fit("", expected, came);
  }

  private static String fit(String place, JsonElement expected, JsonElement came) {
    String wrong = null;
    if (came == null) {
      wrong = isEmpty(expected) ? null : place;
    } else if (expected.isJsonObject() && came.isJsonObject()) {
      for (var member : expected.getAsJsonObject().entrySet())
        if (wrong == null)
          wrong = fit(place + "." + member.getKey(), member.getValue(), came.getAsJsonObject().get(member.getKey()));
      return wrong;
    } else if (expected.isJsonArray() && came.isJsonArray() && expected.getAsJsonArray().size() == came.getAsJsonArray().size()) {
      for (var position = 0; position < expected.getAsJsonArray().size() && wrong == null; position++)
        wrong = fit(place + "." + position, expected.getAsJsonArray().get(position), came.getAsJsonArray().get(position));
      return wrong;
    } else {
      wrong = expected.equals(came) ? null : place;
    }
    return wrong == null ? null : place + ": expected " + expected + ", and " + came + " came";
  }

  /** What protobuf leaves out of a message. */
  private static boolean isEmpty(JsonElement value) {
    if (value.isJsonObject()) return value.getAsJsonObject().isEmpty();
    if (value.isJsonArray()) return value.getAsJsonArray().isEmpty();
    return value.isJsonNull() || Set.of("", "0", "false").contains(value.getAsString());
  }

  private static JsonElement at(JsonElement value, String path) {
    for (var name : path.split("\\."))
      value = value.isJsonArray() ? value.getAsJsonArray().get(Integer.parseInt(name)) : value.getAsJsonObject().get(name);
    return value;
  }
}
