//! Many callers who want the same, through two servers on one PostgreSQL: the rules hold as if there were one.

use std::collections::BTreeMap;

use secrets_proto::v1;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::replicas::Pair;
use super::server::{code_and_reason, create};

const CONCURRENT_CALLS: usize = 32;
const ACME: &str = "organizations/acme";
const API: &str = "organizations/acme/projects/api";

/// Lets everybody create a secret at the same time, half of them on each server, and counts how it ends: `""` for success,
/// else the reason.
async fn race(pair: &Pair, name: impl Fn(usize) -> String) -> BTreeMap<String, usize> {
    let mut racers = JoinSet::new();
    for number in 0..CONCURRENT_CALLS {
        let mut secrets = pair.server(number).secrets(&pair.ann);
        let request = create(API, &name(number), &format!("value {number}"));
        racers.spawn(async move { (number, secrets.create_secret(request).await.map(drop)) });
    }
    let mut ends = BTreeMap::new();
    for (_, ended) in racers.join_all().await {
        *ends.entry(reason(ended)).or_default() += 1;
    }
    ends
}

fn reason(ended: Result<(), Status>) -> String {
    match ended {
        Ok(()) => String::new(),
        Err(status) => match code_and_reason(&status) {
            (Code::AlreadyExists | Code::ResourceExhausted | Code::FailedPrecondition, Some(reason)) => reason,
            _ => panic!("{status:?}"),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_a_contested_name_to_one_and_tells_the_others() {
    let pair = Pair::start().await;
    for round in 0..3 {
        let ends = race(&pair, |_| format!("KEY_{round}")).await;
        assert_eq!(ends, BTreeMap::from([(String::new(), 1), ("ALREADY_EXISTS".into(), CONCURRENT_CALLS - 1)]));
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_reached_and_not_exceeded() {
    const LIMIT: usize = 10;
    let pair = Pair::start().await;
    let limits = v1::OrganizationLimits { secrets_per_scope: LIMIT as u32, ..Default::default() };
    let organization = v1::Organization { name: ACME.into(), limits: Some(limits), ..Default::default() };
    let lower = v1::UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(prost_types::FieldMask { paths: vec!["limits".into()] }),
        ..Default::default()
    };
    pair.one.directory(&pair.ann).update_organization(lower).await.unwrap();

    let ends = race(&pair, |number| format!("KEY_{number}")).await;
    assert_eq!(ends, BTreeMap::from([(String::new(), LIMIT), ("LIMIT_EXCEEDED".into(), CONCURRENT_CALLS - LIMIT)]));
    assert_eq!(pair.other.resolve(&pair.ann, "api").await.unwrap().secrets.len(), LIMIT);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_admins_who_leave_at_once_is_refused() {
    let pair = Pair::start().await;
    let bob = pair.one.person(&pair.ann, "acme", "bob").await;
    let admins = [("ann", &pair.ann), ("bob", &bob)];
    let mut own = [admin_binding(&pair, &pair.ann, "ann").await.unwrap(), make_admin(&pair, &pair.ann, "bob").await];
    for round in 0..6 {
        let leave = async |who: usize| {
            let request = v1::DeleteBindingRequest { name: own[who].clone(), ..Default::default() };
            let mut access = pair.server(round + who).access(admins[who].1);
            access.delete_binding(request).await.map(drop)
        };
        let (ann, bob) = tokio::join!(leave(0), leave(1));
        let gone = usize::from(ann.is_err());
        let ends = [reason(ann), reason(bob)];
        assert!(ends.contains(&String::new()) && ends.contains(&"LAST_ADMIN".into()), "{ends:?}");
        let stayed = admins[1 - gone].1;
        assert!(admin_binding(&pair, stayed, admins[gone].0).await.is_none());
        own[gone] = make_admin(&pair, stayed, admins[gone].0).await;
    }
    pair.end().await;
}

async fn make_admin(pair: &Pair, by: &str, id: &str) -> String {
    let binding =
        v1::Binding { principal: format!("{ACME}/users/{id}"), role: v1::Role::Admin.into(), ..Default::default() };
    let request = v1::CreateBindingRequest { parent: ACME.into(), binding: Some(binding), ..Default::default() };
    pair.one.access(by).create_binding(request).await.unwrap().into_inner().binding.unwrap().name
}

async fn admin_binding(pair: &Pair, by: &str, id: &str) -> Option<String> {
    let request = v1::ListBindingsRequest { parent: ACME.into(), ..Default::default() };
    let listed = pair.other.access(by).list_bindings(request).await.unwrap().into_inner();
    let of = format!("{ACME}/users/{id}");
    let mut admins = listed.bindings.into_iter().filter(|binding| binding.role() == v1::Role::Admin);
    admins.find(|binding| binding.principal == of).map(|binding| binding.name)
}
