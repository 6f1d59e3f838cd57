//! What a person is told about a set beside the set itself: each thing once, however many sets follow.

use secrets_client::{LeftOut, ResolvedSecret, ResolvedSet};

use super::App;
use crate::ui::output::{text, warning};

/// More warnings than the service has about one set.
const MAX_WARNINGS: usize = 20;

impl App {
    /// Prints what there is to say about a set and has not been said before.
    pub(crate) fn print_notices(&self, set: &ResolvedSet) {
        for notice in self.new_notices(set) {
            self.output.warn(&notice);
        }
    }

    /// Returns what there is to say about a set and has not been said before.
    pub(crate) fn new_notices(&self, set: &ResolvedSet) -> Vec<String> {
        // Each by itself: names that come together another time would be said again.
        let warnings = set.warnings.iter().take(MAX_WARNINGS).flat_map(|warning| warning::lines([warning]));
        let notices = warnings.chain(set.left_out.iter().map(left_out)).chain(set.secrets.iter().filter_map(reserved));
        self.not_said_before(notices)
    }

    /// Returns those of these notices that were not said before.
    pub(crate) fn not_said_before(&self, notices: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut notified = self.notified.borrow_mut();
        notices.into_iter().filter(|notice| notified.insert(notice.clone())).collect()
    }
}

/// Says of a secret that is delivered, and which an organization had to allow, what it does.
fn reserved(secret: &ResolvedSecret) -> Option<String> {
    let reserved = secret.target.check_delivery(secret.secret_id()).ok().flatten()?;
    let target = text::checked_target(&secret.target);
    Some(format!("{} ({target}) {}", secret.secret_id(), reserved.reason))
}

fn left_out(secret: &LeftOut) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("{} was left out: this version ({version}) does not know its {}", secret.secret_id, secret.unknown)
}
