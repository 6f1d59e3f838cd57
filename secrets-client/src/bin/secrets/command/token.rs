//! `token`: tokens of the caller, and of service accounts the caller manages.

use std::time::Duration;

use clap::{Args, Subcommand};
use prost_types::Timestamp;
use secrecy::ExposeSecret as _;
use secrets_client::v1;
use secrets_core::TokenName;
use serde_json::{Value, json};

use super::identifier::{self, Identifier};
use crate::app::{self, App, all_pages};
use crate::args::time;
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table, Tone};
use crate::ui::output::{self, text};
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    /// Create a token, and print it this once
    Create {
        #[command(flatten)]
        whose: WhoseArgs,
        /// Lifetime of the token, for instance 30d [default: 90d]
        #[arg(long, value_parser = time::duration)]
        ttl: Option<Duration>,
        /// Name of the token in the list of tokens
        #[arg(long, value_name = "NAME", alias = "display-name")]
        name: Option<String>,
    },
    /// List tokens, without the tokens themselves
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// End a token at once, with the sessions and the tokens of its owner that were created with it
    Revoke(RevokeArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// The token's name or identifier, as `token list` prints it
    token: String,
    #[command(flatten)]
    whose: WhoseArgs,
    /// Also end the tokens of service accounts that were created with it
    #[arg(long)]
    with_service_tokens: bool,
    /// End this token alone: its sessions go on with the token that its owner created with it
    #[arg(long, conflicts_with = "with_service_tokens")]
    alone: bool,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Whose tokens; without a flag, your own.
#[derive(Args, Debug)]
pub(crate) struct WhoseArgs {
    /// Of this service account [default: your own]
    #[arg(long, value_name = "SERVICE_ACCOUNT")]
    service_account: Option<String>,
    /// A service account of the platform
    #[arg(long, requires = "service_account")]
    platform: bool,
}

pub(crate) async fn run(app: &App, command: TokenCommand) -> Result<(), CliError> {
    match command {
        TokenCommand::Create { whose, ttl, name } => {
            let request = v1::CreateTokenRequest {
                principal: whose.principal(app).await?,
                display_name: name.unwrap_or_default(),
                ttl: time::ttl(ttl),
                ..Default::default()
            };
            create(app, request).await
        }
        TokenCommand::List { whose } => list(app, whose.principal(app).await?).await,
        TokenCommand::Revoke(args) => revoke(app, args).await,
    }
}

async fn revoke(app: &App, args: RevokeArgs) -> Result<(), CliError> {
    let request = v1::RevokeTokenRequest {
        name: path(app, &args.token, &args.whose).await?,
        with_service_tokens: args.with_service_tokens,
        alone: args.alone,
        ..Default::default()
    };
    if !args.yes {
        let preview = v1::RevokeTokenRequest { validate_only: true, ..request.clone() };
        let preview = app.client()?.revoke_token(preview).await?;
        mention(app, &preview, args.with_service_tokens);
        let question = format!("Revoke token {}? This {}, at once.", args.token, effect(&preview, "ends"));
        prompt::confirm_or_decline(&question, false, "Nothing was revoked.")?;
    }
    let revoked = app.client()?.revoke_token(request.clone()).await?;
    if args.yes {
        mention(app, &revoked, args.with_service_tokens);
    }
    let json = json!({
        "name": request.name,
        "revoked_sessions": revoked.revoked_sessions,
        "revoked_tokens": revoked.revoked_tokens,
        "revoked_invitations": revoked.revoked_invitations,
        "service_tokens": revoked.service_tokens.iter().map(output::json::token).collect::<Vec<_>>(),
        "moved_sessions": revoked.moved_sessions,
        "moved_to": (!revoked.moved_to.is_empty()).then_some(&revoked.moved_to),
    });
    app.output.done(&format!("Token revoked: this {}.", effect(&revoked, "ended")), &json)
}

/// `ends 9,214 sessions and 1 token`.
fn effect(revoked: &v1::RevokeTokenResponse, ends: &str) -> String {
    let count = |number: i32, noun| text::count(usize::try_from(number).unwrap_or(0), noun);
    let (sessions, tokens) = (count(revoked.revoked_sessions, "session"), count(revoked.revoked_tokens, "token"));
    let ended = match revoked.revoked_invitations {
        0 => format!("{ends} {sessions} and {tokens}"),
        open => format!("{ends} {sessions}, {tokens} and {}", count(open, "open invitation")),
    };
    match revoked.moved_sessions {
        0 => ended,
        moved => {
            let verb = if ends == "ends" { "gives" } else { "gave" };
            let to = text::token_id(&revoked.moved_to);
            format!("{ended}, and {verb} {} to token {to}", count(moved, "session"))
        }
    }
}

/// Names the tokens of others that were created with the token.
fn mention(app: &App, revoked: &v1::RevokeTokenResponse, end_too: bool) {
    let fate = if end_too { "ends too" } else { "goes on; --with-service-tokens ends it too" };
    for token in &revoked.service_tokens {
        let named = if token.display_name.is_empty() { String::new() } else { format!(" ({})", token.display_name) };
        let (whose, id) = (text::principal(&token.principal), text::token_id(&token.name));
        app.output.note(&format!("Token {id}{named} of {whose}, created with it, {fate}."));
    }
    let total = usize::try_from(revoked.total_service_tokens).unwrap_or(0);
    match total.saturating_sub(revoked.service_tokens.len()) {
        0 => {}
        more => app.output.note(&format!("Created with it, and not shown here: {}.", text::count(more, "token"))),
    }
}

async fn create(app: &App, request: v1::CreateTokenRequest) -> Result<(), CliError> {
    let client = app.client()?;
    let created = client.create_token(request).await?;
    let (token, details) = (created.secret.expose_secret(), &created.details);
    let sentence = format!(
        "Token of {}, expires {}. It is shown only this once.",
        text::principal(&details.principal),
        text::moment(details.expire_time.as_ref())
    );
    let json = output::json::with(output::json::token(details), "token", token);
    let printed = app.output.credential(&sentence, token, &json);
    let revoke = v1::RevokeTokenRequest { name: details.name.clone(), ..Default::default() };
    app::or_take_back(printed, "the token", async { Ok(client.revoke_token(revoke).await?) }).await
}

async fn tokens(app: &App, principal: String) -> Result<Vec<v1::Token>, CliError> {
    let client = app.client()?;
    all_pages(|page_token| {
        let request = v1::ListTokensRequest { principal: principal.clone(), page_token, ..Default::default() };
        async { client.list_tokens(request).await.map(|page| (page.tokens, page.next_page_token)) }
    })
    .await
}

async fn list(app: &App, principal: String) -> Result<(), CliError> {
    let tokens = tokens(app, principal).await?;
    let mut table = Table::new(["ID", "NAME", "OF", "ORIGIN", "CREATED", "EXPIRES", "LAST USED", "STATE"])
        .identifiers(&["ID"])
        .spare(&["LAST USED", "OF", "ORIGIN"], &["CREATED"]);
    for token in &tokens {
        table.row([
            text::token_id(&token.name).into(),
            token.display_name.clone().into(),
            text::principal(&token.principal).into(),
            text::token_origin(token.origin()).into(),
            Cell::time(token.create_time.as_ref()),
            Cell::time(token.expire_time.as_ref()),
            Cell::time(token.last_used_time.as_ref()),
            state(token.revoke_time.is_some(), token.expire_time.as_ref()),
        ]);
    }
    app.output.list(&table, Value::Array(tokens.iter().map(output::json::token).collect()), "No tokens.")
}

/// `revoked` or `expired`, as far as a credential has ended.
pub(super) fn state(is_revoked: bool, expire_time: Option<&Timestamp>) -> Cell {
    let is_expired = || expire_time.is_some_and(|time| time.seconds <= time::now().seconds);
    let state = match is_revoked {
        true => "revoked",
        false if is_expired() => "expired",
        false => return Cell::default(),
    };
    Cell::from(state).toned(Some(Tone::Bad))
}

/// The resource path of a token given by path or by its identifier alone.
async fn path(app: &App, token: &str, whose: &WhoseArgs) -> Result<String, CliError> {
    if token.contains('/') {
        return Ok(token.to_owned());
    }
    if token.contains('_') {
        return Err(CliError::usage("name the token by its identifier, not by itself")
            .hint("`secrets token list` prints the identifiers"));
    }
    let principal = whose.principal(app).await?;
    let uid = match identifier::parse(token, "token")? {
        Identifier::Whole(uid) => uid,
        Identifier::Beginning(beginning) => {
            let all = tokens(app, principal).await?;
            return identifier::only(beginning, all.into_iter().map(|token| token.name), "token");
        }
    };
    let platform = match principal.as_str() {
        "" => app.me().await?.organization.is_empty(),
        principal => principal.starts_with("serviceAccounts/"),
    };
    let organization = if platform { None } else { Some(app.organization().await?) };
    Ok(TokenName { organization, uid }.to_string())
}

impl WhoseArgs {
    /// Resource path of the service account; empty for the caller.
    async fn principal(&self, app: &App) -> Result<String, CliError> {
        match &self.service_account {
            None => Ok(String::new()),
            Some(account) => {
                let platform = app.means_platform(self.platform).await?;
                app.service_account(account.strip_prefix("service:").unwrap_or(account), platform).await
            }
        }
    }
}
