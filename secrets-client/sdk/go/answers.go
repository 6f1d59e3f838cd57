package secrets

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

// checkAnswers checks an answer of Resolve where it arrives, whoever asked: a client trusts no service.
func checkAnswers(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if err := invoke(ctx, method, request, reply, cc, options...); err != nil {
		return harmless(err)
	}
	asked, isResolve := request.(*secretsapiv1.ResolveRequest)
	answer, isAnswer := reply.(*secretsapiv1.ResolveResponse)
	if !isResolve || !isAnswer {
		return nil
	}
	err := checkAnswer(asked, answer)
	if err != nil {
		answer.Reset()
	}
	return err
}

// checkAnswer takes out of an answer the secrets of which this version does not know something.
func checkAnswer(asked *secretsapiv1.ResolveRequest, answer *secretsapiv1.ResolveResponse) error {
	err := first("",
		claim("not_modified", !answer.GetNotModified() || asked.GetIfNoneMatch() != "" && len(answer.GetSecrets()) == 0),
		claim("environment_bytes", answer.GetEnvironmentBytes() >= 0),
		claimState(answer),
		claimContext(asked, answer.GetContext()),
	)
	if err != nil {
		return err
	}
	check := newCheck(asked, answer.GetContext())
	if answer.Secrets, err = checkSecrets(check, answer.Secrets); err != nil {
		return err
	}
	for _, name := range asked.GetRequiredSecretIds() {
		if !check.names[name] && !answer.GetNotModified() {
			return broken("missing", "")
		}
	}
	return nil
}

// claimState is the rule that what an answer and an event have in common breaks, if any.
func claimState(message interface {
	GetEtag() string
	GetRevision() string
	GetNextChangeTime() *timestamppb.Timestamp
}) string {
	return cmp.Or(
		claim("etag", patterns["token"].MatchString(message.GetEtag())),
		claim("revision", patterns["token"].MatchString(message.GetRevision())),
		claim("next_change_time", isTime(message.GetNextChangeTime())),
	)
}

func claimContext(asked question, context *secretsapiv1.Context) string {
	return claim("context", isContext(context) && (asked.GetContext() == nil || isAnswerTo(asked.GetContext(), context)))
}

func isContext(context *secretsapiv1.Context) bool {
	return patterns["organization"].MatchString(context.GetOrganization()) &&
		(context.GetProject() == "" || patterns["project"].MatchString(context.GetProject())) &&
		(context.GetWorkspace() == "" || patterns["workspace"].MatchString(context.GetWorkspace())) &&
		(context.GetUser() == "" || patterns["user"].MatchString(context.GetUser())) &&
		int64(len(context.GetUser())) <= rules.Limits["user_bytes"]
}

// isAnswerTo lets the user, and the project of a workspace, be filled in.
func isAnswerTo(asked, answered *secretsapiv1.Context) bool {
	return asked.GetOrganization() == answered.GetOrganization() && asked.GetWorkspace() == answered.GetWorkspace() &&
		(asked.GetProject() == answered.GetProject() || asked.GetProject() == "" && asked.GetWorkspace() != "") &&
		(asked.GetUser() == answered.GetUser() || asked.GetUser() == "")
}

// question is what Resolve and Watch are asked.
type question interface {
	GetContext() *secretsapiv1.Context
	GetSecretIds() []string
	GetRequiredSecretIds() []string
	GetKinds() []secretsapiv1.TargetKind
}

// sentSecret is a secret in an answer of Resolve, and in an event of Watch.
type sentSecret interface {
	GetSecret() string
	GetSecretId() string
	GetTarget() *secretsapiv1.Target
	GetScope() secretsapiv1.ScopeKind
	GetVersion() uint32
	GetRedaction() secretsapiv1.Redaction
}

// check is of the secrets of one answer, beside each other and beside what was asked for.
type check struct {
	asked               question
	context             *secretsapiv1.Context // That of the answer; nil for one that comes without.
	names, destinations map[string]bool
}

func newCheck(asked question, context *secretsapiv1.Context) check {
	return check{asked, context, map[string]bool{}, map[string]bool{}}
}

// checkSecrets returns those of which this version knows everything.
func checkSecrets[S sentSecret](c check, secrets []S) ([]S, error) {
	if int64(len(secrets)) > rules.Limits["secrets"] {
		return nil, broken("too_many", "")
	}
	unknown := map[string]bool{}
	for _, secret := range secrets {
		name := secret.GetSecretId()
		if err := c.checkName(name); err != nil {
			return nil, err
		}
		destination, known, err := c.checkSecret(name, secret)
		if err == nil {
			err = first(name, claim("repeated", !c.names[name]), claim("destination", destination == "" || !c.destinations[destination]))
		}
		if err != nil {
			return nil, err
		}
		c.names[name], c.destinations[destination], unknown[name] = true, true, !known
	}
	return slices.DeleteFunc(secrets, func(secret S) bool {
		if unknown[secret.GetSecretId()] {
			tell(secret.GetSecretId(), "was left out: this version does not know its kind of target, kind of scope or redaction")
		}
		return unknown[secret.GetSecretId()]
	}), nil
}

