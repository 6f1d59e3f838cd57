use secrets_proto::v1::audit_service_client::AuditServiceClient;
use tonic::transport::Channel;

super::methods! {
    AuditServiceClient<Channel>;
    /// Lists an organization's events, newest first. For administrators and auditors; with `secret` of a user, that user only.
    read list_audit_events(ListAuditEventsRequest) -> ListAuditEventsResponse;
    /// Lists the secrets that a principal received, and whether what they received is still in use. For administrators and auditors.
    read list_exposure(ListExposureRequest) -> ListExposureResponse;
}
