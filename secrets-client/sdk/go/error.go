package secrets

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	secretsapiv1 "example.com/secrets/gen/secretsapi/v1"
)

// Reason returns the machine-readable reason of an error; each reason documents whether to retry. It is UNSPECIFIED if the service did not answer. The
// code of the failure is status.Code(err).
func Reason(err error) secretsapiv1.ErrorReason {
	return secretsapiv1.ErrorReason(secretsapiv1.ErrorReason_value["ERROR_REASON_"+Info(err).GetReason()])
}

// Info returns the machine-readable part of an error: the reason, and facts such as `suggestion`. Nil if the service did not answer.
func Info(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		if info, is := detail.(*errdetails.ErrorInfo); is && info.GetDomain() == "secretsapi.v1" {
			return info
		}
	}
	return nil
}
