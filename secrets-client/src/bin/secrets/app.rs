//! What every command needs: settings, a client, who calls, and which organization, scope or context is meant.

mod asked;
pub(crate) mod audience;
mod deletable;
mod elsewhere;
pub(crate) mod fallback;
mod long_wait;
pub(crate) mod missing;
mod notices;
pub(crate) mod refusal;
pub(crate) mod resolve;
mod revisions;
pub(crate) mod secret_patch;
mod similar;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};

use prost::Message;
use secrecy::ExposeSecret as _;
use secrets_client::{
    Client, ClientBuilder, ClientError, Credential, Defaults, Endpoint, RetryPolicy, Settings, StoredToken,
    TokenLocation, v1,
};
use secrets_core::{CredentialKind, OrganizationId, ScopeName, ServiceAccountId, ServiceAccountName, UserId};

use self::asked::Asked;
pub(crate) use self::long_wait::LONG_WAIT;
use self::long_wait::LongWait;
use crate::args::scope::{ContextArgs, ScopeArgs};
use crate::keyring::{self, KeyringError, Unlocking};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{Output, text};

/// More than an organization's largest list takes.
const MAX_LIST_BYTES: usize = if cfg!(test) { 1 << 20 } else { 256 << 20 };
/// More pages than an organization's largest list has.
const MAX_PAGES: usize = 10_000;
/// Set for a program that `secrets run` keeps its token from, so that a `secrets` in it can say why it has none.
pub(crate) const TOKEN_WITHHELD: &str = "SECRETS_RUN_WITHOUT_TOKEN";
/// The operator as a principal's resource path.
const OPERATOR: &str = "operator";

pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) output: Output,
    /// What its calls are for.
    purpose: v1::CallPurpose,
    /// `--organization`.
    organization: Option<OrganizationId>,
    /// Where the revisions of the last changes are kept.
    state: Option<PathBuf>,
    client: OnceCell<Client>,
    /// What the keyring gave, where the token is there.
    from_keyring: OnceCell<Result<Credential, KeyringError>>,
    me: OnceCell<v1::WhoAmIResponse>,
    asked: RefCell<Asked>,
    /// What was said about the sets so far.
    notified: RefCell<BTreeSet<String>>,
    /// Whether warnings about the sign-in were printed.
    warned_of_sign_in: Cell<bool>,
    long_wait: LongWait,
}

impl App {
    pub(crate) fn new(settings: Settings, output: Output, organization: Option<OrganizationId>) -> Self {
        let state = revisions::path(|name| std::env::var(name).ok());
        Self {
            settings,
            output,
            purpose: v1::CallPurpose::Unspecified,
            organization,
            state,
            client: OnceCell::new(),
            from_keyring: OnceCell::new(),
            me: OnceCell::new(),
            asked: RefCell::default(),
            notified: RefCell::default(),
            warned_of_sign_in: Cell::new(false),
            long_wait: LongWait::new(output),
        }
    }

    /// Where the user's own configuration is kept.
    pub(crate) fn config_path(&self) -> Result<&Path, CliError> {
        self.settings.config_path.as_deref().ok_or_else(|| secrets_client::ConfigError::NoHome.into())
    }

    /// Where what commands remember is kept, if there is a place for it.
    pub(crate) fn state_directory(&self) -> Option<&Path> {
        self.state.as_deref().and_then(Path::parent)
    }

    /// What whoever is invited types, wherever they are: at another address than the usual one, that too.
    pub(crate) fn sign_in_command(&self) -> String {
        let endpoint = &self.settings.endpoint;
        if *endpoint == Endpoint::default() {
            return "secrets login".to_owned();
        }
        format!("secrets login --endpoint {endpoint}")
    }

    /// The same for calls that say what they are for.
    pub(crate) fn with_purpose(self, purpose: v1::CallPurpose) -> Self {
        Self { purpose, ..self }
    }

