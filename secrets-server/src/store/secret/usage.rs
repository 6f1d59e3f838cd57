//! How full a scope is: how much of an answer its secrets take.
//!
//! What four full scopes come to has to fit one message: with its values in Resolve, or in Explain with its description and
//! what wins over it. The larger of the two counts, in SQL as in Rust.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{ConnectionTrait, IntoSimpleExpr, JoinType, QuerySelect, RelationTrait};
use secrets_core::{Scope, SecretId, Target, Uid};

use super::{Secret, SecretWithVersion, TABLE, labels, live};
use crate::store::StoreError;
use crate::store::entity::{secret, secret_version};
use crate::store::row::{Row, reading};

/// Field numbers, lengths, enumerations and times of a secret in a message.
const FIELDS_BYTES: u64 = 96;
/// The longest resource name of a secret, which Explain has once more, of the secret that wins.
const MAX_NAME_BYTES: u64 = 348;
/// The labels of a secret that has none.
const NO_LABELS: &str = "{}";

/// What the live secrets of a scope come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many there are.
    pub secrets: u64,
    /// How many bytes of an answer they take.
    pub bytes: u64,
}

/// What secrets of one scope take of an answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerSize {
    /// The resource name of a secret, without its own name.
    prefix: u64,
}

impl AnswerSize {
    /// Of the scope with this resource name.
    pub fn in_scope(name: &str) -> Self {
        Self { prefix: (name.len() + "/secrets/".len()) as u64 }
    }

    /// Of a secret with this target and a value of this length.
    pub fn of(self, secret: &Secret, target: &Target, value_bytes: u64) -> u64 {
        let group = secret.group.as_ref().map_or(0, |group| group.as_str().len());
        let metadata = secret.description.as_str().len() + labels::write(&secret.labels).len() + group;
        self.larger(&secret.secret_id, target, value_bytes, metadata as u64)
    }

    /// Of a secret as it is stored.
    pub fn current(self, current: &SecretWithVersion) -> u64 {
        self.of(&current.secret, &current.version.target, current.version.value_bytes.into())
    }

    /// Of a new environment variable without metadata.
    pub fn of_new_variable(self, secret_id: &SecretId, value_bytes: u64) -> u64 {
        self.larger(secret_id, &Target::EnvironmentVariable, value_bytes, NO_LABELS.len() as u64)
    }

    fn larger(self, secret_id: &SecretId, target: &Target, value_bytes: u64, metadata: u64) -> u64 {
        let target = match target {
            Target::EnvironmentVariable | Target::ApiOnly => 0,
            Target::File { path, .. } => path.as_str().len(),
            Target::Registry { host, username } => host.as_str().len() + username.as_str().len(),
        };
        let both = FIELDS_BYTES + self.prefix + 2 * secret_id.as_str().len() as u64 + target as u64;
        both + std::cmp::max(value_bytes, metadata + MAX_NAME_BYTES)
    }

    /// The same of a row of the secrets with its current version.
    fn in_sql(self) -> SimpleExpr {
        use secret::Column as S;
        use secret_version::Column as V;
        let of_secret = |column: S| bytes_of(Expr::col((secret::Entity, column)));
        let of_version = |column: V| bytes_of(Expr::col((secret_version::Entity, column)));
        let both = Expr::val(number(FIELDS_BYTES + self.prefix))
            .add(of_secret(S::SecretId).mul(2))
            .add(of_version(V::TargetPath))
            .add(of_version(V::TargetHost))
            .add(of_version(V::TargetUsername));
        let value = Func::coalesce([V::ValueBytes.into_simple_expr(), Expr::val(0_i64)]);
        let metadata = of_secret(S::Description)
            .add(of_secret(S::Labels))
            .add(of_secret(S::SecretGroup))
            .add(Expr::val(number(MAX_NAME_BYTES)));
        let larger: SimpleExpr = CaseStatement::new()
            .case(Expr::expr(value.clone()).gt(metadata.clone()), Expr::expr(value))
            .finally(metadata)
            .into();
        both.add(larger)
    }
}

/// Measures a scope. Ask under the organization's [`crate::store::revision::lock`] before something is added.
pub async fn usage(
    db: &impl ConnectionTrait,
    organization: Uid,
    scope: Scope,
    size: AnswerSize,
) -> Result<Usage, StoreError> {
    // PostgreSQL adds bigints up to a numeric.
    let bytes = Func::coalesce([size.in_sql().sum(), Expr::val(0_i64)]);
    let query = live(organization, &[scope])
        .join(JoinType::LeftJoin, secret::Relation::CurrentVersion.def())
        .select_only()
        .expr_as(Expr::col((secret::Entity, secret::Column::Uid)).count(), "secrets")
        .expr_as(Expr::expr(bytes).cast_as("bigint"), "bytes");
    let (secrets, bytes): (i64, i64) = query.into_tuple().one(db).await.map_err(reading(TABLE))?.unwrap_or_default();
    let row = Row::new(TABLE, &scope.uid);
    Ok(Usage { secrets: row.number("uid", secrets)?, bytes: row.number("value_bytes", bytes)? })
}

/// The bytes of a text; none of NULL.
fn bytes_of(column: SimpleExpr) -> SimpleExpr {
    Expr::expr(Func::coalesce([Func::cust("octet_length").arg(column).into(), Expr::val(0_i64)]))
}

/// Of constants and resource names, which are short.
fn number(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
