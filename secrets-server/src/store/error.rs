//! What can go wrong with a statement: a driver that fails, a row that cannot be, a rule of the schema that
//! holds. An absent row is no error; functions return `Option`.

use std::borrow::Cow;
use std::fmt;

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// Why a store function failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is gone, full, closed or overloaded. It may be back later.
    #[error("the database is unavailable: {0}")]
    Unavailable(DriverError),
    /// Another transaction was in the way: run the whole transaction again.
    #[error("another transaction was in the way")]
    SerializationFailure,
    /// A rule of uniqueness holds; `0` says which.
    #[error("not unique: {0}")]
    UniqueViolation(UniqueIndex),
    /// A row is still referred to, or refers to one that is not there.
    #[error("a row that another one refers to is missing, or still in use")]
    ReferenceViolation,
    /// A stored row cannot be: written by something else, or damaged.
    #[error("corrupt row {row} of `{table}`: `{column}` does not parse")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: Cow<'static, str>,
        /// The row's key, or `?` where a column's very type is wrong.
        row: String,
    },
    /// A statement that this program should never send.
    #[error("the database refuses a statement: {0}")]
    Refused(DriverError),
}

/// What the driver says: its code and its message, without the detail, which may quote a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverError {
    /// SQLSTATE on PostgreSQL, the extended result code on SQLite, if the database itself answered.
    pub code: Option<String>,
    /// The message, for a log.
    pub message: String,
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} (code {code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The rules of uniqueness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueIndex {
    /// A live organization has this id.
    OrganizationId,
    /// A project of the organization has this id.
    ProjectId,
    /// A live user of the organization has this id.
    UserId,
    /// A live service account of the organization, or the platform, has this id.
    ServiceAccountId,
    /// A workspace of the organization has this id.
    WorkspaceId,
    /// The principal has this role there already.
    Binding,
    /// A live secret of the scope has this name.
    SecretId,
    /// A live secret of the scope has this variable, path or registry.
    Destination,
    /// The secret has a version of this number.
    SecretVersion,
    /// A credential with this MAC exists.
    Mac,
    /// The request id was used.
    RequestId,
    /// A uid or another key that only chance or a mistake can repeat.
    Other,
}

impl fmt::Display for UniqueIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OrganizationId => "organization id",
            Self::ProjectId => "project id",
            Self::UserId => "user id",
            Self::ServiceAccountId => "service account id",
            Self::WorkspaceId => "workspace id",
            Self::Binding => "binding",
            Self::SecretId => "secret id",
            Self::Destination => "destination of a secret",
            Self::SecretVersion => "secret version",
            Self::Mac => "credential",
            Self::RequestId => "request id",
            Self::Other => "key",
        })
    }
}

/// PostgreSQL names the index, SQLite the first column.
const UNIQUE_INDEXES: &[(UniqueIndex, &str, &str)] = &[
    (UniqueIndex::OrganizationId, "organizations_id", "organizations.organization_id, organizations.live"),
    (UniqueIndex::ProjectId, "projects_id", "projects.organization_uid, projects.project_id"),
    (UniqueIndex::UserId, "users_id", "users.organization_uid, users.user_id, users.live"),
    (
        UniqueIndex::ServiceAccountId,
        "service_accounts_id",
        "service_accounts.organization_uid, service_accounts.service_account_id, service_accounts.live",
    ),
    (UniqueIndex::WorkspaceId, "workspaces_id", "workspaces.organization_uid, workspaces.workspace_id"),
    (
        UniqueIndex::Binding,
        "bindings_role",
        "bindings.organization_uid, bindings.resource_uid, bindings.principal_uid, bindings.role, bindings.resource_kind",
    ),
    (UniqueIndex::SecretId, "secrets_id", "secrets.scope_uid, secrets.secret_id, secrets.live"),
    (UniqueIndex::Destination, "secrets_place", "secrets.scope_uid, secrets.place_key, secrets.live"),
    (UniqueIndex::SecretVersion, "secret_versions_pkey", "secret_versions.secret_uid, secret_versions.version"),
    (UniqueIndex::Mac, "credentials_mac", "credentials.mac"),
    (
        UniqueIndex::RequestId,
        "idempotency_pkey",
        "idempotency.organization_uid, idempotency.principal_uid, idempotency.method, idempotency.request_id",
    ),
];

