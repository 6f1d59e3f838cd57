package secrets

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	secretsv1 "example.com/secrets/gen/secrets/v1"
)

// Error is a call that did not succeed; errors.As finds it.
type Error struct {
	Reason   secretsv1.ErrorReason // Why, for a program; each says whether to retry. UNSPECIFIED without an answer.
	Metadata map[string]string     // Facts beside the reason, for instance `suggestion`.
	status   *status.Status
}

// Error tells a person.
func (e *Error) Error() string { return e.status.Message() }

// Code is the gRPC code.
func (e *Error) Code() codes.Code { return e.status.Code() }

// GRPCStatus is the whole status, for status.FromError.
func (e *Error) GRPCStatus() *status.Status { return e.status }

func asError(err error) error {
	if err == nil {
		return nil
	}
	read := &Error{status: status.Convert(err)}
	for _, detail := range read.status.Details() {
		if info, is := detail.(*errdetails.ErrorInfo); is && info.GetDomain() == "secrets.v1" {
			read.Reason = secretsv1.ErrorReason(secretsv1.ErrorReason_value["ERROR_REASON_"+info.GetReason()])
			read.Metadata = info.GetMetadata()
		}
	}
	return read
}