func (c check) checkName(name string) error {
	if !patterns["name"].MatchString(name) {
		return broken("name", "")
	}
	return first(name, claim("not_requested", c.isNamed(name) || len(c.asked.GetSecretIds()) == 0))
}

func (c check) isNamed(name string) bool {
	return slices.Contains(c.asked.GetSecretIds(), name) || slices.Contains(c.asked.GetRequiredSecretIds(), name)
}

// checkSecret returns what a secret takes where it is delivered, and whether all of it is known.
func (c check) checkSecret(name string, secret sentSecret) (destination string, known bool, err error) {
	target, kinds := secret.GetTarget(), c.asked.GetKinds()
	err = first(name, claim("version", secret.GetVersion() >= 1), claim("target", target != nil))
	if err == nil {
		destination, err = checkTarget(name, target)
	}
	if err != nil {
		return "", false, err
	}
	_, isScope := secretsapiv1.ScopeKind_name[int32(secret.GetScope())]
	_, isRedaction := secretsapiv1.Redaction_name[int32(secret.GetRedaction())]
	if target.GetKind() == nil || !isScope || !isRedaction {
		return "", false, first(name, claim("unknown", !c.isNamed(name) && (target.GetKind() != nil || len(kinds) == 0)))
	}
	context := c.context
	if context == nil {
		context = contextOfPath(secret.GetSecret())
	}
	isPath := secret.GetSecret() == scopeOf(context, secret.GetScope())+"/secrets/"+name
	err = first(name,
		claim("resource", isPath && isContext(context)),
		claim("not_requested", len(kinds) == 0 || slices.Contains(kinds, kindOf(target))),
		claim("not_requested", target.GetApiOnly() == nil || c.isNamed(name)),
	)
	switch secret := secret.(type) {
	case *secretsapiv1.ResolvedSecret:
		value, isText := secret.GetValue(), target.GetEnvironmentVariable() != nil
		err = cmp.Or(err, first(name,
			claim("value", len(value) >= 1 && int64(len(value)) <= rules.Limits["value_bytes"]),
			claim("value", !isText || utf8.Valid(value) && !bytes.Contains(value, []byte{0})),
		))
	case *secretsapiv1.WatchedSecret:
		err = cmp.Or(err, first(name, claim("expire_time", isTime(secret.GetExpireTime()))))
	}
	return destination, true, err
}

func isTime(time *timestamppb.Timestamp) bool {
	seconds, nanos := time.GetSeconds(), time.GetNanos()
	return rules.Limits["first_second"] <= seconds && seconds <= rules.Limits["last_second"] && 0 <= nanos && nanos < 1_000_000_000
}

func kindOf(target *secretsapiv1.Target) secretsapiv1.TargetKind {
	switch target.GetKind().(type) {
	case *secretsapiv1.Target_EnvironmentVariable:
		return secretsapiv1.TargetKind_TARGET_KIND_ENVIRONMENT_VARIABLE
	case *secretsapiv1.Target_File:
		return secretsapiv1.TargetKind_TARGET_KIND_FILE
	case *secretsapiv1.Target_Registry:
		return secretsapiv1.TargetKind_TARGET_KIND_REGISTRY
	default:
		return secretsapiv1.TargetKind_TARGET_KIND_API_ONLY
	}
}

// contextOfPath is what the path of a secret says of its context.
func contextOfPath(path string) *secretsapiv1.Context {
	parts, named := strings.Split(path, "/"), map[string]string{}
	for at := 0; at+1 < len(parts); at += 2 {
		named[parts[at]] = parts[at+1]
	}
	return &secretsapiv1.Context{
		Organization: named["organizations"], Project: named["projects"], Workspace: named["workspaces"], User: named["users"],
	}
}

// scopeOf is the path of a context's scope; of one that it does not have, a text that is no path.
func scopeOf(context *secretsapiv1.Context, kind secretsapiv1.ScopeKind) string {
	within := map[secretsapiv1.ScopeKind][2]string{
		secretsapiv1.ScopeKind_SCOPE_KIND_PROJECT:   {"/projects/", context.GetProject()},
		secretsapiv1.ScopeKind_SCOPE_KIND_WORKSPACE: {"/workspaces/", context.GetWorkspace()},
		secretsapiv1.ScopeKind_SCOPE_KIND_USER:      {"/users/", context.GetUser()},
	}[kind]
	if kind != secretsapiv1.ScopeKind_SCOPE_KIND_ORGANIZATION && within[1] == "" {
		return "\x00"
	}
	return "organizations/" + context.GetOrganization() + within[0] + within[1]
}
