// The runner of tests/interop/scenario.json; see tests/interop/README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"example.com/secrets"
	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

type step struct {
	Name, As, Call          string
	Request, Resolve, Watch json.RawMessage
	Then                    []step
	Keep                    map[string]string
	Expect                  map[string]any
	WithinSeconds           int `json:"within_seconds"`
}

type run struct {
	kept    map[string]string
	clients map[string]*secrets.Client
}

func main() {
	switch os.Args[1] {
	case "--resolve-forever":
		resolveForever()
	case "--answers":
		answers(os.Args[2])
		return
	case "--events":
		events(os.Args[2])
		return
	case "--endpoints":
		endpoints(os.Args[2])
		return
	}
	var scenario struct{ Steps []step }
	check(json.Unmarshal(must(os.ReadFile(os.Args[1])), &scenario))
	operator := must(secrets.FromEnvironment()).Token
	r := run{
		kept:    map[string]string{"operator": strings.TrimSpace(string(operator)), "organization": os.Getenv("SECRETS_ORGANIZATION")},
		clients: map[string]*secrets.Client{},
	}
	for number, step := range scenario.Steps {
		if wrong := r.do(step); wrong != nil {
			fmt.Printf("failed %d %s: %v\n", number+1, step.Name, wrong)
			os.Exit(1)
		}
		fmt.Printf("ok %d %s\n", number+1, step.Name)
	}
}

func resolveForever() {
	client := must(secrets.New(must(secrets.FromEnvironment())))
	for {
		came := "resolved"
		if _, err := client.Resolve(context.Background(), &secretsapiv1.ResolveRequest{}); err != nil {
			came = "failed " + codeName(err)
		}
		if _, err := fmt.Println(came); err != nil {
			os.Exit(0)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// answers resolves once for each answer, and again through the stub; it prints what came of it.
func answers(path string) {
	type answer struct{ Request json.RawMessage }
	var file struct{ Malformed, Accepted []answer }
	check(json.Unmarshal(must(os.ReadFile(path)), &file))
	client := must(secrets.New(must(secrets.FromEnvironment())))
	for _, answer := range append(file.Malformed, file.Accepted...) {
		request := &secretsapiv1.ResolveRequest{}
		if answer.Request != nil {
			check(protojson.Unmarshal(answer.Request, request))
		}
		environment, err := client.Resolve(context.Background(), request)
		printAnswer(map[string]any{"environment": environment}, err)
		response, err := secretsapiv1.NewResolveServiceClient(client).Resolve(context.Background(), request)
		names := []string{}
		for _, secret := range response.GetSecrets() {
			names = append(names, secret.GetSecretId())
		}
		printAnswer(map[string]any{"names": names}, err)
	}
}

func printAnswer(came map[string]any, err error) {
	var broken *secrets.BrokenRule
	if errors.As(err, &broken) {
		came = map[string]any{"rule": broken.Rule, "message": status.Convert(err).Message()}
	} else {
		check(err)
	}
	fmt.Println(string(must(json.Marshal(came))))
}

// events watches once for each stream, and again through the stub; it prints what came of it.
func events(path string) {
	type stream struct{ Request json.RawMessage }
	var file struct{ Malformed, Accepted []stream }
	check(json.Unmarshal(must(os.ReadFile(path)), &file))
	client := must(secrets.New(must(secrets.FromEnvironment())))
	for _, stream := range append(file.Malformed, file.Accepted...) {
		request := &secretsapiv1.WatchRequest{}
		if stream.Request != nil {
			check(protojson.Unmarshal(stream.Request, request))
		}
		delivered, failure := [][]string{}, error(nil)
		for event, err := range client.Watch(context.Background(), request) {
			if failure = err; err == nil {
				delivered = append(delivered, namesOf(event))
			}
		}
		printEvents(delivered, failure)
		delivered = [][]string{}
		watch := must(secretsapiv1.NewResolveServiceClient(client).Watch(context.Background(), request))
		event, err := watch.Recv()
		for ; err == nil; event, err = watch.Recv() {
			if event.GetSet() != nil || event.GetChanged() != nil {
				delivered = append(delivered, namesOf(event))
			}
		}
		printEvents(delivered, err)
	}
}

func namesOf(event *secretsapiv1.WatchResponse) []string {
	names := []string{}
	for _, secret := range slices.Concat(event.GetSet().GetSecrets(), event.GetChanged().GetAdded(), event.GetChanged().GetUpdated()) {
		names = append(names, secret.GetSecretId())
	}
	return append(names, event.GetChanged().GetRemoved()...)
}

func printEvents(delivered [][]string, err error) {
	came := map[string]any{"delivered": delivered}
	var broken *secrets.BrokenRule
	if errors.As(err, &broken) {
		came["rule"], came["message"] = broken.Rule, status.Convert(err).Message()
	} else {
		came["code"] = codeName(err)
	}
	fmt.Println(string(must(json.Marshal(came))))
}

// endpoints makes a client for each address, and again with Insecure; it prints why it is refused.
func endpoints(path string) {
	var file struct{ Endpoints []struct{ Endpoint string } }
	check(json.Unmarshal(must(os.ReadFile(path)), &file))
	for _, each := range file.Endpoints {
		for _, insecure := range []bool{false, true} {
			came := map[string]string{}
			if _, err := secrets.New(secrets.Options{Endpoint: each.Endpoint, Insecure: insecure}); err != nil {
				came["message"] = err.Error()
			}
			fmt.Println(string(must(json.Marshal(came))))
		}
	}
}

func (r *run) do(s step) error {
	var expected any
	if s.Expect != nil {
		expected = r.filled(must(json.Marshal(s.Expect)))
	}
	for end := time.Now().Add(time.Duration(s.WithinSeconds) * time.Second); ; time.Sleep(500 * time.Millisecond) {
		came := r.attempt(s)
		wrong := misfit(expected, came)
		if wrong != nil && time.Now().Before(end) {
			continue
		}
		for name, path := range s.Keep {
			if wrong == nil {
				r.kept[name] = at(came["response"], path).(string)
			}
		}
		return wrong
	}
}

func (r *run) attempt(s step) map[string]any {
	if s.Resolve != nil {
		request := &secretsapiv1.ResolveRequest{}
		check(protojson.Unmarshal(must(json.Marshal(r.filled(s.Resolve))), request))
		environment, err := r.client(s.As).Resolve(context.Background(), request)
		if err != nil {
			return failure(err)
		}
		return asJSON(map[string]any{"environment": environment})
	}
	if s.Watch != nil {
		return r.watch(s)
	}
	service, method, _ := strings.Cut(s.Call, "/")
	descriptor := must(protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("secretsapi.v1." + service)))
	called := descriptor.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method))
	request, response := message(called.Input()), message(called.Output())
	check(protojson.Unmarshal(must(json.Marshal(r.filled(s.Request))), request))
	if err := r.client(s.As).Invoke(context.Background(), "/secretsapi.v1."+s.Call, request, response); err != nil {
		return failure(err)
	}
	answer := must(protojson.MarshalOptions{UseProtoNames: true}.Marshal(response))
	return asJSON(map[string]any{"response": json.RawMessage(answer)})
}

