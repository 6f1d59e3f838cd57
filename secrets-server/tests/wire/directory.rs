//! Organizations, projects, workspaces, users and service accounts: who makes them, who sees them, how they end.

use std::collections::BTreeSet;

use secrets_proto::v1;
use tonic::Code;

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    an_operator_creates_an_organization_and_its_administrator_signs_in,
    only_the_operator_creates_and_deletes_organizations,
    a_repeat_shows_the_first_result_without_the_code,
    an_organization_is_changed_by_its_administrator_field_by_field,
    another_organization_is_not_found_like_one_that_does_not_exist,
    bad_identifiers_are_refused_with_their_field_and_rule,
    the_creator_of_a_project_administers_it_unless_it_is_a_service_account,
    a_project_goes_once_its_workspaces_are_gone,
    a_member_creates_a_workspace_of_their_own_and_no_other,
    a_list_leaves_out_what_its_caller_may_not_get_and_its_pages_still_work,
    a_page_token_serves_no_other_list,
    a_page_of_organizations_ends_where_a_message_would_be_too_large,
    service_accounts_live_in_an_organization_or_on_the_platform,
    a_deleted_organization_refuses_its_tokens_and_its_keys_are_gone,
);

async fn an_operator_creates_an_organization_and_its_administrator_signs_in(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let request = v1::GetUserRequest { name: "organizations/acme/users/bob".into() };
    let user = server.directory(&bob).get_user(request).await.unwrap().into_inner().user.unwrap();
    assert_eq!((user.user_id.as_str(), user.state()), ("bob", v1::UserState::Active));
    let request = v1::GetOrganizationRequest { name: "organizations/acme".into() };
    let organization =
        server.directory(&bob).get_organization(request).await.unwrap().into_inner().organization.unwrap();
    assert_eq!(organization.limits.unwrap().secrets_per_scope, 1_000);
    assert_eq!(organization.name_policy, v1::NamePolicy::Strict as i32);
}

