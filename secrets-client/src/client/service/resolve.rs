//! Resolving: the one method that returns values.

use secrets_proto::v1;
use secrets_proto::v1::resolve_service_client::ResolveServiceClient;

use crate::client::{Client, MAX_RESPONSE_BYTES};
use crate::error::ClientError;
use crate::validation::{self, Question, ResolvedSet};

impl Client {
    /// Returns, name by name, which secret a context gets and why it does not get the others. Never a value. The answer is not
    /// older than what this client has changed, unless the request demands another consistency. One whose context or names break
    /// a rule is [`ClientError::Malformed`].
    pub async fn explain(&self, request: v1::ExplainRequest) -> Result<v1::ExplainResponse, ClientError> {
        let ask = |consistency, retry_class| {
            let request = v1::ExplainRequest { consistency, ..request.clone() };
            self.call_as(retry_class, request, |channel, request| async move {
                ResolveServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES).explain(request).await
            })
        };
        let answer = self.with_freshness(request.context.as_ref(), request.consistency.clone(), ask).await?;
        validation::check_explanation(&answer, &Question::from(&request))?;
        Ok(answer)
    }

    /// Returns the effective set of a context with its values: all of them or an error. The answer is not older than what
    /// this client has changed, unless the request demands another consistency. One that breaks a rule is
    /// [`ClientError::Malformed`].
    pub async fn resolve(&self, request: v1::ResolveRequest) -> Result<ResolvedSet, ClientError> {
        let ask = |consistency, retry_class| {
            let request = v1::ResolveRequest { consistency, ..request.clone() };
            self.call_as(retry_class, request, |channel, request| async move {
                ResolveServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES).resolve(request).await
            })
        };
        let answer = self.with_freshness(request.context.as_ref(), request.consistency.clone(), ask).await?;
        Ok(ResolvedSet::check(answer, &Question::from(&request))?)
    }
}
