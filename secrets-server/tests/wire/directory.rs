//! Organizations, projects, workspaces, users and service accounts: who makes them, who sees them, how they end.

use secrets_proto::v1;
use tonic::Code;

use crate::database::{TestDatabase, on_both};
use crate::harness::{Wire, refusal};

on_both!(an_operator_makes_an_organization_and_its_administrator_comes_in,);

async fn an_operator_makes_an_organization_and_its_administrator_comes_in(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let ann = wire.organization("acme").await;
    let bob = wire.person(&ann, "acme", "bob").await;
    let request = v1::GetUserRequest { name: "organizations/acme/users/bob".into() };
    let user = wire.directory(&bob).get_user(request).await.unwrap().into_inner().user.unwrap();
    assert_eq!((user.user_id.as_str(), user.state()), ("bob", v1::UserState::Active));
    let denied = refusal(
        wire.directory(&bob).get_organization(v1::GetOrganizationRequest { name: "organizations/other".into() }).await,
    );
    assert_eq!(denied.code, Code::PermissionDenied);
}
