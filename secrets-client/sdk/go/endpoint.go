package secrets

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// endpoint is the address of a service: a scheme, a host and a port, and nothing else.
type endpoint struct {
	host  string // A name or an address, one of IPv6 in brackets.
	port  int
	isTLS bool
}

var hostName = regexp.MustCompile(`^[a-z0-9._-]+$`)

// parseEndpoint shows in its errors no more of the text than scheme, host and port: the rest may be a password.
func parseEndpoint(text string, insecure bool) (endpoint, error) {
	if strings.Trim(text, " \t\r\n\v\f") != text {
		return invalid("must not have a space before or after it")
	}
	// Before anything else: a password may hold each of the characters that end a host.
	if strings.Contains(text, "@") {
		return invalid("must not have a user name or password: a token says who calls")
	}
	scheme, rest, _ := strings.Cut(text, "://")
	scheme = lower(scheme)
	if scheme != "http" && scheme != "https" || !strings.Contains(text, "://") {
		return invalid("expected an address such as `https://secrets.example.com`")
	}
	authority, more := rest, ""
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		authority, more = rest[:end], rest[end:]
	}
	read := endpoint{host: lower(authority), port: defaultPort(scheme == "https"), isTLS: scheme == "https"}
	if at := strings.LastIndex(authority, ":"); at >= 0 && !strings.HasSuffix(authority, "]") {
		port, err := strconv.ParseUint(authority[at+1:], 10, 16)
		if err != nil || port == 0 {
			return invalid("invalid port: must be a number from 1 to 65535")
		}
		read.host, read.port = lower(authority[:at]), int(port)
	}
	isLoopback, isHost := readHost(read.host)
	if !isHost {
		return invalid("invalid host: expected a name, an IPv4 address, or an IPv6 address in brackets")
	}
	if more = strings.TrimPrefix(more, "/"); more != "" {
		part := map[byte]string{'?': "query", '#': "fragment"}[more[0]]
		if part == "" {
			part = "path"
		}
		return invalid(fmt.Sprintf("must not have a %s; did you mean `%v`?", part, read))
	}
	if !insecure && !read.isTLS && !isLoopback {
		return endpoint{}, fmt.Errorf("%v is not encrypted, so that others on the network could read tokens and values; use `https://`, "+
			"or allow it for a network that you trust with SECRETS_INSECURE=1 or the option `Insecure`", read)
	}
	return read, nil
}

func invalid(why string) (endpoint, error) {
	return endpoint{}, fmt.Errorf("invalid endpoint: %s", why)
}

func (e endpoint) String() string {
	scheme := "http"
	if e.isTLS {
		scheme = "https"
	}
	if e.port == defaultPort(e.isTLS) {
		return scheme + "://" + e.host
	}
	return scheme + "://" + e.address()
}

func (e endpoint) address() string { return e.host + ":" + strconv.Itoa(e.port) }

func defaultPort(isTLS bool) int {
	if isTLS {
		return 443
	}
	return 80
}

// readHost says whether a host is this machine (`localhost`, 127.0.0.0/8 or `::1`, and not what another notation may mean), and
// whether it is one at all.
func readHost(host string) (isLoopback, isHost bool) {
	if inner, is := strings.CutPrefix(host, "["); is {
		inner, isClosed := strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		return address == netip.IPv6Loopback(), isClosed && err == nil && address.Is6() && address.Zone() == ""
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Is4() && address.IsLoopback(), hostName.MatchString(host)
}
