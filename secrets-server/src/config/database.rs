//! Where the database is.

use std::fmt;
use std::path::PathBuf;

use crate::store::{self, DatabaseConfig};

/// Which database holds everything, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file; the default, in the data directory.
    Sqlite {
        /// The database file.
        path: PathBuf,
    },
    /// A PostgreSQL server, or what speaks its protocol.
    Postgres {
        /// Address, database and credentials.
        url: DatabaseUrl,
        /// The most connections this process opens.
        max_connections: u32,
    },
}

impl From<&Database> for DatabaseConfig {
    fn from(database: &Database) -> Self {
        match database {
            Database::Sqlite { path } => Self::sqlite(path),
            Database::Postgres { url, max_connections } => {
                Self::Postgres { url: url.0.clone(), connections: *max_connections }
            }
        }
    }
}

/// A `postgres://…` address. It may hold a password, so `Debug` and `Display` show only where it leads.
#[derive(Clone)]
pub struct DatabaseUrl(store::DatabaseUrl);

impl DatabaseUrl {
    /// Accepts what the driver does, where it is clear which part is the host: a part of a password is not looked up.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_unambiguous(text).then(|| text.parse().ok().map(Self)).flatten()
    }

    /// The whole address, with its password: for the driver alone.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Whether user name and password are escaped, so that the host begins at the only `@`.
fn is_unambiguous(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (authority, more) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_hex = |code: &str| code.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_escaped = rest.split('%').skip(1).all(|after| after.get(..2).is_some_and(is_hex));
    authority.matches('@').count() <= 1 && !more.contains(['@', '#']) && is_escaped
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for DatabaseUrl {}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.expose().split_once("://").unwrap_or(("postgres", ""));
        // Parameters may hold a password as well.
        let location = rest.split('?').next().unwrap_or_default();
        match location.split_once('@') {
            Some((_, address)) => write!(f, "{scheme}://…@{address}"),
            None => write!(f, "{scheme}://{location}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_where_it_leads_and_never_a_password() {
        for (url, shown) in [
            ("postgres://db.internal:5432/secrets", "postgres://db.internal:5432/secrets"),
            ("postgres://app:hunter2@db/secrets", "postgres://…@db/secrets"),
            ("postgresql://app:hunter2@db/secrets?sslmode=require", "postgresql://…@db/secrets"),
            ("postgres://db/secrets?password=hunter2", "postgres://db/secrets"),
            ("postgres://app:p%40ss%2Fhunter2@db/secrets", "postgres://…@db/secrets"),
            ("postgres://app@db/secrets?password=hunter2%40", "postgres://…@db/secrets"),
            ("postgres:///secrets?host=/run/postgresql", "postgres:///secrets"),
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), shown);
            assert_eq!(parsed.expose(), url);
        }
    }

    #[test]
    fn refuses_an_address_in_which_a_password_may_be_taken_for_the_host() {
        for text in [
            "postgres://app:p@ss@db/secrets",
            "postgres://app:p/ss@db/secrets",
            "postgres://app:p?ss@db/secrets",
            "postgres://app:p#ss@db/secrets",
            "postgres://app:100%@db/secrets",
            "postgres://app:100%zz@db/secrets",
            "postgres://db/secrets?password=p@ss",
        ] {
            assert!(DatabaseUrl::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_postgres() {
        for text in ["", "mysql://db/secrets", "db.internal", "POSTGRES"] {
            assert!(DatabaseUrl::parse(text).is_none(), "{text}");
        }
    }
}
