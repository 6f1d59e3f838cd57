//! Whose events say what a principal received: its own, and for an account those of its sessions.

use std::fmt;
use std::str::FromStr;

use secrets_core::principal::PrincipalKind;
use secrets_core::{AccountName, CredentialKind, PrincipalName, PrincipalRef, SessionName, Timestamp, Uid};

use crate::error::Error;
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, audit, credential, service_account, user};

/// How many sessions are looked up at once.
const SESSIONS_PER_QUERY: u64 = 100;

/// Of how many who had one name after the other the sessions are looked for. The interface promises it.
const MAX_ACCOUNTS: u64 = 100;

/// When something was, and its uid.
pub(super) type Moment = (Timestamp, Uid);

/// A principal, and of which accounts it stands for the sessions: whoever has or had its name.
pub(super) struct Recipients<'a> {
    organization: &'a Organization,
    name: &'a PrincipalName,
    /// None of a session, and of the operator.
    accounts: Vec<PrincipalRef>,
}

/// Up to where the events were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The session whose events are read; none: those of the principal itself.
    pub(super) session: Option<Moment>,
    /// The last of its events that was read.
    pub(super) event: Option<Moment>,
}

impl<'a> Recipients<'a> {
    /// The principal of this name, and whoever had it while they are known, or while there are events of theirs in the organization.
    pub(super) async fn find(
        db: &impl KeyedConnection,
        organization: &'a Organization,
        name: &'a PrincipalName,
    ) -> Result<Self, Error> {
        let last = audit::last_uid_of_caller(db, organization.uid, &name.to_string()).await?;
        let mut accounts = Vec::new();
        match name {
            PrincipalName::Operator => {}
            PrincipalName::Session(session) => {
                let found = credential::by_uid(db, Some(organization.uid), session.uid).await?;
                if last.is_none() && found.is_none_or(|found| found.kind != CredentialKind::Session) {
                    return Err(Error::not_found(format_args!("session `{name}`")));
                }
            }
            PrincipalName::Account(account) => {
                // That the platform has an account which never called here is for the operator to know.
                let is_known = account.organization().is_some() || last.is_some();
                let mut uids = if is_known { named(db, organization.uid, account).await? } else { Vec::new() };
                // Of who called last there may be nothing left but the events.
                uids.extend(last.flatten().filter(|last| !uids.contains(last)).as_slice());
                if uids.is_empty() {
                    return Err(Error::not_found(format_args!("{} `{name}`", noun(account))));
                }
                accounts.extend(uids.into_iter().map(|uid| PrincipalRef { kind: kind(account), uid }));
            }
        }
        Ok(Self { organization, name, accounts })
    }

    /// Whether sessions received for it.
    pub(super) fn has_sessions(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// In whose name the events are that are read there.
    pub(super) fn name_at(&self, position: &Position) -> String {
        match position.session {
            None => self.name.to_string(),
            Some((_, uid)) => SessionName { organization: self.organization.organization_id.clone(), uid }.to_string(),
        }
    }

    /// The next sessions; none when there are no more.
    pub(super) async fn sessions_after(
        &self,
        db: &impl KeyedConnection,
        position: &Position,
    ) -> Result<Vec<Moment>, Error> {
        if self.accounts.is_empty() {
            return Ok(Vec::new());
        }
        let within = self.organization.uid;
        let sessions =
            credential::sessions_of(db, within, &self.accounts, position.session, SESSIONS_PER_QUERY).await?;
        Ok(sessions.into_iter().map(|session| (session.create_time, session.uid)).collect())
    }
}

/// Those who have or had the name of an account.
async fn named(db: &impl KeyedConnection, within: Uid, account: &AccountName) -> Result<Vec<Uid>, Error> {
    Ok(match account {
        AccountName::User(name) => user::uids_named(db, within, &name.user, MAX_ACCOUNTS).await?,
        AccountName::ServiceAccount(name) => {
            let of = name.organization.as_ref().map(|_| within);
            service_account::uids_named(db, of, &name.id, MAX_ACCOUNTS).await?
        }
    })
}

fn kind(account: &AccountName) -> PrincipalKind {
    match account {
        AccountName::User(_) => PrincipalKind::User,
        AccountName::ServiceAccount(_) => PrincipalKind::ServiceAccount,
    }
}

fn noun(account: &AccountName) -> &'static str {
    match account {
        AccountName::User(_) => "user",
        AccountName::ServiceAccount(_) => "service account",
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = |moment: Option<Moment>| {
            moment.map_or_else(String::new, |(time, uid)| format!("{}.{uid}", time.as_micros()))
        };
        write!(f, "{}/{}", write(self.session), write(self.event))
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(cursor: &str) -> Result<Self, Error> {
        // It was made here: only its MAC is for the caller to get wrong.
        let foreign = || Error::internal("a page token of ours holds no position");
        let moment = |text: &str| -> Result<Option<Moment>, Error> {
            if text.is_empty() {
                return Ok(None);
            }
            let (micros, uid) = text.split_once('.').ok_or_else(foreign)?;
            let time = Timestamp::from_micros(micros.parse().map_err(|_| foreign())?);
            Ok(Some((time, Uid::try_parse(uid).map_err(|_| foreign())?)))
        };
        let (session, event) = cursor.split_once('/').ok_or_else(foreign)?;
        Ok(Self { session: moment(session)?, event: moment(event)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let moment = |number: i64| Some((Timestamp::from_micros(number), Uid::from_u128(7)));
        for (session, event) in [(None, None), (None, moment(-5)), (moment(3), None), (moment(3), moment(9))] {
            let position = Position { session, event };
            assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
        }
        for other in ["", "/5", "5./", "x.00000000-0000-0000-0000-000000000007/"] {
            assert!(other.parse::<Position>().is_err(), "{other}");
        }
    }
}
