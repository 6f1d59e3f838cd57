//! The sessions of an account, page by page.

use secrets_core::principal::{PrincipalKind, PrincipalRef};
use secrets_server::store::commit;
use secrets_server::store::credential::{self, Credential};

use crate::store::credential::{insert, session, token};
use crate::store::fixture::{later, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(lists_the_sessions_that_an_account_created_and_that_serve_it);

async fn lists_the_sessions_that_an_account_created_and_that_serve_it(database: &TestDatabase) {
    let bob = PrincipalRef { kind: PrincipalKind::User, uid: uid(30) };
    let program = PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: uid(40) };
    let at = |seconds, row| Credential { create_time: later(seconds), ..row };
    let by_program = |row| Credential { principal: program, ..row };
    let for_bob = |row| Credential { context_user: Some(bob.uid), ..row };
    let elsewhere = |row| Credential { organization: Some(uid(2)), ..row };
    let rows = [
        token(100),
        session(110, 100),
        for_bob(session(111, 100)),
        at(1, for_bob(by_program(session(112, 100)))),
        at(1, by_program(session(113, 100))),
        at(2, for_bob(session(114, 100))),
        at(3, elsewhere(for_bob(session(115, 100)))),
        at(3, elsewhere(by_program(session(116, 100)))),
        at(3, Credential { context_user: Some(uid(31)), ..by_program(session(117, 100)) }),
    ];
    insert(database, &rows).await;
    let tx = database.store.begin().await.unwrap();
    credential::revoke(&tx, Some(uid(1)), uid(114), later(5)).await.unwrap();
    commit(tx).await.unwrap();
    for (accounts, expected) in [
        (&[bob][..], &[114, 112, 111, 110][..]),
        (&[program], &[117, 113, 112]),
        (&[bob, program], &[117, 114, 113, 112, 111, 110]),
        (&[], &[]),
    ] {
        for limit in [1, 2, 100] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page =
                    credential::sessions_of(database.store.reader(), uid(1), accounts, after, limit).await.unwrap();
                assert!(page.len() as u64 <= limit);
                let Some(last) = page.last() else { break };
                after = Some((last.create_time, last.uid));
                seen.extend(page.iter().map(|row| row.uid.as_u128()));
            }
            assert_eq!(seen, expected, "{accounts:?}, {limit} at once");
        }
    }
}
