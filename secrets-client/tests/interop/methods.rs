//! The library's methods by the names that the interface gives them, with requests and responses as JSON.

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use secrecy::ExposeSecret as _;
use secrets_client::{Client, ClientError, Created, CreatedSet, ResolvedSet, v1};
use serde_json::Value;

/// A method of the interface.
pub(crate) struct Method {
    pub(crate) path: String,
    pub(crate) streams: bool,
    pub(crate) request: MessageDescriptor,
    response: MessageDescriptor,
}

impl Method {
    /// Every method of the interface.
    pub(crate) fn all() -> Vec<Self> {
        let pool = DescriptorPool::decode(secrets_proto::FILE_DESCRIPTOR_SET).unwrap();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let method = |each: prost_reflect::MethodDescriptor| Self {
            path: format!("{}/{}", each.parent_service().name(), each.name()),
            streams: each.is_server_streaming(),
            request: each.input(),
            response: each.output(),
        };
        methods.map(method).collect()
    }

    /// Of a name such as `SecretService/CreateSecret`.
    pub(crate) fn named(path: &str) -> Self {
        let method = Self::all().into_iter().find(|method| method.path == path);
        method.unwrap_or_else(|| panic!("the interface has no method `{path}`"))
    }

    /// The request that `json` says; a field that there is not is a fault of the scenario.
    pub(crate) fn request(&self, json: &Value) -> DynamicMessage {
        DynamicMessage::deserialize(self.request.clone(), json).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }

    /// The response that `json` says.
    pub(crate) fn response(&self, json: &Value) -> DynamicMessage {
        DynamicMessage::deserialize(self.response.clone(), json)
            .unwrap_or_else(|error| panic!("{}: {error}: {json}", self.path))
    }

    /// A response as JSON, with the fields' names of the interface.
    pub(crate) fn json(&self, response: &impl prost::Message) -> Value {
        let mut message = DynamicMessage::new(self.response.clone());
        message.transcode_from(response).unwrap();
        let options = SerializeOptions::new().use_proto_field_name(true);
        message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
    }

    /// Calls it through the library.
    pub(crate) async fn call(&self, client: &Client, request: &DynamicMessage) -> Result<Value, ClientError> {
        macro_rules! by_name {
            ($($path:literal => $method:ident $(as $whole:path)?;)*) => {
                match self.path.as_str() {
                    $($path => {
                        // In a box, or the futures of all methods lie on the stack of a test's thread.
                        let answer = Box::pin(client.$method(request.transcode_to().unwrap())).await?;
                        $(let answer = $whole(answer);)?
                        Ok(self.json(&answer))
                    })*
                    other => panic!("the library has no method `{other}`"),
                }
            };
        }
        by_name! {
            "SecretService/CreateSecret" => create_secret;
            "SecretService/GetSecret" => get_secret;
            "SecretService/ListSecrets" => list_secrets;
            "SecretService/UpdateSecret" => update_secret;
            "SecretService/DeleteSecret" => delete_secret;
            "SecretService/UndeleteSecret" => undelete_secret;
            "SecretService/ListSecretVersions" => list_secret_versions;
            "SecretService/RollbackSecret" => rollback_secret;
            "SecretService/CopySecret" => copy_secret;
            "SecretService/MoveSecret" => move_secret;
            "SecretService/DestroySecretVersion" => destroy_secret_version;
            "SecretService/ImportSecrets" => import_secrets;
            "ResolveService/Resolve" => resolve as whole_resolved;
            "ResolveService/Explain" => explain;
            "DirectoryService/CreateOrganization" => create_organization as whole_organization;
            "DirectoryService/GetOrganization" => get_organization;
            "DirectoryService/ListOrganizations" => list_organizations;
            "DirectoryService/UpdateOrganization" => update_organization;
            "DirectoryService/DeleteOrganization" => delete_organization;
            "DirectoryService/CreateProject" => create_project;
            "DirectoryService/GetProject" => get_project;
            "DirectoryService/ListProjects" => list_projects;
            "DirectoryService/DeleteProject" => delete_project;
            "DirectoryService/CreateWorkspace" => create_workspace;
            "DirectoryService/GetWorkspace" => get_workspace;
            "DirectoryService/ListWorkspaces" => list_workspaces;
            "DirectoryService/DeleteWorkspace" => delete_workspace;
            "DirectoryService/CreateUser" => create_user;
            "DirectoryService/GetUser" => get_user;
            "DirectoryService/ListUsers" => list_users;
            "DirectoryService/DeleteUser" => delete_user;
            "DirectoryService/CreateServiceAccount" => create_service_account;
            "DirectoryService/GetServiceAccount" => get_service_account;
            "DirectoryService/ListServiceAccounts" => list_service_accounts;
            "DirectoryService/DeleteServiceAccount" => delete_service_account;
            "DirectoryService/TransferWorkspace" => transfer_workspace;
            "AccessService/CreateBinding" => create_binding;
            "AccessService/ListBindings" => list_bindings;
            "AccessService/DeleteBinding" => delete_binding;
            "AccessService/CreateInvitation" => create_invitation as whole_invitation;
            "AccessService/RedeemInvitation" => redeem_invitation as whole_redemption;
            "AccessService/InviteAdmin" => invite_admin as whole_admin_invitation;
            "AccessService/RefuseAdmin" => refuse_admin;
            "AccessService/CreateRecoveryCodes" => create_recovery_codes as whole_recovery_codes;
            "AccessService/RedeemRecoveryCode" => redeem_recovery_code as whole_recovery;
            "AccessService/CreateSignInCode" => create_sign_in_code as whole_sign_in_code;
            "AccessService/GetSignInCode" => get_sign_in_code;
            "AccessService/RevokeSignInCode" => revoke_sign_in_code;
            "AccessService/RedeemSignInCode" => redeem_sign_in_code as whole_sign_in;
            "AccessService/CreateToken" => create_token as whole_token;
            "AccessService/ListTokens" => list_tokens;
            "AccessService/RevokeToken" => revoke_token;
            "AccessService/CreateSession" => create_session as whole_session;
            "AccessService/RenewSession" => renew_session;
            "AccessService/ListSessions" => list_sessions;
            "AccessService/RevokeSession" => revoke_session;
            "AccessService/WhoAmI" => who_am_i;
            "AccessService/TestPermissions" => test_permissions;
            "AuditService/ListAuditEvents" => list_audit_events;
            "AuditService/ListExposure" => list_exposure;
        }
    }
}

