package secrets

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

// How long a call may take, and the shortest wait between two attempts, whatever the service asks for.
const callTimeout, minWait = 30 * time.Second, 100 * time.Millisecond

// waitAsAsked sends a call again after each wait that the service asks for because there were too many, as long as that fits into the
// call's deadline: the service refused it before it did anything.
func waitAsAsked(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for {
		err := invoke(ctx, method, request, reply, cc, options...)
		wait, isAsked := delay(err)
		if deadline, _ := ctx.Deadline(); !isAsked || time.Until(deadline) <= wait {
			return err
		}
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-time.After(wait):
		}
	}
}

// delay is how long the service asks to wait, and a little more, by chance.
func delay(err error) (wait time.Duration, isAsked bool) {
	if status.Code(err) != codes.ResourceExhausted || Reason(err) != secretsapiv1.ErrorReason_ERROR_REASON_RATE_LIMITED {
		return 0, false
	}
	for _, detail := range status.Convert(err).Details() {
		if retry, is := detail.(*errdetails.RetryInfo); is && retry.GetRetryDelay() != nil {
			wait, isAsked = max(retry.GetRetryDelay().AsDuration(), minWait), true
		}
	}
	// One that is too long to count is longer than any deadline.
	return max(wait, time.Duration(float64(min(wait, 24*time.Hour))*(1+0.2*rand.Float64()))), isAsked
}

// watchDelay is how long a watch that failed waits, and whether it goes on: what breaks a connection, or a proxy on the way, passes.
func watchDelay(err error, wait time.Duration) (delayed time.Duration, goesOn bool) {
	if asked, isAsked := delay(err); isAsked {
		return min(asked, callTimeout), true
	}
	code := status.Code(err)
	return rand.N(wait), code == codes.Unavailable || code == codes.Internal || code == codes.Unknown
}