    /// The client, once there is a credential to show.
    pub(crate) fn client(&self) -> Result<&Client, CliError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        self.check_token()?;
        let credential = self.credential();
        match credential.map(Credential::kind) {
            None => return Err(not_signed_in(&self.settings)),
            Some(Some(kind)) if kind.is_code() => {
                return Err(CliError::new(ExitCode::NotAllowed, "this is a code, not a token")
                    .hint("`secrets login` asks for it, and redeems it"));
            }
            Some(_) => {}
        }
        let known = self.state.as_deref().map(|path| revisions::load(path, self.settings.endpoint.as_str()));
        let mut builder = self.settings.connection()?.purpose(self.purpose);
        if let Some(credential) = credential {
            builder = builder.credential(credential.clone());
        }
        let client = self.patient(builder).revisions(known.unwrap_or_default()).build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Asks the keyring for the token, if it is there.
    pub(crate) async fn read_token(&self, unlocking: Unlocking) {
        if let Some(item) = &self.settings.keyring_item
            && self.from_keyring.get().is_none()
        {
            let _ = self.from_keyring.set(keyring::read(item, unlocking).await);
        }
    }

    /// The token, if there is one that can be read.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        let from_keyring = || self.from_keyring.get()?.as_ref().ok();
        self.settings.credential.as_ref().or_else(from_keyring)
    }

    /// Fails if the token is in a keyring that does not give it: that is another thing than not to be signed in.
    pub(crate) fn check_token(&self) -> Result<(), CliError> {
        match (&self.settings.keyring_item, self.from_keyring.get()) {
            (None, _) | (Some(_), Some(Ok(_))) => Ok(()),
            (Some(_), Some(Err(error))) => Err(error.clone().into()),
            (Some(_), None) => Err(CliError::new(ExitCode::Unavailable, "the keyring was not asked for the token")),
        }
    }

    /// A token that a login stored, wherever that is.
    pub(crate) async fn stored_token(
        &self,
        stored: &StoredToken,
        unlocking: Unlocking,
    ) -> Result<Credential, CliError> {
        match &stored.token {
            TokenLocation::File(token) => {
                Credential::parse(token.expose_secret()).map_err(|error| CliError::usage(error.to_string()))
            }
            TokenLocation::Keyring(item) => Ok(keyring::read(item, unlocking).await?),
        }
    }

    /// Deletes from the keyring what the configuration does not name any more.
    pub(crate) async fn forget(&self, stored: &StoredToken) {
        let Some(item) = stored.keyring_item() else { return };
        if let Err(error) = keyring::delete(item, Unlocking::on_terminal()).await {
            self.output.warn(&format!(
                "the token is still in the keyring: {error}; your desktop's password manager deletes it (`secrets-item` {item})"
            ));
        }
    }

    /// A person waits about two seconds for a service that restarts, and then wants to know that it does not answer; for one
    /// that does not even connect no longer than a connection may take. Where an answer takes longer, a line says so.
    pub(crate) fn patient(&self, builder: ClientBuilder) -> ClientBuilder {
        self.long_wait.noticed_by(builder).retry(RetryPolicy {
            attempts: 6,
            unanswered_connections: 1,
            ..RetryPolicy::default()
        })
    }

    /// Says from now on nothing of a service that takes long to answer: the terminal is a program's, or something else comes
    /// in the place of its answer.
    pub(crate) fn wait_silently(&self) {
        self.long_wait.silence();
    }

    /// Says that the service has not answered yet, unless that was said before.
    pub(crate) fn say_still_waiting(&self) {
        self.long_wait.say(self.settings.endpoint.as_str());
    }

    /// Keeps what this command changed, for the next one to read it.
    pub(crate) fn keep_revisions(&self) {
        let (Some(client), Some(path)) = (self.client.get(), self.state.as_deref()) else { return };
        let (known, now) = (revisions::load(path, self.settings.endpoint.as_str()), client.revisions());
        if now != known {
            revisions::save(path, self.settings.endpoint.as_str(), &now);
        }
    }

    /// Warns once of a sign-in that ends within 14 days, and of a recovery code that was used within the last 14, if the service
    /// has said so.
    pub(crate) fn warn_of_sign_in(&self) {
        let Some(client) = self.client.get() else { return };
        let (end, recovery) = (client.sign_in_end(), client.recovery());
        if (end.is_none() && recovery.is_none()) || self.warned_of_sign_in.replace(true) {
            return;
        }
        if let Some(end) = end {
            let end = text::moment(Some(&end));
            self.output.warn(&format!("your sign-in ends at {end}; `secrets login --renew` renews it"));
        }
        if let Some(time) = recovery {
            let time = text::moment(Some(&time));
            self.output.warn(&format!(
                "one of your recovery codes was used at {time}; if that was not you, `secrets login --recovery` with another one ends what \
                 was signed in with it"
            ));
        }
    }

    /// What the prefix of the caller's token says; none without a token, or for one of another issuer.
    pub(crate) fn credential_kind(&self) -> Option<CredentialKind> {
        self.credential().and_then(Credential::kind)
    }

    /// Who calls, asked once.
    pub(crate) async fn me(&self) -> Result<&v1::WhoAmIResponse, CliError> {
        if let Some(me) = self.me.get() {
            return Ok(me);
        }
        let me = self.client()?.who_am_i(v1::WhoAmIRequest {}).await?;
        Ok(self.me.get_or_init(|| me))
    }

    /// Resource path of who calls: known since the login, or asked.
    async fn principal_path(&self) -> Result<&str, CliError> {
        let stored = self.settings.own().and_then(|own| own.token.as_ref()).filter(|_| self.settings.signed_in);
        match stored.and_then(|stored| stored.principal.as_deref()) {
            Some(principal) => Ok(principal),
            None => Ok(&self.me().await?.principal),
        }
    }

    /// `--organization`, if it was given.
    pub(crate) fn organization_flag(&self) -> Option<&OrganizationId> {
        self.organization.as_ref()
    }

    /// The organization that is meant: a flag's, the environment's, the repository's, the caller's own, or the configured
    /// one. What the configuration says goes with the token that a login left there, and comes last for any other.
    pub(crate) async fn organization(&self) -> Result<OrganizationId, CliError> {
        self.known_organization().await?.ok_or_else(|| {
            CliError::usage("no organization is named").hint("name one with --organization or SECRETS_ORGANIZATION")
        })
    }

    /// The same, if one is meant: the platform's own accounts belong to none.
    async fn known_organization(&self) -> Result<Option<OrganizationId>, CliError> {
        if let Some(organization) = &self.organization {
            return Ok(Some(organization.clone()));
        }
        let configured = self.settings.own().and_then(|own| own.organization.as_ref());
        let named = self.settings.layers.split_last().and_then(|(own, nearer)| {
            let nearer = nearer.iter().find_map(|layer| layer.organization.clone());
            nearer.or_else(|| own.organization.clone().filter(|_| self.settings.signed_in))
        });
        let organization = match named {
            Some(organization) => organization,
            None => match (self.me().await?.organization.as_str(), configured) {
                ("", None) => return Ok(None),
                ("", Some(configured)) => configured.clone(),
                (organization, _) => organization.to_owned(),
            },
        };
        let parsed = organization.parse();
        parsed.map(Some).map_err(|error| CliError::usage(format!("organization `{organization}`: {error}")))
    }

    /// Resource paths of the organization that is meant, or of all that the caller sees when none is.
    pub(crate) async fn organization_paths(&self) -> Result<Vec<String>, CliError> {
        if let Some(organization) = self.known_organization().await? {
            return Ok(vec![ScopeName::Organization(organization).to_string()]);
        }
        Ok(self.organizations().await?.into_iter().map(|organization| organization.name).collect())
    }

    /// The organizations that the caller sees.
    pub(crate) async fn organizations(&self) -> Result<Vec<v1::Organization>, CliError> {
        let client = self.client()?;
        all_pages(|page_token| {
            let request = v1::ListOrganizationsRequest { page_token, ..Default::default() };
            async { client.list_organizations(request).await.map(|page| (page.organizations, page.next_page_token)) }
        })
        .await
    }

    /// `organizations/O`.
    pub(crate) async fn organization_path(&self) -> Result<String, CliError> {
        Ok(self.asked_name(ScopeName::Organization(self.organization().await?)))
    }

    /// The scope that the flags mean; without one, the caller's own.
    pub(crate) async fn scope(&self, args: &ScopeArgs) -> Result<ScopeName, CliError> {
        let scope = self.located(args).await?;
        self.asks(&scope);
        Ok(scope)
    }

    async fn located(&self, args: &ScopeArgs) -> Result<ScopeName, CliError> {
        if !args.is_own() {
            let organization = self.organization().await?;
            return args.named(organization).ok_or_else(|| CliError::usage("no scope is named"));
        }
        match self.principal_path().await?.parse() {
            Ok(ScopeName::User(organization, user)) => {
                Ok(ScopeName::User(self.organization.clone().unwrap_or(organization), user))
            }
            _ if self.credential_kind() == Some(CredentialKind::Session) => {
                Err(CliError::new(ExitCode::NotAllowed, refusal::OF_SESSION)
                    .hint("`secrets resolve` shows which secrets these are"))
            }
            _ => Err(CliError::usage("this credential does not belong to a person, so it has no secrets of its own")
                .hint("name a scope with --org, --project or --workspace")),
        }
    }

    /// The context that the flags mean; none for a session that names nothing, which has one of its own.
    pub(crate) async fn context(&self, args: &ContextArgs) -> Result<Option<v1::Context>, CliError> {
        let context = self.named_context(args).await?;
        if let Some(context) = &context {
            self.asks_context(context);
        }
        Ok(context)
    }

    async fn named_context(&self, args: &ContextArgs) -> Result<Option<v1::Context>, CliError> {
        let is_session = self.credential_kind() == Some(CredentialKind::Session);
        if is_session && args.is_empty() && self.organization.is_none() {
            return Ok(None);
        }
        if is_session {
            // Flags can only repeat the session's own context; the service refuses another one.
            let own = self.me().await?.context.clone().unwrap_or_default();
            let organization = self.organization.as_ref().map_or(own.organization, ToString::to_string);
            return Ok(Some(v1::Context { user: own.user, ..args.context(organization, &Defaults::default()) }));
        }
        let organization = self.organization().await?.to_string();
        Ok(Some(args.context(organization, &self.defaults())))
    }

    /// The project and workspace that are meant when none is named.
    pub(crate) fn defaults(&self) -> Defaults {
        Defaults::merged(&self.settings.layers)
    }

    /// A user or service account as it is typed, as a resource path: `bob`, `service:ci`, or a path.
    pub(crate) async fn principal(&self, typed: &str, platform: bool) -> Result<String, CliError> {
        if let Some(account) = typed.strip_prefix("service:") {
            return self.service_account(account, platform).await;
        }
        if typed.contains('/') {
            return Ok(typed.to_owned());
        }
        let user: UserId = typed
            .strip_prefix("user:")
            .unwrap_or(typed)
            .parse()
            .map_err(|error| CliError::usage(format!("{error}")))?;
        let user = ScopeName::User(self.organization().await?, user);
        self.asks(&user);
        Ok(user.to_string())
    }

    /// A service account as it is typed, as a resource path.
    pub(crate) async fn service_account(&self, typed: &str, platform: bool) -> Result<String, CliError> {
        if typed.contains('/') {
            return Ok(typed.to_owned());
        }
        let id: ServiceAccountId = typed.parse().map_err(|error| CliError::usage(format!("{error}")))?;
        let organization = if platform { None } else { Some(self.organization().await?) };
        Ok(ServiceAccountName { organization, id }.to_string())
    }

    /// Whether the platform is meant, rather than an organization: a flag says so, or the operator names none.
    pub(crate) async fn means_platform(&self, flag: bool) -> Result<bool, CliError> {
        Ok(flag || (self.organization.is_none() && self.principal_path().await? == OPERATOR))
    }
}

