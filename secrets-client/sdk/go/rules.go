package secrets

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"log"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
var (
	told       sync.Map
	toldNumber atomic.Int64
)

// maxTold bounds that: a service has names without end.
const maxTold = 1_000

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
	start, isOpen := strings.CutSuffix(pattern, "*")
	if !isOpen {
		start += "/"
	}
	if below, isHome := strings.CutPrefix(start, "~"); isHome { // below any folder, since any may be a home
		return strings.Contains(path+"/", below)
	}
	return strings.HasPrefix(path+"/", start)
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
	if toldNumber.Load() >= maxTold {
		return
	}
	if _, known := told.LoadOrStore(name+message, true); !known {
		toldNumber.Add(1)
		log.Printf("%s %s", name, message)
	}
}
