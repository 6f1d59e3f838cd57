//! The first answers to requests.

use secrets_server::store::idempotency::{self, IdempotencyKey, IdempotencyRecord};

use crate::store::fixture::{later, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(keeps_an_answer_for_exactly_one_request, replaces_an_answer, purges_what_expired, keeps_the_newest);

fn row(request: u128) -> IdempotencyRecord {
    let method = "CreateSecret".to_owned();
    IdempotencyRecord {
        key: IdempotencyKey { organization: uid(1), principal: uid(30), method, request_id: uid(request) },
        fingerprint: vec![1; 32],
        fingerprint_key_version: 1,
        response: b"answer".to_vec(),
        expire_time: later(60),
    }
}

async fn keeps_an_answer_for_exactly_one_request(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    idempotency::insert(db, &row(7)).await.unwrap();
    let key = row(7).key;
    assert_eq!(idempotency::find(db, &key).await.unwrap(), Some(row(7)));
    for other in [
        IdempotencyKey { organization: uid(2), ..key.clone() },
        IdempotencyKey { principal: uid(31), ..key.clone() },
        IdempotencyKey { method: "DeleteSecret".to_owned(), ..key.clone() },
        IdempotencyKey { request_id: uid(8), ..key },
    ] {
        assert_eq!(idempotency::find(db, &other).await.unwrap(), None, "{other:?}");
    }
}

async fn replaces_an_answer(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    idempotency::insert(db, &row(7)).await.unwrap();
    let newer = IdempotencyRecord { response: b"another".to_vec(), expire_time: later(120), ..row(7) };
    idempotency::insert(db, &newer).await.unwrap();
    assert_eq!(idempotency::find(db, &newer.key).await.unwrap(), Some(newer));
}

async fn purges_what_expired(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    for request in 0..10 {
        let expire_time = later(if request < 8 { 60 + i64::try_from(request).unwrap() } else { 1000 });
        idempotency::insert(db, &IdempotencyRecord { expire_time, ..row(request) }).await.unwrap();
    }
    assert_eq!(idempotency::purge_expired(db, later(59), 4).await.unwrap(), 0);
    let mut purged = Vec::new();
    loop {
        match idempotency::purge_expired(db, later(100), 4).await.unwrap() {
            0 => break,
            some => purged.push(some),
        }
    }
    assert_eq!(purged.iter().sum::<u64>(), 8);
    assert!(purged.len() > 1, "in slices: {purged:?}");
    assert!(idempotency::find(db, &row(8).key).await.unwrap().is_some());
}

async fn keeps_the_newest(database: &TestDatabase) {
    let db = &database.store.begin().await.unwrap();
    for request in 0..10 {
        let expire_time = later(i64::try_from(request).unwrap());
        idempotency::insert(db, &IdempotencyRecord { expire_time, ..row(request) }).await.unwrap();
    }
    let other = IdempotencyKey { principal: uid(31), ..row(0).key };
    idempotency::insert(db, &IdempotencyRecord { key: other.clone(), ..row(0) }).await.unwrap();
    let keep = async |count, bytes| idempotency::keep_newest(db, uid(1), uid(30), count, bytes).await.unwrap();
    assert_eq!(keep(10, 1_000).await, 0);
    assert_eq!(keep(8, 1_000).await, 2);
    // An answer of these has six bytes.
    assert_eq!(keep(8, 35).await, 3);
    assert!(idempotency::find(db, &row(5).key).await.unwrap().is_some());
    assert!(idempotency::find(db, &row(4).key).await.unwrap().is_none());
    assert!(idempotency::find(db, &other).await.unwrap().is_some());
}
