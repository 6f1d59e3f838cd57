// Package secrets is a thin client of the secrets service.
//
// Its stubs are made by `go generate`; see README.md.
package secrets

//go:generate buf generate ../../../proto --template ../../../proto/buf.gen.go.yaml --output gen
//go:generate cp ../../../proto/service_config.json gen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	secretsv1 "example.com/secrets/gen/secrets/v1"
)

//go:embed gen/service_config.json
var serviceConfig string

// How long to wait before a broken connection is made again.
const firstWait, longestWait = 100 * time.Millisecond, 3 * time.Second

// Options say where the service is, and who calls.
type Options struct {
	Endpoint string        // https://host[:port], or http:// on a network that nobody else listens to.
	Token    string        // The token to show; without one, only what is open to everybody works.
	CA       []byte        // Certificate authorities to trust beside the system's, PEM.
	Deadline time.Duration // How long a call may take that has no deadline of its own; 30 s by default.
}

// Client is a connection with a credential and a deadline, for the generated clients too:
//
//	secretsv1.NewSecretServiceClient(client)
type Client struct{ *grpc.ClientConn }

// FromEnvironment reads SECRETS_ENDPOINT, SECRETS_TOKEN or SECRETS_TOKEN_FILE, and SECRETS_CA_FILE.
func FromEnvironment() (options Options, err error) {
	options = Options{Endpoint: os.Getenv("SECRETS_ENDPOINT"), Token: os.Getenv("SECRETS_TOKEN")}
	if options.Endpoint == "" {
		options.Endpoint = "http://127.0.0.1:50051"
	}
	if path := os.Getenv("SECRETS_TOKEN_FILE"); path != "" && options.Token == "" {
		var token []byte
		if token, err = os.ReadFile(path); err != nil {
			return options, err
		}
		options.Token = string(token)
	}
	if path := os.Getenv("SECRETS_CA_FILE"); path != "" {
		options.CA, err = os.ReadFile(path)
	}
	return options, err
}

// New makes a client. The connection is made by the first call, and again whenever it breaks.
func New(options Options) (*Client, error) {
	endpoint, err := url.Parse(options.Endpoint)
	if err != nil || endpoint.Hostname() == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return nil, fmt.Errorf("endpoint: `%s` is not http(s)://host:port", options.Endpoint)
	}
	options.Token = strings.TrimSpace(options.Token)
	if strings.ContainsFunc(options.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token holds a character that no token has; was something else pasted?")
	}
	transport, port := insecure.NewCredentials(), "80"
	if endpoint.Scheme == "https" {
		authorities, err := x509.SystemCertPool()
		if err != nil {
			authorities = x509.NewCertPool()
		}
		if len(options.CA) > 0 && !authorities.AppendCertsFromPEM(options.CA) {
			return nil, errors.New("the certificate authority is no PEM certificate")
		}
		transport, port = credentials.NewTLS(&tls.Config{RootCAs: authorities}), "443"
	}
	if endpoint.Port() == "" {
		endpoint.Host += ":" + port
	}
	if options.Deadline == 0 {
		options.Deadline = 30 * time.Second
	}
	connection, err := grpc.NewClient("dns:///"+endpoint.Host,
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig), grpc.WithDisableServiceConfig(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstWait, Multiplier: 2, Jitter: 0.2, MaxDelay: longestWait},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(8<<20)),
		grpc.WithUnaryInterceptor(options.unary), grpc.WithStreamInterceptor(options.stream),
	)
	if err != nil {
		return nil, err
	}
	return &Client{connection}, nil
}

// Resolve gets the variables of a context, ready for a child process; nil asks for the session's own. Files, registry logins
// and API-only secrets are in the answer of the generated client.
func (c *Client) Resolve(ctx context.Context, request *secretsv1.ResolveRequest) (map[string]string, error) {
	response, err := secretsv1.NewResolveServiceClient(c).Resolve(ctx, request)
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

// Watch tells what Resolve would deliver, then each change of it; nil asks for the session's own. It reconnects by itself, until
// ctx ends or the right to it does: that error comes last.
func (c *Client) Watch(ctx context.Context, request *secretsv1.WatchRequest) iter.Seq2[*secretsv1.WatchResponse, error] {
	watched := &secretsv1.WatchRequest{}
	proto.Merge(watched, request)
	return func(yield func(*secretsv1.WatchResponse, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for wait := firstWait; ; wait = min(2*wait, longestWait) {
			stream, err := secretsv1.NewResolveServiceClient(c).Watch(ctx, watched)
			for err == nil {
				var response *secretsv1.WatchResponse
				if response, err = stream.Recv(); err == nil {
					watched.IfNoneMatch, wait = response.GetEtag(), firstWait
					if response.GetHeartbeat() == nil && !yield(response, nil) {
						return
					}
				}
			}
			if code := status.Code(err); err != io.EOF && code != codes.Unavailable {
				yield(nil, asError(err))
				return
			}
			time.Sleep(rand.N(wait))
		}
	}
}

// unary adds what every call needs: the credential, a deadline, and for a change an id under which it can be repeated.
func (o Options) unary(ctx context.Context, method string, request, response any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if _, set := ctx.Deadline(); !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Deadline)
		defer cancel()
	}
	if message, is := request.(proto.Message); is {
		fields := message.ProtoReflect()
		if id := fields.Descriptor().Fields().ByName("request_id"); id != nil && !fields.Has(id) {
			fields.Set(id, protoreflect.ValueOfString(uuid.NewString()))
		}
	}
	return asError(invoke(o.authorized(ctx), method, request, response, conn, options...))
}

func (o Options) stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return open(o.authorized(ctx), desc, conn, method, options...)
}

func (o Options) authorized(ctx context.Context) context.Context {
	if o.Token != "" {
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+o.Token)
	}
	return ctx
}
