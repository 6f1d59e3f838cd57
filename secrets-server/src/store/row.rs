//! From columns to core's types: what does not parse makes the row corrupt.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use sea_orm::DbErr;
use secrets_core::Timestamp;

use super::StoreError;

/// The row that is being read, for the error.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'static str,
    key: &'a dyn Display,
}

impl<'a> Row<'a> {
    pub(super) fn new(table: &'static str, key: &'a dyn Display) -> Self {
        Self { table, key }
    }

    pub(super) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column: Cow::Borrowed(column), row: self.key.to_string() }
    }

    pub(super) fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    pub(super) fn number<T: TryFrom<i64>>(&self, column: &'static str, number: i64) -> Result<T, StoreError> {
        number.try_into().map_err(|_| self.corrupt(column))
    }
}

/// For `map_err` on a query of `table`: a column of the wrong type makes the row corrupt, too.
pub(super) fn reading(table: &'static str) -> impl Fn(DbErr) -> StoreError {
    move |error| match StoreError::from(error) {
        StoreError::Corrupt { column, row, .. } => StoreError::Corrupt { table, column, row },
        other => other,
    }
}

pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(super) fn optional_time(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}
