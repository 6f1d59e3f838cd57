//! What shows that a row is as this service wrote it: a MAC over the columns that decide who may do and receive what.
//!
//! Without it, whoever can write the database could make a token somebody else's, or a member an administrator, with one
//! `UPDATE`. With it such a row does not verify: it counts as absent, and is reported.
//!
//! - The key is not here: the store is opened without one, and nothing verifies until it gets it
//!   ([`Store::with_row_key`](super::Store::with_row_key)).
//! - Ending needs no key: it clears the MAC, and what has none has ended. So nothing that ended comes back by clearing the
//!   column that says so.
//! - Not covered: a row that was there once and is written back as a whole.
//!
//! To add a table: its column `row_mac`, [`sealed`] for its row, [`insert`] where it is written and [`intact`] where it is read.

mod fill;

pub use fill::fill_row_macs;
pub(super) use fill::store_mac;

use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, IntoActiveModel, QuerySelect, Select};
use secrets_core::Uid;

use super::connection::KeyedConnection;
use crate::crypto::Transcript;

/// A row that has a MAC.
pub(super) trait Sealed {
    const TABLE: &'static str;
    fn uid(&self) -> Uid;
    /// Appends every column that decides, in an order that never changes.
    fn columns(&self, columns: Columns) -> Columns;
    fn mac(&self) -> Option<&[u8]>;
    /// Whether it has ended: then it needs no MAC.
    fn has_ended(&self) -> bool {
        false
    }
}

/// A row as its entity has it.
pub(super) trait SealedModel: Sealed {
    fn set_mac(&mut self, mac: Vec<u8>);
}

/// `sealed!(Model, TABLE, [column, …])`, and `ended: column` where a row has ended once that column is set.
macro_rules! sealed {
    ($model:ident, $table:ident, [$($column:ident),+ $(,)?] $(, ended: $ended:ident)?) => {
        impl $crate::store::row_mac::Sealed for $model {
            const TABLE: &'static str = $table;

            fn uid(&self) -> secrets_core::Uid {
                self.uid
            }

            fn columns(&self, columns: $crate::store::row_mac::Columns) -> $crate::store::row_mac::Columns {
                columns$(.with(&self.$column))+
            }

            fn mac(&self) -> Option<&[u8]> {
                self.row_mac.as_deref()
            }

            $(fn has_ended(&self) -> bool {
                self.$ended.is_some()
            })?
        }

        impl $crate::store::row_mac::SealedModel for $model {
            fn set_mac(&mut self, mac: Vec<u8>) {
                self.row_mac = Some(mac);
            }
        }
    };
}
pub(super) use sealed;

/// The MAC of a row.
pub(super) fn mac_of(db: &impl KeyedConnection, row: &impl Sealed) -> Vec<u8> {
    db.rows().key.mac(&transcript(row))
}

/// Adds a row with its MAC.
pub(super) async fn insert<E>(db: &impl KeyedConnection, mut row: E::Model) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: SealedModel + IntoActiveModel<E::ActiveModel>,
{
    let mac = mac_of(db, &row);
    row.set_mac(mac);
    E::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// The row, if it is as it was written.
pub(super) fn intact<R: Sealed>(db: &impl KeyedConnection, row: R) -> Option<R> {
    let is_intact = match row.mac() {
        Some(mac) => db.rows().key.verify(&transcript(&row), mac),
        None => row.has_ended(),
    };
    if is_intact {
        return Some(row);
    }
    db.rows().damaged.note(R::TABLE, row.uid());
    None
}

/// Up to `limit` intact rows: one that is not never ends a list.
pub(super) async fn page<E>(db: &impl KeyedConnection, query: Select<E>, limit: u64) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    E::Model: Sealed,
{
    let mut asked = limit;
    loop {
        let rows = query.clone().limit(asked).all(db).await?;
        let is_last = (rows.len() as u64) < asked;
        let intact: Vec<_> = rows.into_iter().filter_map(|row| intact(db, row)).collect();
        let missing = limit.saturating_sub(intact.len() as u64);
        if is_last || missing == 0 {
            return Ok(intact);
        }
        asked = asked.saturating_add(missing);
    }
}

fn transcript<R: Sealed>(row: &R) -> Transcript {
    row.columns(Columns::default().with(R::TABLE)).0
}

/// Columns, one after the other.
#[derive(Default)]
pub(super) struct Columns(Transcript);

impl Columns {
    pub(super) fn with(mut self, column: &(impl Column + ?Sized)) -> Self {
        column.write(&mut self.0);
        self
    }
}

/// The value of a column, so that no two give the same fields.
pub(super) trait Column {
    fn write(&self, fields: &mut Transcript);
}

impl Column for Uid {
    fn write(&self, fields: &mut Transcript) {
        fields.push(self.as_bytes());
    }
}

impl Column for str {
    fn write(&self, fields: &mut Transcript) {
        fields.push(self.as_bytes());
    }
}

impl Column for String {
    fn write(&self, fields: &mut Transcript) {
        self.as_str().write(fields);
    }
}

impl Column for &str {
    fn write(&self, fields: &mut Transcript) {
        str::write(self, fields);
    }
}

impl Column for Vec<u8> {
    fn write(&self, fields: &mut Transcript) {
        fields.push(self);
    }
}

impl Column for i64 {
    fn write(&self, fields: &mut Transcript) {
        fields.push(&self.to_be_bytes());
    }
}

impl Column for i16 {
    fn write(&self, fields: &mut Transcript) {
        fields.push(&self.to_be_bytes());
    }
}

impl Column for bool {
    fn write(&self, fields: &mut Transcript) {
        fields.push(&[u8::from(*self)]);
    }
}

/// None and empty are two things.
impl<T: Column> Column for Option<T> {
    fn write(&self, fields: &mut Transcript) {
        self.is_some().write(fields);
        if let Some(value) = self {
            value.write(fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(column: impl Column) -> Transcript {
        Columns::default().with(&column).0
    }

    #[test]
    fn none_is_not_empty() {
        assert_ne!(written(None::<&str>), written(Some("")));
        assert_ne!(written(Some("")), written(""));
    }

    #[test]
    fn a_value_does_not_move_to_the_next_column() {
        let both = |a: Option<&str>, b: Option<&str>| Columns::default().with(&a).with(&b).0;
        assert_ne!(both(Some("a"), None), both(None, Some("a")));
        assert_ne!(both(Some("ab"), Some("c")), both(Some("a"), Some("bc")));
    }
}
