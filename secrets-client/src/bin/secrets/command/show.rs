//! `show`: a secret's metadata.

use clap::Args;
use secrets_client::v1;
use secrets_core::MASK;

use super::list::{has_expired, reach};
use crate::app::App;
use crate::args::scope::ScopeArgs;
use crate::ui::error::CliError;
use crate::ui::output::{json, text};

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) async fn show(app: &App, args: ShowArgs) -> Result<(), CliError> {
    let scope = app.scope(&args.scope).await?;
    let secret = app.secret(&scope, &args.name).await?;
    let labels: Vec<String> = secret.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let yes = |flag: bool| if flag { "yes" } else { "" }.to_owned();
    let who = |time, who: &str| format!("{} by {}", text::moment(time), text::principal(who));
    app.output.fields(
        &[
            ("name", secret.secret_id.clone()),
            ("resource", secret.name.clone()),
            ("scope", text::scope_of(&secret.name)),
            ("target", text::target(secret.target.as_ref())),
            ("value", MASK.to_owned()),
            ("version", secret.current_version.to_string()),
            ("description", secret.description.clone()),
            ("labels", labels.join(", ")),
            ("group", secret.group.clone()),
            ("reaches", reach(&secret)),
            ("locked", yes(secret.override_policy() == v1::OverridePolicy::Locked)),
            ("disabled", yes(secret.disabled)),
            ("unredacted", yes(secret.redaction() == v1::Redaction::Off)),
            ("expires", expiry(&secret)),
            ("created", who(secret.create_time.as_ref(), &secret.creator)),
            ("changed", who(secret.update_time.as_ref(), &secret.updater)),
        ],
        &json::secret(&secret),
    )
}

/// When the secret expires, and whether it has.
fn expiry(secret: &v1::Secret) -> String {
    let moment = text::moment(secret.expire_time.as_ref());
    if has_expired(secret) { format!("{moment} (expired)") } else { moment }
}
