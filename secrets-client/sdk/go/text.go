package secrets

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// maxCharacters is more than the service has to say in one text.
const maxCharacters = 8_192

func isVisible(text string) bool { return !strings.ContainsFunc(text, isInvisible) }

func isInvisible(c rune) bool {
	return slices.ContainsFunc(rules.Invisible, func(all [2]rune) bool { return all[0] <= c && c <= all[1] })
}

// harmless is an error whose message a terminal shows and does not obey.
func harmless(err error) error {
	answered, is := status.FromError(err)
	if !is || answered.Message() == escaped(answered.Message()) {
		return err
	}
	shown := proto.CloneOf(answered.Proto())
	shown.Message = escaped(shown.Message)
	return status.ErrorProto(shown)
}

// escaped is one line of what came from elsewhere.
func escaped(text string) string {
	var shown strings.Builder
	for at, c := range []rune(text) {
		switch {
		case at == maxCharacters:
			return shown.String() + "…"
		case isInvisible(c):
			fmt.Fprintf(&shown, `\u{%x}`, c)
		default:
			shown.WriteRune(c)
		}
	}
	return shown.String()
}