// watch reads as many events as are expected, or, when none is, until the watch fails.
func (r *run) watch(s step) map[string]any {
	request := &secretsapiv1.WatchRequest{}
	check(protojson.Unmarshal(must(json.Marshal(r.filled(s.Watch))), request))
	expected, _ := s.Expect["events"].([]any)
	var events []json.RawMessage
	for event, err := range r.client(s.As).Watch(context.Background(), request) {
		if err != nil {
			return failure(err)
		}
		events = append(events, must(protojson.MarshalOptions{UseProtoNames: true}.Marshal(event)))
		for _, inner := range s.Then {
			if err := r.do(inner); err != nil {
				return map[string]any{"failed": inner.Name + ": " + err.Error()}
			}
		}
		s.Then = nil
		if len(events) == len(expected) {
			break
		}
	}
	return asJSON(map[string]any{"events": events})
}

// client is one for each token, since an actor may get another, and one for nobody.
func (r *run) client(actor string) *secrets.Client {
	token := r.kept[actor]
	if r.clients[token] == nil {
		options := must(secrets.FromEnvironment())
		options.Token = secrets.Token(token)
		r.clients[token] = must(secrets.New(options))
	}
	return r.clients[token]
}

var word = regexp.MustCompile(`\$\{(\w+)\}`)

// filled is the text of some JSON with what was kept in the place of `${name}`, read.
func (r *run) filled(text []byte) (value any) {
	text = word.ReplaceAllFunc(text, func(whole []byte) []byte {
		quoted := must(json.Marshal(r.kept[string(whole[2:len(whole)-1])]))
		return quoted[1 : len(quoted)-1]
	})
	check(json.Unmarshal(text, &value))
	return value
}

// misfit says what of came is not as expected.
func misfit(expected any, came map[string]any) error {
	if expected == nil {
		if failed, is := came["error"]; is {
			return fmt.Errorf("it failed: %v", failed)
		}
		return nil
	}
	for kind, member := range expected.(map[string]any) {
		found, is := came[kind]
		if !is || kind == "environment" && !reflect.DeepEqual(member, found) {
			return fmt.Errorf("expected %v, and %v came", expected, came)
		}
	}
	return fit("", expected, came)
}

func fit(place string, expected, came any) error {
	switch expected := expected.(type) {
	case map[string]any:
		if found, is := came.(map[string]any); is {
			for name, member := range expected {
				if err := fit(place+"."+name, member, found[name]); err != nil {
					return err
				}
			}
			return nil
		}
	case []any:
		if found, is := came.([]any); is && len(found) == len(expected) {
			for position, element := range expected {
				if err := fit(place+"."+strconv.Itoa(position), element, found[position]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if value := reflect.ValueOf(expected); reflect.DeepEqual(expected, came) ||
		came == nil && (value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0 || value.Kind() == reflect.Map && value.Len() == 0) {
		return nil
	}
	return fmt.Errorf("%s: expected %v, and %v came", place, expected, came)
}

func failure(err error) map[string]any {
	reason := ""
	if known := secrets.Reason(err); known != 0 {
		reason = strings.TrimPrefix(known.String(), "ERROR_REASON_")
	}
	came := map[string]any{"code": codeName(err), "reason": reason, "metadata": secrets.Info(err).GetMetadata(), "message": status.Convert(err).Message()}
	return asJSON(map[string]any{"error": came})
}

// codeName is NOT_FOUND of codes.NotFound.
func codeName(err error) string {
	code := status.Code(err)
	if code == codes.Canceled {
		return "CANCELLED" // as the specification of gRPC spells it
	}
	return strings.ToUpper(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(code.String(), "${1}_$2"))
}

func message(descriptor protoreflect.MessageDescriptor) proto.Message {
	return must(protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())).New().Interface()
}

func asJSON(value map[string]any) (read map[string]any) {
	check(json.Unmarshal(must(json.Marshal(value)), &read))
	return read
}

func at(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		if list, is := value.([]any); is {
			value = list[must(strconv.Atoi(name))]
		} else {
			value = value.(map[string]any)[name]
		}
	}
	return value
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
