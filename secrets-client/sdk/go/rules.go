package secrets

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"log"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

// What core's rules of an answer of Resolve are, as far as a program has to look them up.
//
//go:embed gen/rules.json
var rulesFile []byte

type rulesOfAnswers struct {
	Rules     map[string]string
	Limits    map[string]int64
	Patterns  map[string]string
	Invisible [][2]rune
	Reserved  map[string][]struct {
		Grade, Reason string
		Patterns      []string
	}
}

var rules, patterns = readRules()

// told are the names of which something was said already.
var told sync.Map

// BrokenRule is the error of an answer that breaks a rule. Nothing of it was used.
type BrokenRule struct {
	Rule     string // Its name in rules.json.
	sentence string
}

func (b *BrokenRule) Error() string {
	return "the answer of the service breaks a rule, and nothing of it was used: " + b.sentence
}

// GRPCStatus lets status.Code(err) be DataLoss.
func (b *BrokenRule) GRPCStatus() *status.Status { return status.New(codes.DataLoss, b.Error()) }

func readRules() (read rulesOfAnswers, compiled map[string]*regexp.Regexp) {
	if err := json.Unmarshal(rulesFile, &read); err != nil {
		panic(err)
	}
	for _, table := range read.Reserved {
		for _, row := range table {
			for at, pattern := range row.Patterns {
				row.Patterns[at] = lower(pattern)
			}
		}
	}
	compiled = make(map[string]*regexp.Regexp)
	for name, pattern := range read.Patterns {
		compiled[name] = regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	}
	return read, compiled
}

