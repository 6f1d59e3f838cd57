//! An invitation that was just made, whoever made it.

use std::time::Duration;

use secrets_core::Timestamp;
use zeroize::Zeroizing;

use super::effects::Effects;

/// How long an invitation can be redeemed, by default.
pub const DEFAULT_INVITATION_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long it can be at most.
pub const MAX_INVITATION_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An invitation that was just made.
pub struct IssuedInvitation {
    /// Resource path of the invited user.
    pub user: String,
    /// The code, shown once.
    pub code: Zeroizing<String>,
    /// Until when it can be redeemed.
    pub expire_time: Option<Timestamp>,
    /// What it has ended.
    pub effects: Effects,
}
