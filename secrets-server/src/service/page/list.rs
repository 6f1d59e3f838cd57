//! Lists: pages of the rows that the caller may see, in the order of the store.

use std::fmt::Display;
use std::future::Future;
use std::str::FromStr;

use super::Page;
use crate::error::Error;
use crate::service::Service;
use crate::store::StoreError;
use crate::store::binding::BindingRecord;
use crate::store::credential::Credential;
use crate::store::organization::Organization;
use crate::store::project::Project;
use crate::store::service_account::ServiceAccount;
use crate::store::user::User;
use crate::store::workspace::Workspace;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is on it.
    pub rows: Vec<T>,
    /// From where the next one starts; empty on the last page.
    pub next_page_token: String,
    /// How many all pages have together.
    pub total_size: u64,
}

impl<T> Listed<T> {
    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            rows: self.rows.into_iter().map(change).collect(),
            next_page_token: self.next_page_token,
            total_size: self.total_size,
        }
    }
}

/// A page is cut short before it weighs much more: an answer has at most 4 MiB.
const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;
/// Names, uids, times and texts for people, each of which is bounded.
const ROW_BYTES: usize = 2_048;

/// What stands before each text of a list.
const LENGTH_BYTES: usize = 4;

/// A row of a list.
pub trait Weigh {
    /// About how many bytes of an answer it takes, and never fewer.
    fn weight(&self) -> usize {
        ROW_BYTES
    }
}

impl Weigh for BindingRecord {}
impl Weigh for Project {}
impl Weigh for ServiceAccount {}
impl Weigh for User {}
impl Weigh for Workspace {}

impl Weigh for Organization {
    fn weight(&self) -> usize {
        // A hundred reserved paths may be allowed.
        let allowed = self.allowed_reserved.iter().map(|entry| entry.len() + LENGTH_BYTES);
        ROW_BYTES + allowed.sum::<usize>()
    }
}

impl Weigh for Credential {
    fn weight(&self) -> usize {
        // What restricts a session may be a thousand names.
        ROW_BYTES + self.restrictions.as_ref().map_or(0, String::len)
    }
}

/// How many rows are read at once when all are counted.
const CHUNK_ROWS: u64 = 1_000;

impl Service {
    /// One page of a list whose rows the caller may not all see. `query` is what the pages of the list have in common,
    /// `total` how many rows there are if the caller sees them all (else they are counted one by one), `shows` whether they
    /// see one, `cursor_of` where a row stands, and `fetch(after, limit)` reads on from there.
    pub async fn list_page<R, C, F>(
        &self,
        page: &Page,
        query: &[&str],
        total: Option<u64>,
        shows: impl Fn(&R) -> bool,
        cursor_of: impl Fn(&R) -> C,
        fetch: impl Fn(Option<C>, u64) -> F,
    ) -> Result<Listed<R>, Error>
    where
        R: Weigh,
        C: FromStr + Display,
        F: Future<Output = Result<Vec<R>, StoreError>>,
    {
        let cursor = self.cursor(query, &page.token)?;
        // It carries our own tag, so that it is one of ours.
        let parse = |text: &str| text.parse().map_err(|_| Error::internal("a cursor of our own does not parse"));
        let mut after = cursor.as_deref().map(parse).transpose()?;
        let (limit, mut rows, mut more, mut ended) = (page.size.saturating_add(1), Vec::new(), false, false);
        let mut bytes = 0;
        while !more && !ended {
            let read = fetch(after, limit).await?;
            ended = (read.len() as u64) < limit;
            after = read.last().map(&cursor_of);
            for row in read.into_iter().filter(&shows) {
                more = rows.len() as u64 == page.size || bytes >= MAX_PAGE_BYTES;
                if more {
                    break;
                }
                bytes += row.weight();
                rows.push(row);
            }
        }
        let total_size = match total {
            Some(total) => total,
            None if cursor.is_none() && !more => rows.len() as u64,
            None => count(shows, &cursor_of, fetch).await?,
        };
        let next_page_token = match rows.last().filter(|_| more) {
            Some(last) => self.page_token(query, &cursor_of(last).to_string()),
            None => String::new(),
        };
        Ok(Listed { rows, next_page_token, total_size })
    }
}

async fn count<R, C, F>(
    shows: impl Fn(&R) -> bool,
    cursor_of: impl Fn(&R) -> C,
    fetch: impl Fn(Option<C>, u64) -> F,
) -> Result<u64, Error>
where
    F: Future<Output = Result<Vec<R>, StoreError>>,
{
    let (mut total, mut after) = (0, None);
    loop {
        let read = fetch(after, CHUNK_ROWS).await?;
        total += read.iter().filter(|row| shows(row)).count() as u64;
        if (read.len() as u64) < CHUNK_ROWS {
            return Ok(total);
        }
        after = read.last().map(&cursor_of);
    }
}
