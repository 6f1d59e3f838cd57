//! The head of a secret as its MAC covers it: all that decides whether it is delivered and to whom, with the sorted selection
//! that is in a table of its own. Not what people wrote about it, nor who changed it when.

use secrets_core::{Timestamp, Uid, Visibility};

use super::{Secret, TABLE, visibility};
use crate::store::entity::{secret, secret_visibility};
use crate::store::row_mac::{Columns, Sealed};

pub(super) struct Head<'a> {
    uid: Uid,
    organization: Uid,
    scope_kind: &'a str,
    scope: Uid,
    secret_id: &'a str,
    group: Option<&'a str>,
    visibility: &'a str,
    selection: Vec<(&'a str, Uid)>,
    override_policy: &'a str,
    disabled: bool,
    redaction: &'a str,
    expire_time: Option<i64>,
    current_version: i64,
    delete_time: Option<i64>,
    purge_time: Option<i64>,
    live: Option<i16>,
    mac: Option<&'a [u8]>,
}

impl<'a> Head<'a> {
    /// As it is stored.
    pub(super) fn stored(row: &'a secret::Model, selection: &'a [secret_visibility::Model]) -> Self {
        let mut selection: Vec<_> = selection.iter().map(|row| (row.kind.as_str(), row.resource_uid)).collect();
        selection.sort_unstable();
        Self {
            uid: row.uid,
            organization: row.organization_uid,
            scope_kind: &row.scope_kind,
            scope: row.scope_uid,
            secret_id: &row.secret_id,
            group: row.secret_group.as_deref(),
            visibility: &row.visibility,
            selection,
            override_policy: &row.override_policy,
            disabled: row.disabled,
            redaction: &row.redaction,
            expire_time: row.expire_time,
            current_version: row.current_version,
            delete_time: row.delete_time,
            purge_time: row.purge_time,
            live: row.live,
            mac: row.row_mac.as_deref(),
        }
    }

    /// As it is to be stored.
    pub(super) fn new(secret: &'a Secret) -> Self {
        let selection = match &secret.visibility {
            Visibility::All => Vec::new(),
            Visibility::Selected { projects, workspaces } => visibility::rows(projects, workspaces).collect(),
        };
        Self {
            uid: secret.uid,
            organization: secret.organization,
            scope_kind: secret.scope.kind.as_str(),
            scope: secret.scope.uid,
            secret_id: secret.secret_id.as_str(),
            group: secret.group.as_ref().map(|group| group.as_str()),
            visibility: visibility::keyword(&secret.visibility),
            selection,
            override_policy: secret.override_policy.as_str(),
            disabled: secret.disabled,
            redaction: secret.redaction.as_str(),
            expire_time: secret.expire_time.map(Timestamp::as_micros),
            current_version: secret.current_version.into(),
            delete_time: secret.delete_time.map(Timestamp::as_micros),
            purge_time: secret.purge_time.map(Timestamp::as_micros),
            live: secret.delete_time.is_none().then_some(1),
            mac: None,
        }
    }
}

impl Sealed for Head<'_> {
    const TABLE: &'static str = TABLE;

    fn uid(&self) -> Uid {
        self.uid
    }

    fn columns(&self, columns: Columns) -> Columns {
        let columns = columns
            .with(&self.uid)
            .with(&self.organization)
            .with(self.scope_kind)
            .with(&self.scope)
            .with(self.secret_id)
            .with(&self.group)
            .with(self.visibility)
            .with(self.override_policy)
            .with(&self.disabled)
            .with(self.redaction)
            .with(&self.expire_time)
            .with(&self.current_version)
            .with(&self.delete_time)
            .with(&self.purge_time)
            .with(&self.live);
        self.selection.iter().fold(columns, |columns, (kind, uid)| columns.with(*kind).with(uid))
    }

    fn mac(&self) -> Option<&[u8]> {
        self.mac
    }
}