// checkAnswers checks an answer of Resolve where it arrives, whoever asked: a client trusts no service.
func checkAnswers(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if err := invoke(ctx, method, request, reply, cc, options...); err != nil {
		return err
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
	if err := checkWhole(asked, answer); err != nil {
		return err
	}
	names, destinations, unknown := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, secret := range answer.GetSecrets() {
		name := secret.GetSecretId()
		if !patterns["name"].MatchString(name) {
			return broken("name", "")
		}
		destination, known, err := checkSecret(asked, answer.GetContext(), secret)
		if err == nil {
			err = first(name, claim("repeated", !names[name]), claim("destination", destination == "" || !destinations[destination]))
		}
		if err != nil {
			return err
		}
		names[name], destinations[destination], unknown[name] = true, true, !known
	}
	for _, name := range asked.GetRequiredSecretIds() {
		if !names[name] && !answer.GetNotModified() {
			return broken("missing", "")
		}
	}
	answer.Secrets = slices.DeleteFunc(answer.Secrets, func(secret *secretsapiv1.ResolvedSecret) bool {
		if unknown[secret.GetSecretId()] {
			tell(secret.GetSecretId(), "was left out: this version does not know its kind of target, kind of scope or redaction")
		}
		return unknown[secret.GetSecretId()]
	})
	return nil
}

func checkWhole(asked *secretsapiv1.ResolveRequest, answer *secretsapiv1.ResolveResponse) error {
	context, seconds := answer.GetContext(), answer.GetNextChangeTime().GetSeconds()
	return first("",
		claim("too_many", int64(len(answer.GetSecrets())) <= rules.Limits["secrets"]),
		claim("not_modified", !answer.GetNotModified() || asked.GetIfNoneMatch() != "" && len(answer.GetSecrets()) == 0),
		claim("environment_bytes", answer.GetEnvironmentBytes() >= 0),
		claim("etag", patterns["token"].MatchString(answer.GetEtag())),
		claim("revision", patterns["token"].MatchString(answer.GetRevision())),
		claim("next_change_time", rules.Limits["first_second"] <= seconds && seconds <= rules.Limits["last_second"]),
		claim("context", patterns["organization"].MatchString(context.GetOrganization())),
		claim("context", context.GetProject() == "" || patterns["project"].MatchString(context.GetProject())),
		claim("context", context.GetWorkspace() == "" || patterns["workspace"].MatchString(context.GetWorkspace())),
		claim("context", context.GetUser() == "" || patterns["user"].MatchString(context.GetUser())),
		claim("context", int64(len(context.GetUser())) <= rules.Limits["user_bytes"]),
		claim("context", asked.GetContext() == nil || isAnswerTo(asked.GetContext(), context)),
	)
}

// isAnswerTo lets the user, and the project of a workspace, be filled in.
func isAnswerTo(asked, answered *secretsapiv1.Context) bool {
	return asked.GetOrganization() == answered.GetOrganization() && asked.GetWorkspace() == answered.GetWorkspace() &&
		(asked.GetProject() == answered.GetProject() || asked.GetProject() == "" && asked.GetWorkspace() != "") &&
		(asked.GetUser() == answered.GetUser() || asked.GetUser() == "")
}

// checkSecret returns what a secret takes where it is delivered, and whether all of it is known.
func checkSecret(asked *secretsapiv1.ResolveRequest, context *secretsapiv1.Context, secret *secretsapiv1.ResolvedSecret) (destination string, known bool, err error) {
	name, target, value := secret.GetSecretId(), secret.GetTarget(), secret.GetValue()
	isNamed := slices.Contains(asked.GetSecretIds(), name) || slices.Contains(asked.GetRequiredSecretIds(), name)
	err = first(name,
		claim("not_requested", isNamed || len(asked.GetSecretIds()) == 0),
		claim("version", secret.GetVersion() >= 1),
		claim("target", target != nil),
	)
	if err == nil {
		destination, err = checkTarget(name, target)
	}
	if err != nil {
		return "", false, err
	}
	_, isScope := secretsapiv1.ScopeKind_name[int32(secret.GetScope())]
	_, isRedaction := secretsapiv1.Redaction_name[int32(secret.GetRedaction())]
	if target.GetKind() == nil || !isScope || !isRedaction {
		return "", false, first(name, claim("unknown", !isNamed && (target.GetKind() != nil || len(asked.GetKinds()) == 0)))
	}
	kind, isText := kindOf(target), target.GetEnvironmentVariable() != nil
	return destination, true, first(name,
		claim("resource", secret.GetSecret() == scopeOf(context, secret.GetScope())+"/secrets/"+name),
		claim("not_requested", len(asked.GetKinds()) == 0 || slices.Contains(asked.GetKinds(), kind)),
		claim("not_requested", target.GetApiOnly() == nil || isNamed),
		claim("value", len(value) >= 1 && int64(len(value)) <= rules.Limits["value_bytes"]),
		claim("value", !isText || utf8.Valid(value) && !bytes.Contains(value, []byte{0})),
	)
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

func checkTarget(name string, target *secretsapiv1.Target) (destination string, err error) {
	if target.GetEnvironmentVariable() != nil {
		return "", checkReserved("variables", name, name, covers)
	}
	if file := target.GetFile(); file != nil {
		mode := int64(file.GetMode())
		err := first(name,
			claim("path", isPath(file.GetPath())),
			claim("mode", mode&^rules.Limits["mode_bits"] == 0 && mode&rules.Limits["mode_bits_refused"] == 0),
		)
		if err != nil {
			return "", err
		}
		return "file " + file.GetPath(), checkReserved("paths", file.GetPath(), name, coversPath)
	}
	if registry := target.GetRegistry(); registry != nil {
		username := registry.GetUsername()
		isBounded := len(username) >= 1 && int64(len(username)) <= rules.Limits["registry_username_bytes"]
		isPlain := !strings.Contains(username, ":") && strings.Trim(username, " ") == username && isVisible(username)
		return "registry " + registry.GetHost(), first(name,
			claim("registry_host", isHost(registry.GetHost())),
			claim("registry_username", isBounded && isPlain),
		)
	}
	return "", nil
}

// checkReserved refuses what is hard, and says of what is soft, once, that it is delivered.
func checkReserved(table, text, name string, covers func(pattern, text string) bool) error {
	text = lower(text)
	for _, hard := range []bool{true, false} {
		for _, row := range rules.Reserved[table] {
			isRow := (row.Grade == "HARD") == hard
			if !isRow || !slices.ContainsFunc(row.Patterns, func(pattern string) bool { return covers(pattern, text) }) {
				continue
			}
			if hard {
				return &BrokenRule{"reserved", fmt.Sprintf("`%s`: %s (%s)", name, rules.Rules["reserved"], row.Reason)}
			}
			tell(name, "is delivered, and "+row.Reason)
		}
	}
	return nil
}

func covers(pattern, text string) bool {
	start, isOpen := strings.CutSuffix(pattern, "*")
	return isOpen && strings.HasPrefix(text, start) || text == pattern
}

func coversPath(pattern, path string) bool {
	if below, isHome := strings.CutPrefix(pattern, "~"); isHome { // below any folder, since any may be a home
		for at, c := range path {
			if c == '/' && coversPath(below, path[at:]) {
				return true
			}
		}
		return false
	}
	return covers(pattern, path) || strings.HasPrefix(path, pattern+"/")
}

func isPath(path string) bool {
	parts := strings.Split(strings.TrimPrefix(path, "~"), "/")
	isPart := func(part string) bool {
		return part != "" && part != "." && part != ".." && int64(len(part)) <= rules.Limits["path_part_bytes"]
	}
	for _, part := range parts[1:] {
		if !isPart(part) {
			return false
		}
	}
	return parts[0] == "" && len(parts) > 1 && int64(len(path)) <= rules.Limits["path_bytes"] && isVisible(path)
}

func isHost(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	isBounded := strings.HasPrefix(host, "[") || int64(len(name)) <= rules.Limits["registry_host_bytes"]
	isName := patterns["registry_dns"].MatchString(host) && !patterns["registry_number"].MatchString(host)
	return isBounded && (isName || patterns["registry_ipv4"].MatchString(host) || patterns["registry_ipv6"].MatchString(host))
}

func isVisible(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool {
		return slices.ContainsFunc(rules.Invisible, func(all [2]rune) bool { return all[0] <= c && c <= all[1] })
	})
}

// lower changes ASCII alone, as the table is compared.
func lower(text string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}

// claim is a rule, and whether it is kept.
func claim(rule string, isKept bool) string {
	if isKept {
		return ""
	}
	return rule
}

// first is the error of the first rule that is broken.
func first(name string, broke ...string) error {
	for _, rule := range broke {
		if rule != "" {
			return broken(rule, name)
		}
	}
	return nil
}

func broken(rule, name string) error {
	subject := ""
	if name != "" {
		subject = "`" + name + "`: "
	}
	return &BrokenRule{rule, subject + rules.Rules[rule]}
}

func tell(name, message string) {
	if _, known := told.LoadOrStore(name+message, true); !known {
		log.Printf("%s %s", name, message)
	}
}
