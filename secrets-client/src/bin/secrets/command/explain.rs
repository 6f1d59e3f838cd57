//! `explain`: what a context gets, and why not something else. Never a value.

use clap::Args;
use secrets_client::v1;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::refusal::Refusal;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::{Cell, Table, Tone};
use crate::ui::output::{self, text};

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// Only these names [default: all]
    names: Vec<String>,
    #[command(flatten)]
    context: ContextArgs,
    /// Leave out the user's own secrets, as an admin must
    #[arg(long)]
    without_user: bool,
}

pub(crate) async fn explain(app: &App, args: ExplainArgs) -> Result<(), CliError> {
    for name in &args.names {
        scope::parse_name(name)?;
    }
    let request = v1::ExplainRequest {
        context: app.context(&args.context).await?,
        secret_ids: args.names.clone(),
        without_user: args.without_user,
        ..Default::default()
    };
    let answer = app.client()?.explain(request).await.map_err(|error| match CliError::from(error) {
        // Only whoever may know the context is told which right is missing.
        denied if denied.answer().is_some_and(|answer| Refusal::read(answer).is_some()) && !args.without_user => {
            denied.hint("members of the project or workspace may; an admin of the organization may with --without-user")
        }
        error => error,
    })?;
    if answer.without_user && !app.output.is_json() {
        app.output.note("Shown without a user, whose own secrets may win.");
    }
    let json = json!({
        "explanations": answer.explanations.iter().map(output::json::explanation).collect::<Vec<Value>>(),
        "context": output::json::context(answer.context.as_ref()),
        "without_user": answer.without_user,
        "next_change_time": output::json::time(answer.next_change_time.as_ref()),
        "revision": answer.revision,
        "resolvers": answer.resolvers.iter().map(output::json::binding).collect::<Vec<Value>>(),
    });
    if args.names.is_empty() || !answer.explanations.is_empty() || app.output.is_json() {
        app.output.list(&table(&answer.explanations), json, "This context gets no secrets.")?;
    }
    for resolver in answer.resolvers.iter().filter(|_| !app.output.is_json()) {
        app.output.note(&text::resolver(resolver, "this workspace gets"));
    }
    let found = |name: &String| answer.explanations.iter().any(|row| row.secret_id == *name);
    match args.names.iter().find(|name| !found(name)) {
        Some(name) => {
            let error = CliError::new(ExitCode::NotFound, format!("there is no {name} in any scope of this context"));
            Err(error.or_hint(app.meant_in_context(name).await))
        }
        None => Ok(()),
    }
}

fn table(explanations: &[v1::Explanation]) -> Table {
    let mut table = Table::new(["NAME", "FROM", "TARGET", "NOT CHOSEN", "DESCRIPTION"])
        .spare(&[], &["TARGET", "DESCRIPTION"])
        .wrapped(&["NOT CHOSEN"]);
    for row in explanations {
        let winner = row.winner.as_ref();
        let not_chosen: Vec<String> = row.not_chosen.iter().map(not_chosen).collect();
        table.row([
            row.secret_id.clone().into(),
            match winner {
                Some(winner) => text::scope_of(&winner.secret).into(),
                None => Cell::from("nowhere").toned(Some(Tone::Bad)),
            },
            winner.map(|winner| text::target(winner.target.as_ref())).unwrap_or_default().into(),
            not_chosen.join("; ").into(),
            winner.map(|winner| winner.description.clone()).unwrap_or_default().into(),
        ]);
    }
    table
}

/// `organization: lower precedence`, with the name of what stands in its way where that is another one.
fn not_chosen(other: &v1::NotChosen) -> String {
    let path = other.secret.as_ref().map(|secret| secret.secret.as_str()).unwrap_or_default();
    let mut shown = format!("{}: {}", text::scope_of(path), text::not_chosen(other.reason()));
    let blocker = text::secret_id(&other.blocked_by);
    if !blocker.is_empty() && blocker != text::secret_id(path) {
        shown.push_str(&format!(" as {blocker} ({})", text::scope_of(&other.blocked_by)));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(secret: &str, description: &str) -> v1::ExplainedSecret {
        v1::ExplainedSecret { secret: secret.into(), description: description.into(), ..Default::default() }
    }

    #[test]
    fn says_where_a_name_comes_from_and_what_lost() {
        let row = v1::Explanation {
            secret_id: "LINEAR_API_KEY".into(),
            winner: Some(explained("organizations/acme/users/bob/secrets/LINEAR_API_KEY", "mine")),
            not_chosen: vec![
                v1::NotChosen {
                    secret: Some(explained("organizations/acme/secrets/LINEAR_API_KEY", "")),
                    reason: v1::NotChosenReason::LowerPrecedence.into(),
                    blocked_by: "organizations/acme/users/bob/secrets/LINEAR_API_KEY".into(),
                },
                v1::NotChosen {
                    secret: Some(explained("organizations/acme/projects/api/secrets/KEY_FILE", "")),
                    reason: v1::NotChosenReason::SameTarget.into(),
                    blocked_by: "organizations/acme/users/bob/secrets/LINEAR_API_KEY".into(),
                },
            ],
        };
        let lines = table(&[row]).render(None, false);
        assert!(lines.contains(
            "LINEAR_API_KEY  user bob  variable  organization: lower precedence; \
             project api: same target as LINEAR_API_KEY (user bob)  mine"
        ));
    }

    #[test]
    fn says_that_nothing_wins() {
        let row = v1::Explanation { secret_id: "A".into(), ..Default::default() };
        assert!(table(&[row]).render(None, false).contains("A     nowhere"));
    }
}
