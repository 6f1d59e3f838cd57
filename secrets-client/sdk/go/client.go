// Package secrets is a thin client of the secrets service.
//
// Its stubs are made by `go generate`; see README.md.
package secrets

//go:generate buf generate ../../../proto --template ../../../proto/buf.gen.go.yaml --output gen
//go:generate cp ../../../proto/service_config.json ../../../secrets-core/rules.json gen

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"fmt"
	"iter"
	"os"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"

	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

//go:embed gen/service_config.json
var serviceConfig string

var printable = regexp.MustCompile("^[!-~]+$")

// How long to wait before a broken connection is made again.
const firstWait, longestWait = 100 * time.Millisecond, 3 * time.Second

// More than the headers and the reason of an error take.
const maxHeaderBytes = 64 << 10

// Options say where the service is, and who calls.
type Options struct {
	Endpoint string // https://host[:port], or http:// on this machine.
	Insecure bool   // Allow http:// to another machine, where others on the network can read tokens and values.
	Token    Token  // The token to show; without one, only what is open to everybody works.
	CA       []byte // Certificate authorities to trust beside the system's, PEM.
}

// Client is a connection with a credential and deadlines, for the generated clients too:
//
//	secretsapiv1.NewSecretServiceClient(client)
//
// A call takes 30 s at most, its repeats included; ctx may say less.
type Client struct{ *grpc.ClientConn }

// FromEnvironment reads SECRETS_ENDPOINT, SECRETS_TOKEN or SECRETS_TOKEN_FILE, SECRETS_CA_FILE, and SECRETS_INSECURE.
func FromEnvironment() (options Options, err error) {
	options = Options{Endpoint: cmp.Or(os.Getenv("SECRETS_ENDPOINT"), "http://127.0.0.1:50051"), Token: Token(os.Getenv("SECRETS_TOKEN")), Insecure: os.Getenv("SECRETS_INSECURE") == "1"}
	if path := os.Getenv("SECRETS_TOKEN_FILE"); path != "" && options.Token == "" {
		var read []byte
		if read, err = os.ReadFile(path); err == nil && len(read) == 0 {
			err = fmt.Errorf("the token file `%s` is empty", path)
		}
		options.Token = Token(read)
	}
	if path := os.Getenv("SECRETS_CA_FILE"); path != "" && err == nil {
		options.CA, err = os.ReadFile(path)
	}
	return options, err
}

// New makes a client. The connection is made by the first call, and again whenever it breaks.
func New(options Options) (*Client, error) {
	endpoint, err := parseEndpoint(options.Endpoint, options.Insecure)
	if err != nil {
		return nil, err
	}
	shown := Token(strings.TrimSpace(string(options.Token)))
	if options.Token != "" && !printable.MatchString(string(shown)) {
		return nil, fmt.Errorf("the token is empty, or has an invalid character")
	}
	transport := insecure.NewCredentials()
	if endpoint.isTLS {
		authorities, err := x509.SystemCertPool()
		if err != nil {
			authorities = x509.NewCertPool()
		}
		if len(options.CA) > 0 && !authorities.AppendCertsFromPEM(options.CA) {
			return nil, fmt.Errorf("the certificate authority must be a PEM certificate")
		}
		transport = credentials.NewTLS(&tls.Config{RootCAs: authorities})
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig), grpc.WithDisableServiceConfig(), grpc.WithMaxHeaderListSize(maxHeaderBytes),
		grpc.WithChainUnaryInterceptor(checkAnswers, waitAsAsked), grpc.WithStreamInterceptor(checkEvents),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstWait, Multiplier: 2, Jitter: 0.2, MaxDelay: longestWait},
			MinConnectTimeout: 5 * time.Second,
		}),
	}
	if shown != "" {
		dial = append(dial, grpc.WithPerRPCCredentials(shown))
	}
	connection, err := grpc.NewClient("dns:///"+endpoint.address(), dial...)
	if err != nil {
		return nil, err
	}
	return &Client{connection}, nil
}

// Resolve gets the variables of a context, ready for a child process; nil asks for the session's own. Files, registry logins
// and API-only secrets are in the answer of the generated client.
func (c *Client) Resolve(ctx context.Context, request *secretsapiv1.ResolveRequest) (map[string]string, error) {
	response, err := secretsapiv1.NewResolveServiceClient(c).Resolve(ctx, request)
	if err != nil {
		return nil, err
	}
	environment := make(map[string]string)
	for _, secret := range response.GetSecrets() {
		if secret.GetTarget().GetEnvironmentVariable() != nil {
			environment[secret.GetSecretId()] = string(secret.GetValue())
		}
	}
	return environment, nil
}

// Watch returns what Resolve would deliver, then each change of it; nil watches the session's own context. It reconnects by itself, until
// ctx ends or the right to it does: that error comes last.
func (c *Client) Watch(ctx context.Context, request *secretsapiv1.WatchRequest) iter.Seq2[*secretsapiv1.WatchResponse, error] {
	return func(yield func(*secretsapiv1.WatchResponse, error) bool) {
		watched := &secretsapiv1.WatchRequest{}
		proto.Merge(watched, request)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for wait := firstWait; ; wait = min(2*wait, longestWait) {
			stream, err := secretsapiv1.NewResolveServiceClient(c).Watch(ctx, watched)
			for err == nil {
				var response *secretsapiv1.WatchResponse
				if response, err = stream.Recv(); err == nil {
					watched.IfNoneMatch, wait = response.GetEtag(), firstWait
					if (response.GetSet() != nil || response.GetChanged() != nil) && !yield(response, nil) {
						return
					}
				}
			}
			pause, goesOn := watchDelay(err, wait)
			if !goesOn {
				yield(nil, err)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

// Token is shown by every call, and in no log.
type Token string

func (Token) String() string { return "***" }

func (t Token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(t)}, nil
}

// RequireTransportSecurity leaves it to the endpoint: what is http:// was chosen so.
func (Token) RequireTransportSecurity() bool { return false }