/// There is no token for this endpoint: says where there is one.
pub(crate) fn not_signed_in(settings: &Settings) -> CliError {
    let error = CliError::new(ExitCode::NotAllowed, format!("not signed in at {}", settings.endpoint));
    let mut profiles = settings.config.profiles.iter();
    if let Some((name, _)) = profiles.find(|(_, profile)| profile.token_for(&settings.endpoint).is_some()) {
        return error.hint(format!("profile {name} is signed in there: --profile {name}"));
    }
    if std::env::var_os(TOKEN_WITHHELD).is_some() {
        return error.hint(
            "`secrets run` keeps its token from the program that it starts; `secrets run --pass-session` passes a session's on, \
             for an agent that asks the service itself",
        );
    }
    match settings.own().and_then(|own| own.token.as_ref()) {
        Some(StoredToken { endpoint, .. }) => error.hint(format!(
            "your token was made at {endpoint}, and is sent nowhere else; `secrets login --endpoint {}` signs in here",
            settings.endpoint
        )),
        None => error.hint("`secrets login` asks for an invitation's code or a token; or set SECRETS_TOKEN"),
    }
}

/// What was created and then could be neither printed nor stored is known to nobody, and valid: it is taken back.
pub(crate) async fn or_take_back<T>(
    kept: Result<(), CliError>,
    what: &str,
    revoke: impl Future<Output = Result<T, CliError>>,
) -> Result<(), CliError> {
    let Err(error) = kept else { return Ok(()) };
    let lost = match revoke.await {
        Ok(_) => format!("{}; {what} was revoked, since nobody has it", error.message()),
        Err(revoking) => format!("{}; {what} is valid all the same: {}", error.message(), revoking.message()),
    };
    Err(CliError::new(error.exit, lost))
}

