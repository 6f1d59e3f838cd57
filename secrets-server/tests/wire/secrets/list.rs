use std::collections::BTreeSet;
use std::time::Duration;

use secrets_core::MASK;
use secrets_proto::v1;
use tonic::Code;

use super::{BOB, file, names};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    secrets_are_listed_by_name_without_values,
    pages_give_each_secret_once_in_every_order,
    a_page_token_belongs_to_its_query,
    filters_choose,
    refuses_invalid_filters_and_orders,
    a_filter_is_as_long_as_it_may_be_and_no_longer,
    a_list_ends_where_a_message_would_be_too_large,
);

fn list(parent: &str) -> v1::ListSecretsRequest {
    v1::ListSecretsRequest { parent: parent.into(), ..Default::default() }
}

async fn secrets_are_listed_by_name_without_values(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for id in ["B", "A_B", "_C", "AA", "A"] {
        server.create(&acme.bob, BOB, id, "canary-4f1d").await;
    }
    let listed = server.try_list(&acme.bob, list(BOB)).await.unwrap();
    assert_eq!(names(&listed.secrets), ["A", "AA", "A_B", "B", "_C"]);
    assert_eq!((listed.total_size, listed.next_page_token.as_str()), (5, ""));
    assert!(listed.secrets.iter().all(|secret| secret.masked_value == MASK && !secret.inherited));
    assert!(!format!("{listed:?}").contains("canary-4f1d"));
}

async fn pages_give_each_secret_once_in_every_order(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for id in ["C", "A", "E", "B", "D"] {
        server.create(&acme.bob, BOB, id, "value-1").await;
        server.wait(Duration::from_secs(1));
    }
    server.rotate(&acme.bob, &format!("{BOB}/secrets/A"), "value-2").await;
    for (order_by, expected) in [
        ("", ["A", "B", "C", "D", "E"]),
        ("secret_id desc", ["E", "D", "C", "B", "A"]),
        ("create_time", ["C", "A", "E", "B", "D"]),
        ("create_time desc", ["D", "B", "E", "A", "C"]),
        ("update_time desc", ["A", "D", "B", "E", "C"]),
    ] {
        let mut request = v1::ListSecretsRequest { page_size: 2, order_by: order_by.into(), ..list(BOB) };
        let mut seen = Vec::new();
        loop {
            let page = server.try_list(&acme.bob, request.clone()).await.unwrap();
            assert!(page.secrets.len() <= 2);
            assert_eq!(page.total_size, 5);
            seen.extend(page.secrets.into_iter().map(|secret| secret.secret_id));
            if page.next_page_token.is_empty() {
                break;
            }
            // Its page goes on where it stopped, though what was on it is gone.
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen, expected, "{order_by}");
    }
    let refused = refusal(server.try_list(&acme.bob, v1::ListSecretsRequest { page_size: -1, ..list(BOB) }).await);
    assert_eq!(refused.fields, ["page_size"]);
}

async fn a_page_token_belongs_to_its_query(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for id in ["A", "B", "C"] {
        server.create(&acme.bob, BOB, id, "value-1").await;
    }
    let first = v1::ListSecretsRequest { page_size: 1, ..list(BOB) };
    let token = server.try_list(&acme.bob, first.clone()).await.unwrap().next_page_token;
    let next = v1::ListSecretsRequest { page_token: token.clone(), ..first };
    assert_eq!(names(&server.try_list(&acme.bob, next.clone()).await.unwrap().secrets), ["B"]);
    // The size of a page may change, what is asked for may not.
    let larger = v1::ListSecretsRequest { page_size: 5, ..next.clone() };
    assert_eq!(names(&server.try_list(&acme.bob, larger).await.unwrap().secrets), ["B", "C"]);
    let mut forged = token.clone().into_bytes();
    forged[0] ^= 1;
    for request in [
        v1::ListSecretsRequest { parent: super::WS1.into(), ..next.clone() },
        v1::ListSecretsRequest { filter: "disabled = false".into(), ..next.clone() },
        v1::ListSecretsRequest { order_by: "create_time".into(), ..next.clone() },
        v1::ListSecretsRequest { show_deleted: true, ..next.clone() },
        v1::ListSecretsRequest { include_inherited: true, ..next.clone() },
        v1::ListSecretsRequest { page_token: "x".into(), ..next.clone() },
        v1::ListSecretsRequest { page_token: String::from_utf8(forged).unwrap(), ..next.clone() },
    ] {
        let refused = refusal(server.try_list(&acme.bob, request.clone()).await);
        assert_eq!(
            (refused.code, refused.reason.as_str()),
            (Code::InvalidArgument, "INVALID_PAGE_TOKEN"),
            "{request:?}"
        );
        assert_eq!(refused.fields, ["page_token"]);
    }
}

