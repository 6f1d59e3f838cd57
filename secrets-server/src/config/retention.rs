//! For how long things are kept.

use std::fmt;
use std::time::Duration;

use super::raw::RawRetention;
use super::{DAY, InvalidConfig};
use crate::retention::Retention;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Whoever wants more wants for ever, nearly.
const MAX_DAYS: u32 = 36_500;
/// The interface promises as many.
const MIN_HOURS: u32 = 24;
const MAX_HOURS: u32 = 168;
/// Fewer would be forgotten before they are repeated.
const MIN_REQUEST_IDS: u32 = 16;

pub(super) fn check(raw: &RawRetention) -> Result<Retention, InvalidConfig> {
    let default = Retention::default();
    Ok(Retention {
        audit_changes: days("retention.audit_changes_days", raw.audit_changes_days)?.or(default.audit_changes),
        audit_deliveries: days("retention.audit_deliveries_days", raw.audit_deliveries_days)?
            .or(default.audit_deliveries),
        audit_reads: days("retention.audit_reads_days", raw.audit_reads_days)?.unwrap_or(default.audit_reads),
        audit_refusals: days("retention.audit_refusals_days", raw.audit_refusals_days)?
            .unwrap_or(default.audit_refusals),
        deleted_organizations: days("retention.deleted_organizations_days", raw.deleted_organizations_days)?
            .unwrap_or(default.deleted_organizations),
        request_ids: within("retention.request_ids_hours", raw.request_ids_hours, MIN_HOURS, MAX_HOURS)?
            .map_or(default.request_ids, |hours| HOUR.saturating_mul(hours)),
        request_ids_per_principal: within(
            "retention.request_ids_per_principal",
            raw.request_ids_per_principal,
            MIN_REQUEST_IDS,
            u32::MAX,
        )?
        .map_or(default.request_ids_per_principal, u64::from),
    })
}

/// As a file would say it; what is kept for ever is not in it.
pub(super) fn write(f: &mut fmt::Formatter<'_>, retention: &Retention) -> fmt::Result {
    let days = |time: Duration| time.as_secs() / DAY.as_secs();
    writeln!(f, "[retention]")?;
    if let Some(time) = retention.audit_changes {
        writeln!(f, "audit_changes_days = {}", days(time))?;
    }
    if let Some(time) = retention.audit_deliveries {
        writeln!(f, "audit_deliveries_days = {}", days(time))?;
    }
    writeln!(f, "audit_reads_days = {}", days(retention.audit_reads))?;
    writeln!(f, "audit_refusals_days = {}", days(retention.audit_refusals))?;
    writeln!(f, "deleted_organizations_days = {}", days(retention.deleted_organizations))?;
    writeln!(f, "request_ids_hours = {}", retention.request_ids.as_secs() / HOUR.as_secs())?;
    writeln!(f, "request_ids_per_principal = {}", retention.request_ids_per_principal)
}

fn days(key: &str, days: Option<u32>) -> Result<Option<Duration>, InvalidConfig> {
    Ok(within(key, days, 1, MAX_DAYS)?.map(|days| DAY.saturating_mul(days)))
}

fn within(key: &str, value: Option<u32>, least: u32, most: u32) -> Result<Option<u32>, InvalidConfig> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            let rule = format!("must be at least {least} and at most {most} (got {value})");
            Err(InvalidConfig::refused(key, rule))
        }
        value => Ok(value),
    }
}
