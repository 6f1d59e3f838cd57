//! `user`: people in an organization.

use std::time::Duration;

use clap::Subcommand;
use secrecy::ExposeSecret as _;
use secrets_client::{Reason, v1};
use secrets_core::{DELETED_KEPT_DAYS, OrganizationName, ScopeName, UserId};
use serde_json::{Value, json};

use crate::app::{self, App, all_pages, audience};
use crate::args::time;
use crate::ui::error::CliError;
use crate::ui::output::table::{Cell, Table};
use crate::ui::output::{self, text};
use crate::ui::prompt;

/// How long a code can be redeemed that is made to end another one.
const LAST_CODE_TTL: Duration = Duration::from_secs(1);

#[derive(Subcommand, Debug)]
pub(crate) enum UserCommand {
    /// Invite a person, and print the invitation code
    Invite {
        /// Their identifier, for instance bob or bob@example.com
        user_id: UserId,
        /// How long the code can be redeemed [default: 7d]
        #[arg(long, value_parser = time::duration)]
        ttl: Option<Duration>,
        /// Invite somebody again who has secrets, and destroy these
        #[arg(long)]
        destroy_secrets: bool,
    },
    /// Create a user without an invitation
    Create {
        /// Their identifier
        user_id: UserId,
        /// Name that people read
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// List the users you may see
    #[command(visible_alias = "ls")]
    List,
    /// Show a user
    Show {
        /// Their identifier
        user_id: UserId,
    },
    /// Delete a user; their tokens and sessions end at once, and their own secrets are destroyed later
    Delete {
        /// Their identifier
        user_id: UserId,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

async fn invite(app: &App, user_id: &UserId, request: v1::CreateInvitationRequest) -> Result<(), CliError> {
    let client = app.client()?;
    // Inviting again ends the code before it; nobody sees the new one, which expires in a second.
    let again =
        v1::CreateInvitationRequest { ttl: time::ttl(Some(LAST_CODE_TTL)), destroy_secrets: false, ..request.clone() };
    let invitation = client.create_invitation(request).await.map_err(|error| {
        let has_secrets = error.reason() == Some(Reason::UserHasSecrets);
        let error = CliError::from(error);
        match has_secrets {
            true => error.with_message(format!(
                "{user_id} has secrets, or owns a workspace that has, and whoever redeems a new code would get them"
            )),
            false => error,
        }
    })?;
    let code = invitation.secret.expose_secret();
    let until = text::moment(invitation.details.expire_time.as_ref());
    let sentence = format!("{user_id} signs in with this code until {until}: {}", app.sign_in_command());
    if let Some(ended) = &invitation.details.ended {
        app.output.note(&format!("{}.", text::invitation_ended(ended, &format!("This ended what {user_id} had"))));
    }
    let printed = app.output.credential(&sentence, code, &output::json::invitation(&invitation.details, code));
    app::or_take_back(printed, "the code", async { Ok(client.create_invitation(again).await?) }).await.map_err(
        |error| {
            error.hint(format!(
                "invite {user_id} again: whatever they signed in with before has ended with the invitation"
            ))
        },
    )
}

pub(crate) async fn run(app: &App, command: UserCommand) -> Result<(), CliError> {
    let organization = app.organization().await?;
    let parent = OrganizationName::new(organization.clone()).to_string();
    let client = app.client()?;
    match command {
        UserCommand::Invite { user_id, ttl, destroy_secrets } => {
            if destroy_secrets && prompt::stdin_is_terminal() {
                let question = format!(
                    "Invite {user_id} to organization {organization} again? Their own secrets are destroyed, which can't be undone."
                );
                prompt::confirm_by_name(&question, user_id.as_str(), "Nobody was invited.")?;
            }
            let request = v1::CreateInvitationRequest {
                parent,
                user_id: user_id.to_string(),
                ttl: time::ttl(ttl),
                destroy_secrets,
                ..Default::default()
            };
            invite(app, &user_id, request).await
        }
        UserCommand::Create { user_id, display_name } => {
            let user = v1::User { display_name: display_name.unwrap_or_default(), ..Default::default() };
            let request =
                v1::CreateUserRequest { parent, user_id: user_id.to_string(), user: Some(user), ..Default::default() };
            let user = client.create_user(request).await?.user.unwrap_or_default();
            let sentence = format!("User {user_id} created; `secrets user invite {user_id}` lets them sign in.");
            app.output.done(&sentence, &output::json::user(&user))
        }
        UserCommand::List => {
            let users = all_pages(|page_token| {
                let request = v1::ListUsersRequest { parent: parent.clone(), page_token, ..Default::default() };
                async { client.list_users(request).await.map(|page| (page.users, page.next_page_token)) }
            })
            .await?;
            let mut table = Table::new(["NAME", "STATE", "DISPLAY NAME", "CREATED"]);
            for user in &users {
                table.row([
                    user.user_id.clone().into(),
                    state(user).into(),
                    user.display_name.clone().into(),
                    Cell::time(user.create_time.as_ref()),
                ]);
            }
            let json = Value::Array(users.iter().map(output::json::user).collect());
            app.output.list(&table, json, "No users.")
        }
        UserCommand::Show { user_id } => {
            let name = app.asked_name(ScopeName::User(organization, user_id));
            let user = client.get_user(v1::GetUserRequest { name }).await?.user.unwrap_or_default();
            app.output.fields(
                &[
                    ("name", user.user_id.clone()),
                    ("resource", user.name.clone()),
                    ("state", state(&user).to_owned()),
                    ("display name", user.display_name.clone()),
                    ("created", text::moment(user.create_time.as_ref())),
                ],
                &output::json::user(&user),
            )
        }
        UserCommand::Delete { user_id, yes } => {
            let scope = ScopeName::User(organization.clone(), user_id.clone());
            if !yes {
                app.check_deletable(&scope).await?;
                let is_theirs = |workspace: &v1::Workspace| workspace.owner == user_id.as_str();
                let owned = audience::workspaces(app, &parent, is_theirs).await.filter(|owned| *owned > 0);
                let left = owned.map(|owned| format!(", {} will have no owner", text::count(owned, "workspace")));
                let question = format!(
                    "Delete user {user_id} of organization {organization}? Their tokens and sessions end at once{}, and their own \
                     secrets are destroyed in {DELETED_KEPT_DAYS} days. This can't be undone.",
                    left.unwrap_or_default()
                );
                prompt::confirm_by_name(&question, user_id.as_str(), "Nobody was deleted.")?;
            }
            let name = app.asked_name(scope);
            client.delete_user(v1::DeleteUserRequest { name: name.clone(), ..Default::default() }).await?;
            let sentence = format!(
                "User {user_id} deleted: their tokens and sessions have ended, and their own secrets are destroyed in \
                 {DELETED_KEPT_DAYS} days."
            );
            app.output.done(&sentence, &json!({ "name": name }))
        }
    }
}

fn state(user: &v1::User) -> &'static str {
    match user.state() {
        v1::UserState::Invited => "invited",
        v1::UserState::Active => "active",
        v1::UserState::Unspecified => "",
    }
}