// Where the library keeps a value or a token apart, the response as the service sent it.

fn whole_resolved(set: ResolvedSet) -> v1::ResolveResponse {
    set.to_response()
}

fn whole_organization(
    (organization, created): (v1::Organization, Created<v1::Invitation>),
) -> v1::CreateOrganizationResponse {
    let invitation = whole_invitation(created).invitation;
    v1::CreateOrganizationResponse { organization: Some(organization), invitation }
}

fn whole_invitation(created: Created<v1::Invitation>) -> v1::CreateInvitationResponse {
    let code = created.secret.expose_secret().to_owned();
    v1::CreateInvitationResponse { invitation: Some(v1::Invitation { code, ..created.details }) }
}

fn whole_redemption(
    (answer, created): (v1::RedeemInvitationResponse, Created<v1::Token>),
) -> v1::RedeemInvitationResponse {
    let token = created.secret.expose_secret().to_owned();
    v1::RedeemInvitationResponse { token, token_info: Some(created.details), ..answer }
}

fn whole_admin_invitation(
    (admin_invitation, created): (v1::AdminInvitation, Created<v1::Invitation>),
) -> v1::InviteAdminResponse {
    let invitation = whole_invitation(created).invitation;
    v1::InviteAdminResponse { invitation, admin_invitation: Some(admin_invitation) }
}

fn whole_recovery_codes(created: CreatedSet<v1::CreateRecoveryCodesResponse>) -> v1::CreateRecoveryCodesResponse {
    let codes = created.secrets.iter().map(|code| code.expose_secret().to_owned()).collect();
    v1::CreateRecoveryCodesResponse { codes, ..created.details }
}

fn whole_recovery(
    (answer, created): (v1::RedeemRecoveryCodeResponse, Created<v1::Token>),
) -> v1::RedeemRecoveryCodeResponse {
    let token = created.secret.expose_secret().to_owned();
    v1::RedeemRecoveryCodeResponse { token, token_info: Some(created.details), ..answer }
}

fn whole_sign_in_code(created: Created<v1::SignInCode>) -> v1::CreateSignInCodeResponse {
    let code = created.secret.expose_secret().to_owned();
    v1::CreateSignInCodeResponse { code, sign_in_code: Some(created.details) }
}

fn whole_sign_in(created: Created<v1::Token>) -> v1::RedeemSignInCodeResponse {
    let token = created.secret.expose_secret().to_owned();
    let user = created.details.principal.clone();
    v1::RedeemSignInCodeResponse { token, token_info: Some(created.details), user }
}

fn whole_token(created: Created<v1::Token>) -> v1::CreateTokenResponse {
    v1::CreateTokenResponse { token: created.secret.expose_secret().to_owned(), token_info: Some(created.details) }
}

fn whole_session(created: Created<v1::Session>) -> v1::CreateSessionResponse {
    v1::CreateSessionResponse { token: created.secret.expose_secret().to_owned(), session: Some(created.details) }
}