async fn only_the_operator_creates_and_deletes_organizations(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let create = v1::CreateOrganizationRequest {
        organization_id: "evil".into(),
        admin_user_id: "ann".into(),
        ..Default::default()
    };
    let denied = refusal(server.directory(&ann).create_organization(create.clone()).await);
    assert_eq!((denied.code, denied.reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
    let delete = v1::DeleteOrganizationRequest { name: "organizations/acme".into(), ..Default::default() };
    assert_eq!(refusal(server.directory(&ann).delete_organization(delete).await).code, Code::PermissionDenied);
    let none = refusal(server.directory("").create_organization(create).await);
    assert_eq!((none.code, none.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    let again = v1::CreateOrganizationRequest {
        organization_id: "acme".into(),
        admin_user_id: "eve".into(),
        ..Default::default()
    };
    let taken = refusal(server.directory(&server.operator).create_organization(again).await);
    assert_eq!((taken.code, taken.reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
}

async fn a_repeat_shows_the_first_result_without_the_code(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let request = v1::CreateOrganizationRequest {
        organization_id: "acme".into(),
        admin_user_id: "ann".into(),
        request_id: "0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10".into(),
        ..Default::default()
    };
    let mut operator = server.directory(&server.operator);
    let first = operator.create_organization(request.clone()).await.unwrap().into_inner();
    let second = operator.create_organization(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.organization, second.organization);
    assert!(first.invitation.unwrap().code.starts_with("sinv_"));
    assert_eq!(second.invitation.unwrap().code, "");
    let other = v1::CreateOrganizationRequest { organization_id: "other".into(), ..request.clone() };
    let reused = refusal(operator.create_organization(other).await);
    assert_eq!((reused.code, reused.reason.as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
    let odd = v1::CreateOrganizationRequest { request_id: "1".into(), ..request };
    let refused = refusal(operator.create_organization(odd).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_REQUEST_ID", vec!["request_id".to_owned()]));
}

async fn an_organization_is_changed_by_its_administrator_field_by_field(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let update = |organization: v1::Organization, paths: Option<&[&str]>| v1::UpdateOrganizationRequest {
        organization: Some(v1::Organization { name: "organizations/acme".into(), ..organization }),
        update_mask: paths
            .map(|paths| prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        ..Default::default()
    };
    let limits = |secrets_per_scope| Some(v1::OrganizationLimits { secrets_per_scope, ..Default::default() });
    let change = v1::Organization {
        display_name: "Acme".into(),
        limits: limits(5),
        name_policy: v1::NamePolicy::Relaxed.into(),
        ..Default::default()
    };
    let mut directory = server.directory(&ann);
    let only_name = update(change.clone(), Some(&["display_name"]));
    let changed = directory.update_organization(only_name).await.unwrap().into_inner().organization.unwrap();
    assert_eq!(changed.display_name, "Acme");
    assert_eq!((changed.limits.unwrap().secrets_per_scope, changed.name_policy), (1_000, 1));
    let changed = directory.update_organization(update(change.clone(), None)).await.unwrap().into_inner();
    let changed = changed.organization.unwrap();
    assert_eq!((changed.limits.unwrap().secrets_per_scope, changed.name_policy), (5, 2));
    // A limit that is not set stays; one that was lowered goes up again to the service's own and no further.
    let other = v1::OrganizationLimits { value_bytes: 100, ..Default::default() };
    let other = v1::Organization { limits: Some(other), ..Default::default() };
    let changed = directory.update_organization(update(other, None)).await.unwrap().into_inner().organization.unwrap();
    assert_eq!(changed.limits.map(|limits| (limits.secrets_per_scope, limits.value_bytes)), Some((5, 100)));
    assert_eq!(changed.display_name, "Acme");
    let more = v1::Organization { limits: limits(1_001), ..Default::default() };
    let refused = refusal(directory.update_organization(update(more, None)).await);
    assert!(refused.message.contains("must be from 1 to 1000"), "{refused:?}");
    let refused = refusal(directory.update_organization(update(change.clone(), Some(&["uid"]))).await);
    assert_eq!((refused.reason.as_str(), refused.code), ("INVALID_UPDATE_MASK", Code::InvalidArgument));
    assert!(refused.message.contains("`uid`") && refused.message.contains("display_name"), "{refused:?}");
    let denied = refusal(server.directory(&bob).update_organization(update(change, None)).await);
    assert_eq!(denied.code, Code::PermissionDenied);
}

async fn another_organization_is_not_found_like_one_that_does_not_exist(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.organization("other").await;
    let mut seen = Vec::new();
    for organization in ["other", "missing"] {
        let get = v1::GetOrganizationRequest { name: format!("organizations/{organization}") };
        seen.push(refusal(server.directory(&ann).get_organization(get).await));
        let get = v1::GetUserRequest { name: format!("organizations/{organization}/users/ann") };
        seen.push(refusal(server.directory(&ann).get_user(get).await));
        let create = v1::CreateProjectRequest {
            parent: format!("organizations/{organization}"),
            project_id: "x".into(),
            ..Default::default()
        };
        seen.push(refusal(server.directory(&ann).create_project(create).await));
    }
    // Within the own organization: whoever may see no project learns of none.
    let bob = server.person(&ann, "acme", "bob").await;
    server.project(&ann, "api").await;
    for project in ["api", "missing"] {
        let get = v1::GetProjectRequest { name: format!("organizations/acme/projects/{project}") };
        seen.push(refusal(server.directory(&bob).get_project(get).await));
    }
    for denied in &seen {
        assert_eq!(denied, &seen[0]);
        assert_eq!(denied.code, Code::PermissionDenied);
    }
    let get = v1::GetProjectRequest { name: "organizations/acme/projects/missing".into() };
    let missing = refusal(server.directory(&ann).get_project(get).await);
    assert_eq!((missing.code, missing.reason.as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
}

async fn bad_identifiers_are_refused_with_their_field_and_rule(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let long = "a".repeat(64);
    for id in ["", "API", "a_b", "-a", "a-", "a..b", "a%2fb", "a/b", "аpi", "a\0", long.as_str()] {
        let request = v1::CreateProjectRequest {
            parent: "organizations/acme".into(),
            project_id: id.into(),
            ..Default::default()
        };
        let refused = refusal(server.directory(&ann).create_project(request).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["project_id".to_owned()]), "{id}");
        let rule = ["63", "did you mean"];
        assert!(rule.iter().any(|rule| refused.message.contains(rule)), "{id}: {}", refused.message);
    }
    for id in ["", "..", "a..b", ".a", "a b", "bob\0", "bób", "a%40b"] {
        let request =
            v1::CreateUserRequest { parent: "organizations/acme".into(), user_id: id.into(), ..Default::default() };
        let refused = refusal(server.directory(&ann).create_user(request).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["user_id".to_owned()]), "{id}");
    }
    for parent in ["", "acme", "organizations/", "organizations/acme/", "organizations/acme/projects/api", "platform"] {
        let request =
            v1::CreateProjectRequest { parent: parent.into(), project_id: "api".into(), ..Default::default() };
        let refused = refusal(server.directory(&ann).create_project(request).await);
        assert_eq!(refused.reason, "INVALID_RESOURCE_NAME", "{parent}");
        assert_eq!(refused.fields, ["parent"], "{parent}");
    }
    let project = v1::Project { display_name: "x".repeat(257), ..Default::default() };
    let request = v1::CreateProjectRequest {
        parent: "organizations/acme".into(),
        project_id: "api".into(),
        project: Some(project),
        ..Default::default()
    };
    let refused = refusal(server.directory(&ann).create_project(request).await);
    assert_eq!(refused.fields, ["project.display_name"]);
    assert!(refused.message.contains("256") && refused.message.contains("257"), "{}", refused.message);
}

async fn the_creator_of_a_project_administers_it_unless_it_is_a_service_account(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let program = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Provisioner).await.unwrap();
    for (creator, id, held) in
        [(&ann, "api", vec![("organizations/acme/users/ann".to_owned(), v1::Role::Admin)]), (&program, "web", vec![])]
    {
        server.project(creator, id).await;
        let parent = format!("organizations/acme/projects/{id}");
        let request = v1::ListBindingsRequest { parent, ..Default::default() };
        let bindings = server.access(&ann).list_bindings(request).await.unwrap().into_inner().bindings;
        // The platform's provisioner reaches the organization, and so is told of beside the project's own.
        let own = bindings.iter().filter(|binding| binding.resource != "platform");
        let own = own.map(|binding| (binding.principal.clone(), binding.role())).collect::<Vec<_>>();
        assert_eq!(own, held, "{id}");
    }
}

async fn a_project_goes_once_its_workspaces_are_gone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.project(&ann, "api").await;
    let workspace = server.workspace(&ann, "ws1", "api", "ann").await.unwrap();
    assert_eq!((workspace.project.as_str(), workspace.owner.as_str()), ("api", "ann"));
    let delete = v1::DeleteProjectRequest { name: "organizations/acme/projects/api".into(), ..Default::default() };
    let refused = refusal(server.directory(&ann).delete_project(delete.clone()).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "NOT_EMPTY"));
    let request = v1::DeleteWorkspaceRequest { name: workspace.name, ..Default::default() };
    server.directory(&ann).delete_workspace(request).await.unwrap();
    let delete = v1::DeleteProjectRequest { request_id: "0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10".into(), ..delete };
    server.directory(&ann).delete_project(delete.clone()).await.unwrap();
    server.directory(&ann).delete_project(delete.clone()).await.expect("a repeat of what was done");
    let anew = v1::DeleteProjectRequest { request_id: String::new(), ..delete };
    assert_eq!(refusal(server.directory(&ann).delete_project(anew).await).code, Code::NotFound);
    // Under the same identifier comes another project.
    let first = server.workspace(&ann, "ws1", "", "").await.unwrap();
    assert_ne!(first.uid, workspace.uid);
}

async fn a_member_creates_a_workspace_of_their_own_and_no_other(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.project(&ann, "api").await;
    assert_eq!(server.workspace(&bob, "mine", "", "").await.unwrap().owner, "bob");
    for (project, owner) in [("", "ann"), ("api", ""), ("missing", ""), ("", "missing")] {
        let denied = refusal(server.workspace(&bob, "other", project, owner).await);
        assert_eq!(denied.code, Code::PermissionDenied, "{project} {owner}");
    }
    for (project, owner) in [("missing", "bob"), ("", "missing")] {
        let missing = refusal(server.workspace(&ann, "other", project, owner).await);
        assert_eq!(missing.reason, "RESOURCE_NOT_FOUND", "{project} {owner}");
    }
    let program = server.program(&ann, "organizations/acme", "ci").await;
    let refused = refusal(server.workspace(&program, "other", "", "").await);
    assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["workspace.owner".to_owned()]));
}

async fn a_list_leaves_out_what_its_caller_may_not_get_and_its_pages_still_work(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    for (id, owner) in [("w1", "ann"), ("w2", "bob"), ("w3", "ann"), ("w4", "bob"), ("w5", "ann"), ("w6", "bob")] {
        server.workspace(&ann, id, "", owner).await.unwrap();
    }
    for (token, size, expected) in [
        (&ann, 4, vec![vec!["w1", "w2", "w3", "w4"], vec!["w5", "w6"]]),
        (&bob, 1, vec![vec!["w2"], vec!["w4"], vec!["w6"]]),
        (&bob, 2, vec![vec!["w2", "w4"], vec!["w6"]]),
        (&bob, 3, vec![vec!["w2", "w4", "w6"]]),
        (&bob, 0, vec![vec!["w2", "w4", "w6"]]),
    ] {
        let (mut pages, mut page_token, mut totals) = (Vec::new(), String::new(), BTreeSet::new());
        loop {
            let request =
                v1::ListWorkspacesRequest { parent: "organizations/acme".into(), page_size: size, page_token };
            let page = server.directory(token).list_workspaces(request).await.unwrap().into_inner();
            pages.push(page.workspaces.into_iter().map(|row| row.workspace_id).collect::<Vec<_>>());
            totals.insert(page.total_size as usize);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, expected);
        assert_eq!(totals, [expected.iter().map(Vec::len).sum()].into());
    }
    let request = v1::ListProjectsRequest { parent: "organizations/acme".into(), ..Default::default() };
    let page = server.directory(&bob).list_projects(request).await.unwrap().into_inner();
    assert_eq!((page.projects.len(), page.total_size, page.next_page_token.as_str()), (0, 0, ""));
}

async fn a_page_token_serves_no_other_list(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    for id in ["a", "b"] {
        server.project(&ann, id).await;
        server.workspace(&ann, id, "", "").await.unwrap();
    }
    let list =
        |page_token: String| v1::ListProjectsRequest { parent: "organizations/acme".into(), page_size: 1, page_token };
    let first = server.directory(&ann).list_projects(list(String::new())).await.unwrap().into_inner();
    let second = server.directory(&ann).list_projects(list(first.next_page_token.clone())).await.unwrap().into_inner();
    assert_eq!(second.projects[0].project_id, "b");
    let request = v1::ListWorkspacesRequest {
        parent: "organizations/acme".into(),
        page_token: first.next_page_token.clone(),
        ..Default::default()
    };
    let refused = refusal(server.directory(&ann).list_workspaces(request).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"));
    let mut altered = first.next_page_token;
    altered.replace_range(0..1, if altered.starts_with('A') { "B" } else { "A" });
    for token in [altered, "x".into(), "!".into()] {
        assert_eq!(refusal(server.directory(&ann).list_projects(list(token)).await).reason, "INVALID_PAGE_TOKEN");
    }
    let negative = v1::ListProjectsRequest { page_size: -1, ..list(String::new()) };
    assert_eq!(refusal(server.directory(&ann).list_projects(negative).await).fields, ["page_size"]);
}

async fn a_page_of_organizations_ends_where_a_message_would_be_too_large(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let mut operator = server.directory(&server.operator);
    // As many reserved paths as can be allowed, as long as they can be.
    let long = |number: usize| format!("/etc/ssl/certs/{number:02}{}", format!("/{:x<202}", "").repeat(20));
    for number in 0..12 {
        let organization = v1::Organization { allowed_reserved: (0..100).map(long).collect(), ..Default::default() };
        let request = v1::CreateOrganizationRequest {
            organization_id: format!("acme{number:02}"),
            admin_user_id: "ann".into(),
            organization: Some(organization),
            ..Default::default()
        };
        operator.create_organization(request).await.unwrap();
    }
    let (mut sizes, mut seen, mut request) = (Vec::new(), BTreeSet::new(), v1::ListOrganizationsRequest::default());
    loop {
        let page = operator.list_organizations(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.total_size, 12);
        sizes.push(page.organizations.len());
        seen.extend(page.organizations.into_iter().map(|organization| organization.organization_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((sizes, seen.len()), (vec![8, 4], 12));
}

async fn service_accounts_live_in_an_organization_or_on_the_platform(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let ci = server.program(&ann, "organizations/acme", "ci").await;
    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    assert_eq!(server.whoami(&ci).await.unwrap().principal, "organizations/acme/serviceAccounts/ci");
    let platform = server.whoami(&sandboxd).await.unwrap();
    assert_eq!((platform.principal.as_str(), platform.organization.as_str()), ("serviceAccounts/sandboxd", ""));
    for (token, parent) in [(&bob, "organizations/acme"), (&ann, "platform"), (&server.operator, "organizations/acme")]
    {
        let request = v1::CreateServiceAccountRequest {
            parent: parent.into(),
            service_account_id: "x".into(),
            ..Default::default()
        };
        let denied = refusal(server.directory(token).create_service_account(request).await);
        assert_eq!(denied.code, Code::PermissionDenied, "{parent}");
    }
    let list = |parent: &str| v1::ListServiceAccountsRequest { parent: parent.into(), ..Default::default() };
    let listed = server.directory(&bob).list_service_accounts(list("organizations/acme")).await.unwrap().into_inner();
    assert_eq!(listed.service_accounts.len(), 1);
    assert_eq!(
        refusal(server.directory(&bob).list_service_accounts(list("platform")).await).code,
        Code::PermissionDenied
    );
    for name in ["serviceAccounts/sandboxd", "serviceAccounts/missing"] {
        let get = v1::GetServiceAccountRequest { name: name.into() };
        assert_eq!(
            refusal(server.directory(&ann).get_service_account(get).await).code,
            Code::PermissionDenied,
            "{name}"
        );
    }
    for (token, name, program) in [
        (&ann, "organizations/acme/serviceAccounts/ci", &ci),
        (&server.operator, "serviceAccounts/sandboxd", &sandboxd),
    ] {
        let delete = v1::DeleteServiceAccountRequest { name: name.into(), ..Default::default() };
        server.directory(token).delete_service_account(delete.clone()).await.unwrap();
        assert_eq!(refusal(server.whoami(program).await).code, Code::Unauthenticated);
        assert_eq!(refusal(server.directory(token).delete_service_account(delete).await).code, Code::NotFound);
    }
}

async fn a_deleted_organization_refuses_its_tokens_and_its_keys_are_gone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let other = server.organization("other").await;
    let request = v1::GetOrganizationRequest { name: "organizations/acme".into() };
    let acme =
        server.directory(&ann).get_organization(request.clone()).await.unwrap().into_inner().organization.unwrap();
    let delete = v1::DeleteOrganizationRequest {
        name: "organizations/acme".into(),
        request_id: "0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10".into(),
    };
    let mut operator = server.directory(&server.operator);
    operator.delete_organization(delete.clone()).await.unwrap();
    operator.delete_organization(delete).await.expect("a repeat of what was done");
    assert_eq!(refusal(server.whoami(&ann).await).code, Code::Unauthenticated);
    assert_eq!(refusal(operator.get_organization(request).await).code, Code::NotFound);
    let uid = acme.uid.parse().unwrap();
    let keys = secrets_server::store::key::data_keys(server.app.store().reader(), uid).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert!(keys.iter().all(|key| key.sealed.is_empty()));
    server.whoami(&other).await.expect("another organization goes on");
    // Under the same identifier comes another organization.
    let anew = server.organization("acme").await;
    assert_eq!(server.whoami(&anew).await.unwrap().organization, "acme");
    let listed = operator.list_organizations(v1::ListOrganizationsRequest::default()).await.unwrap().into_inner();
    let uids = listed.organizations.iter().map(|organization| organization.uid.as_str()).collect::<Vec<_>>();
    assert!(uids.len() == 2 && !uids.contains(&acme.uid.as_str()) && listed.total_size == 2);
    let listed = server.directory(&other).list_organizations(v1::ListOrganizationsRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().organizations.len(), 1);
}