/// All items of a paged list, which a service can't make endless.
pub(crate) async fn all_pages<T, F, Fut>(mut page: F) -> Result<Vec<T>, CliError>
where
    T: Message,
    F: FnMut(String) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, String), ClientError>>,
{
    let (mut all, mut next) = page(String::new()).await?;
    let (mut bytes, mut pages) = (encoded_bytes(&all), 1);
    while !next.is_empty() {
        let (items, after) = page(next).await?;
        bytes += encoded_bytes(&items);
        pages += 1;
        if bytes > MAX_LIST_BYTES || pages > MAX_PAGES {
            return Err(CliError::new(ExitCode::Failed, "the service's list is longer than any should be"));
        }
        all.extend(items);
        next = after;
    }
    Ok(all)
}

fn encoded_bytes(items: &[impl Message]) -> usize {
    items.iter().map(Message::encoded_len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_all_pages() {
        let pages = |token: String| async move {
            Ok(match token.as_str() {
                "" => (vec![1_u32, 2], "second".to_owned()),
                "second" => (vec![], "third".to_owned()),
                _ => (vec![3], String::new()),
            })
        };
        assert_eq!(all_pages(pages).await.unwrap(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn ends_a_list_that_has_no_end() {
        let empty = |_: String| async { Ok((Vec::<u32>::new(), "next".to_owned())) };
        let full = |_: String| async { Ok((vec!["x".repeat(300_000)], "next".to_owned())) };
        assert!(all_pages(empty).await.is_err() && all_pages(full).await.is_err());
    }
}