async fn filters_choose(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let aws = v1::Secret { group: "aws".into(), ..Default::default() };
    server.create_with(&acme.bob, BOB, "AWS_KEY", aws.clone()).await;
    server.create_with(&acme.bob, BOB, "AWS_TOKEN", v1::Secret { disabled: true, ..aws }).await;
    server.create_with(&acme.bob, BOB, "KEY", v1::Secret { target: file("~/key"), ..Default::default() }).await;
    let labelled = v1::Secret { labels: [("team".to_owned(), "web".to_owned())].into(), ..Default::default() };
    server.create_with(&acme.bob, BOB, "DSN", labelled).await;
    for (filter, expected) in [
        (r#"secret_id = "KEY""#, &["KEY"][..]),
        (r#"secret_id : "AWS_*""#, &["AWS_KEY", "AWS_TOKEN"]),
        (r#"group = "aws" AND disabled = false"#, &["AWS_KEY"]),
        (r#"labels.team = "web""#, &["DSN"]),
        (r#"target = "FILE""#, &["KEY"]),
        ("disabled = true", &["AWS_TOKEN"]),
        (r#"secret_id = "NONE""#, &[]),
    ] {
        let request = v1::ListSecretsRequest { filter: filter.into(), ..list(BOB) };
        let listed = server.try_list(&acme.bob, request).await.unwrap();
        assert_eq!(names(&listed.secrets), expected, "{filter}");
        assert_eq!(listed.total_size as usize, expected.len(), "{filter}");
    }
}

async fn refuses_invalid_filters_and_orders(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (filter, order_by, field) in [
        ("name = x", "", "filter"),
        ("value = \"x\"", "", "filter"),
        ("disabled = true OR disabled = false", "", "filter"),
        ("group = \"open", "", "filter"),
        ("", "value", "order_by"),
        ("", "secret_id, create_time", "order_by"),
    ] {
        let request = v1::ListSecretsRequest { filter: filter.into(), order_by: order_by.into(), ..list(BOB) };
        let refused = refusal(server.try_list(&acme.bob, request).await);
        assert_eq!(
            (refused.code, refused.reason.as_str()),
            (Code::InvalidArgument, "INVALID_FILTER"),
            "{filter}{order_by}"
        );
        assert_eq!(refused.fields, [field]);
        assert!(
            refused.message.contains("expected")
                || refused.message.contains("AND")
                || refused.message.contains("ends in")
        );
    }
}

async fn a_filter_is_as_long_as_it_may_be_and_no_longer(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "A", "value-1").await;
    let conditions = |count: usize| vec!["disabled = false"; count].join(" AND ");
    let bytes = |count: usize| format!("secret_id = \"{}\"", "A".repeat(count - "secret_id = \"\"".len()));
    let filtered =
        async |filter: String| server.try_list(&acme.bob, v1::ListSecretsRequest { filter, ..list(BOB) }).await;
    assert_eq!(names(&filtered(conditions(32)).await.unwrap().secrets), ["A"]);
    assert!(filtered(bytes(2_048)).await.unwrap().secrets.is_empty());
    for (filter, rule) in [(conditions(33), "at most 32 conditions"), (bytes(2_049), "at most 2,048 bytes")] {
        let refused = refusal(filtered(filter).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_FILTER"));
        assert_eq!(refused.fields, ["filter"]);
        assert!(refused.message.contains(rule), "{}", refused.message);
    }
}

async fn a_list_ends_where_a_message_would_be_too_large(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let labels: std::collections::BTreeMap<_, _> =
        (0..64).map(|n| (format!("{}{n}", "k".repeat(120)), "v".repeat(512))).collect();
    for n in 0..120 {
        let secret = v1::Secret { labels: labels.clone(), ..Default::default() };
        server.create_with(&acme.bob, BOB, &format!("N{n}"), secret).await;
        // A scope can have no more than fits, but can have had it.
        server.delete(&acme.bob, &format!("{BOB}/secrets/N{n}")).await;
    }
    let listed = v1::ListSecretsRequest { show_deleted: true, ..list(BOB) };
    let (mut request, mut seen, mut pages) = (listed, BTreeSet::new(), 0);
    loop {
        let page = server.try_list(&acme.bob, request.clone()).await.unwrap();
        assert_eq!(page.total_size, 120);
        pages += 1;
        seen.extend(page.secrets.into_iter().map(|secret| secret.secret_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((pages, seen.len()), (2, 120));
}
