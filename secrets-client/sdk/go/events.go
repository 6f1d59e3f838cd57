package secrets

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

// maxSilence is three heartbeats: a stream without an event for longer is dead, though nobody closed it.
const maxSilence = 45 * time.Second

// checkedEvents checks each event of a watch where it arrives: a watch that has one which breaks a rule is refused.
type checkedEvents struct {
	grpc.ClientStream
	cancel   context.CancelFunc
	asked    *secretsapiv1.WatchRequest
	hasBegun bool
	isSilent bool
}

func checkEvents(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := open(ctx, desc, cc, method, options...)
	if err != nil {
		cancel()
		return nil, harmless(err)
	}
	return &checkedEvents{ClientStream: stream, cancel: cancel}, nil
}

func (e *checkedEvents) SendMsg(message any) error {
	e.asked, _ = message.(*secretsapiv1.WatchRequest)
	return e.ClientStream.SendMsg(message)
}

func (e *checkedEvents) RecvMsg(message any) error {
	silence := time.AfterFunc(maxSilence, e.cancel)
	err := harmless(e.ClientStream.RecvMsg(message))
	if e.isSilent = e.isSilent || !silence.Stop(); e.isSilent && err != nil {
		err = status.Error(codes.Unavailable, fmt.Sprintf("no event and no heartbeat for %v", maxSilence))
	}
	event, isEvent := message.(*secretsapiv1.WatchResponse)
	if err == nil && isEvent {
		if e.asked == nil { // no service answers what it has not been asked yet
			err = broken("not_requested", "")
		} else {
			err = checkEvent(e.asked, event, !e.hasBegun)
		}
		if err != nil {
			event.Reset()
		}
		e.hasBegun = true
	}
	if err != nil {
		e.cancel()
	}
	return err
}

// checkEvent takes out of an event the secrets of which this version does not know something.
func checkEvent(asked *secretsapiv1.WatchRequest, event *secretsapiv1.WatchResponse, isFirst bool) error {
	_, isSet := event.GetEvent().(*secretsapiv1.WatchResponse_Set)
	isInOrder := isSet == isFirst || isFirst && event.GetHeartbeat() != nil && asked.GetIfNoneMatch() != ""
	if err := first("", claim("event_order", isInOrder), claimState(event)); err != nil {
		return err
	}
	switch kind := event.GetEvent().(type) {
	case *secretsapiv1.WatchResponse_Set:
		return checkSet(asked, kind.Set)
	case *secretsapiv1.WatchResponse_Changed:
		return checkChange(asked, kind.Changed)
	case *secretsapiv1.WatchResponse_Heartbeat:
	default:
		tell("an event", "was left out: this version does not know its kind")
	}
	return nil
}

func checkSet(asked *secretsapiv1.WatchRequest, set *secretsapiv1.WatchedSet) (err error) {
	if err = first("", claimContext(asked, set.GetContext())); err == nil {
		set.Secrets, err = checkSecrets(newCheck(asked, set.GetContext()), set.GetSecrets())
	}
	return err
}

// A change comes without a context: a workspace that was transferred gets the secrets of another user.
func checkChange(asked *secretsapiv1.WatchRequest, change *secretsapiv1.WatchedChange) (err error) {
	check := newCheck(asked, nil)
	if change.Added, err = checkSecrets(check, change.GetAdded()); err != nil {
		return err
	}
	if change.Updated, err = checkSecrets(check, change.GetUpdated()); err != nil {
		return err
	}
	if int64(len(change.GetRemoved())) > rules.Limits["secrets"] {
		return broken("too_many", "")
	}
	for _, name := range change.GetRemoved() {
		if err := check.checkName(name); err != nil {
			return err
		}
		if check.names[name] {
			return broken("repeated", name)
		}
		check.names[name] = true
	}
	return nil
}