impl UniqueIndex {
    fn of_constraint(name: &str) -> Self {
        UNIQUE_INDEXES.iter().find(|(_, index, _)| *index == name).map_or(Self::Other, |(unique, ..)| *unique)
    }

    fn of_message(message: &str) -> Self {
        let columns = message.rsplit_once("UNIQUE constraint failed: ").map_or("", |(_, columns)| columns);
        UNIQUE_INDEXES.iter().find(|(.., known)| *known == columns).map_or(Self::Other, |(unique, ..)| *unique)
    }
}

impl StoreError {
    /// Whether the same transaction may well succeed if it is run again at once.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::SerializationFailure)
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let message = error.to_string();
        let unavailable = |message| Self::Unavailable(DriverError { code: None, message });
        match error {
            // No statement was sent: whatever the database says, it lets nobody in now.
            DbErr::Conn(RuntimeErr::SqlxError(cause)) => {
                let code = cause.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
                Self::Unavailable(DriverError { code, message })
            }
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                match cause.as_ref() {
                    SqlxError::Database(cause) => of_database(cause.as_ref()),
                    SqlxError::ColumnDecode { index, .. } => undecodable(index.clone()),
                    _ => unavailable(message),
                }
            }
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => unavailable(message),
            // A NULL where there is none, or another type than the column's.
            DbErr::Type(_) | DbErr::TryIntoErr { .. } => undecodable("?".to_owned()),
            _ => Self::Refused(DriverError { code: None, message }),
        }
    }
}

/// The row was not written by this program. Which table it is from, the query knows.
fn undecodable(column: String) -> StoreError {
    StoreError::Corrupt { table: "?", column: Cow::Owned(column), row: "?".to_owned() }
}

/// Only SQLite's own error texts carry its numbers; PostgreSQL has SQLSTATEs of five characters.
fn of_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let code = error.code().map(|code| code.into_owned());
    let driver = DriverError { code: code.clone(), message: error.message().to_owned() };
    match code.as_deref() {
        // lock_not_available: others were before it for longer than it may hold a connection.
        Some("55P03") => StoreError::Unavailable(driver),
        // 40001 serialization_failure, 40P01 deadlock_detected
        Some("40001" | "40P01") => StoreError::SerializationFailure,
        Some("23505") => StoreError::UniqueViolation(UniqueIndex::of_constraint(error.constraint().unwrap_or(""))),
        // SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY
        Some("2067" | "1555") => StoreError::UniqueViolation(UniqueIndex::of_message(error.message())),
        // foreign_key_violation, restrict_violation, SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_TRIGGER (deferred)
        Some("23503" | "23001" | "787") => StoreError::ReferenceViolation,
        // Class 08 connection, 53 resources (disk full, too many connections), 57 operator intervention, 58 system,
        // 25006 a read-only standby, 28 and 3D a database that does not let us in.
        Some(code) if code.len() == 5 => {
            let unavailable = ["08", "53", "57", "58", "28", "3D"].iter().any(|class| code.starts_with(class));
            if unavailable || code == "25006" { StoreError::Unavailable(driver) } else { StoreError::Refused(driver) }
        }
        // SQLite: everything but ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE and RANGE is the world's doing: BUSY,
        // LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB, …
        Some(code) => match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(1 | 18 | 19 | 20 | 21 | 25) => StoreError::Refused(driver),
            _ => StoreError::Unavailable(driver),
        },
        None => StoreError::Unavailable(driver),
    }
}
