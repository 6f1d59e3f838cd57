//! The configuration as it is written, before it is checked.

use serde::Deserialize;

/// All sections. Every field is optional here; `config.rs` knows the defaults, since some depend on others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    pub(crate) data_dir: Option<String>,
    pub(crate) listen: Option<String>,
    pub(crate) insecure: Option<bool>,
    pub(crate) tls: Option<RawTls>,
    pub(crate) listeners: Option<Vec<RawListener>>,
    #[serde(default)]
    pub(crate) database: RawDatabase,
    #[serde(default)]
    pub(crate) root_key: RawRootKey,
    #[serde(default)]
    pub(crate) limits: RawLimits,
    #[serde(default)]
    pub(crate) sessions: RawSessions,
    #[serde(default)]
    pub(crate) retention: RawRetention,
    #[serde(default)]
    pub(crate) log: RawLog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawListener {
    pub(crate) address: Option<String>,
    pub(crate) services: Option<Vec<String>>,
    pub(crate) insecure: Option<bool>,
    pub(crate) tls: Option<RawTls>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTls {
    pub(crate) cert: Option<String>,
    pub(crate) key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDatabase {
    pub(crate) url: Option<String>,
    pub(crate) max_connections: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRootKey {
    pub(crate) file: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLimits {
    pub(crate) connections: Option<u32>,
    pub(crate) handshake_seconds: Option<u32>,
    pub(crate) idle_seconds: Option<u32>,
    pub(crate) request_seconds: Option<u32>,
    pub(crate) response_seconds: Option<u32>,
    pub(crate) pending_request_mib: Option<u32>,
    pub(crate) reflection_seconds: Option<u32>,
    pub(crate) code_attempts_per_minute: Option<u32>,
    pub(crate) calls: Option<u32>,
    pub(crate) calls_per_person: Option<u32>,
    pub(crate) calls_per_service_account: Option<u32>,
    pub(crate) rate_per_person: Option<u32>,
    pub(crate) rate_per_service_account: Option<u32>,
    pub(crate) watches: Option<u32>,
    pub(crate) watches_per_person: Option<u32>,
    pub(crate) watches_per_service_account: Option<u32>,
    pub(crate) sessions_per_session: Option<u32>,
    pub(crate) sessions_per_person: Option<u32>,
    pub(crate) sessions_per_service_account: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSessions {
    pub(crate) renewable_days: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRetention {
    pub(crate) audit_changes_days: Option<u32>,
    pub(crate) audit_deliveries_days: Option<u32>,
    pub(crate) audit_reads_days: Option<u32>,
    pub(crate) audit_refusals_days: Option<u32>,
    pub(crate) deleted_organizations_days: Option<u32>,
    pub(crate) request_ids_hours: Option<u32>,
    pub(crate) request_ids_per_principal: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLog {
    pub(crate) format: Option<String>,
    pub(crate) level: Option<String>,
}
