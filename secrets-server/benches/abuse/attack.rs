//! The attackers. Each goes on for ever, and takes no refusal for an answer.

mod bodies;
mod calls;
mod connections;
mod rapid_reset;
mod repeat;
mod watches;

use std::fmt;

use clap::ValueEnum;

use crate::target::Target;

/// One attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attack {
    /// Requests that are taken back as soon as they are sent.
    RapidReset,
    /// Connections that send one byte a second.
    SlowConnections,
    /// Connections that send nothing once they are open.
    IdleConnections,
    /// Calls with well-formed tokens that nobody ever made.
    JunkTokens,
    /// Calls of a member whose bodies never end.
    BodyHoarders,
    /// A member that opens as many watches as there can be.
    Watchers,
    /// Imports of 500 changed entries: by a member, and by another organization's administrator and service account.
    Importers,
    /// One session with 2,048 renewals in flight.
    Renewers,
    /// Sessions, as many as can be: by a member, and by another organization's administrator.
    SessionMakers,
    /// A member's lists of a full scope, by 32 conditions that all hold.
    ListFilters,
}

impl Attack {
    /// Attacks; ends only when a task of it does, which none does.
    pub(crate) async fn run(self, target: Target) {
        match self {
            Self::RapidReset => rapid_reset::run(target).await,
            Self::SlowConnections => connections::drip(target).await,
            Self::IdleConnections => connections::hold(target).await,
            Self::JunkTokens => calls::junk_tokens(target).await,
            Self::BodyHoarders => bodies::run(target).await,
            Self::Watchers => watches::run(target).await,
            Self::Importers => calls::import(target).await,
            Self::Renewers => calls::renew(target).await,
            Self::SessionMakers => calls::create_sessions(target).await,
            Self::ListFilters => calls::list(target).await,
        }
    }
}

/// As it is given on the command line.
impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}
