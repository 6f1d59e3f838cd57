//! The commands and what is common to all of them.

use clap::{CommandFactory as _, Parser, Subcommand};
use secrets_client::{Config, Settings};

use crate::app::App;
use crate::args::global::Global;
use crate::command::{
    audit, check, completion, config, copy, diff, doctor, edit, explain, get, help, history, hook, import, init, list,
    login, logout, man, materialize, member, organization, profile, project, redact, resolve, rm, run, service_account,
    session, set, show, token, user, wait, workspace,
};
use crate::keyring::Unlocking;
use crate::ui::error::CliError;
use crate::ui::output::Output;

/// The version and, where `make build` says which it is, the build.
const VERSION: &str = match option_env!("SECRETS_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// Stores secrets, and gives each program the ones that it needs.
#[derive(Parser, Debug)]
#[command(name = "secrets", version = VERSION, infer_subcommands = false, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Sign in with an invitation code or a token
    Login(login::LoginArgs),
    /// Sign out: end the stored token, and forget it
    Logout,
    /// List, choose and remove your accounts at services
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Show who you are and which roles you have
    Whoami,
    /// Read and change your own configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),

    /// Write a secrets.toml for this directory
    Init(init::InitArgs),

    /// Create a secret, or give it a new value
    Set(set::SetArgs),
    /// List secrets, without their values
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Show a secret's metadata, without its value
    Show(show::ShowArgs),
    /// Show one secret of a context; its value only on request
    Get(get::GetArgs),
    /// Change a secret's metadata or value
    Edit(edit::EditArgs),
    /// Copy a secret into another scope, with its value
    Cp(copy::CopyArgs),
    /// Move a secret into another scope, with its value
    Mv(copy::CopyArgs),
    /// Delete secrets
    Rm(rm::RmArgs),
    /// Restore a deleted secret
    Undelete(rm::UndeleteArgs),
    /// List a secret's versions
    History(history::HistoryArgs),
    /// Restore an old version of a secret
    Rollback(history::RollbackArgs),
    /// Import a .env, JSON or YAML file, after a review
    Import(import::ImportArgs),

    /// Show where two scopes or contexts differ, without values
    Diff(diff::DiffArgs),
    /// Show the secrets that a context gets; values only on request
    Resolve(resolve::ResolveArgs),
    /// Show which secrets a context gets, and why
    Explain(explain::ExplainArgs),
    /// Check that secrets are there; show how to set missing ones
    Check(check::CheckArgs),
    /// Wait until a context has certain secrets
    Wait(wait::WaitArgs),
    /// Run a program with its secrets in the environment
    Run(run::RunArgs),
    /// Write the secrets of a context into a directory
    Materialize(materialize::MaterializeArgs),
    /// Mask a context's secrets in a pipe
    Redact(redact::RedactArgs),

    /// Manage organizations
    #[command(subcommand)]
    Org(organization::OrganizationCommand),
    /// Manage people
    #[command(subcommand)]
    User(user::UserCommand),
    /// Manage projects
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Manage workspaces
    #[command(subcommand)]
    Workspace(workspace::WorkspaceCommand),
    /// Manage roles: who may do what, and where
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Manage service accounts: the identities of programs
    #[command(subcommand)]
    ServiceAccount(service_account::ServiceAccountCommand),
    /// Manage tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Manage sessions: tokens for exactly one context
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Show who did what, and who received which secret
    #[command(subcommand)]
    Audit(audit::AuditCommand),

    /// Find problems between this machine and the service
    Doctor,
    /// Let a shell load a directory's variables
    #[command(subcommand)]
    Hook(hook::HookCommand),
    /// Print what lets a shell complete commands, flags and names
    Completion(completion::CompletionArgs),
    /// Print a manual page, or write all of them
    Man(man::ManArgs),
    /// Show the help of a command, or explain the words they use
    Help(help::HelpArgs),
}

/// Runs the command; the code is 0 or, from `run`, the program's own.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<u8, CliError> {
    let may_create = matches!(arguments.command, Command::Login(_) | Command::Profile(_));
    let choice = arguments.global.choice(may_create)?;
    let settings = Settings::from_environment_with(choice);
    // What needs neither settings nor a service works where those are broken.
    match &arguments.command {
        Command::Completion(args) => return completion::completion(output, args).map(|()| 0),
        Command::Help(args) => return help::help(output, args).map(|()| 0),
        Command::Man(args) => return man::man(output, Arguments::command(), args).map(|()| 0),
        Command::Config(config::ConfigCommand::Path) => return config::path(output).map(|()| 0),
        _ => {}
    }
    if let Command::Hook(command) = &arguments.command
        && let Some(printed) = hook::script(output, command)
    {
        return printed.map(|()| 0);
    }
    if matches!(arguments.command, Command::Doctor) {
        return doctor::doctor(settings, output).await.map(|()| 0);
    }
    let is_run = matches!(arguments.command, Command::Run(_));
    let mut settings = settings.map_err(|error| match CliError::from(error) {
        error if is_run => error.with_exit(crate::ui::error::ExitCode::NotStarted),
        error => error,
    })?;
    if let Command::Login(login::LoginArgs { ca_file: Some(file), .. }) = &arguments.command {
        settings.given_ca_file = Some(file.clone());
    }
    let is_asked_by_shell = matches!(arguments.command, Command::Hook(hook::HookCommand::Load(_)));
    if !is_asked_by_shell {
        warn_of_exposure(&settings, output);
    }
    let app = App::new(settings, output, arguments.global.organization);
    let asks_keyring = match &arguments.command {
        Command::Login(args) => args.uses_stored_token(),
        // They look at their own profile's token, or at none, or later.
        Command::Logout | Command::Profile(_) | Command::Config(_) | Command::Hook(_) => false,
        _ => true,
    };
    if asks_keyring {
        app.read_token(Unlocking::on_terminal()).await;
    }
    if let Command::Run(args) = arguments.command {
        return match run::run(&app, args).await {
            Ok(code) => Ok(code),
            Err(error) => Err(app.clarify(error).await),
        };
    }
    let ended = match arguments.command {
        Command::Login(args) => login::login(&app, args).await,
        Command::Logout => logout::logout(&app).await,
        Command::Profile(command) => profile::run(&app, command).await,
        Command::Whoami => login::whoami(&app).await,
        Command::Config(command) => config::run(&app, command).await,
        Command::Init(args) => init::init(&app, args).await,
        Command::Set(args) => set::set(&app, args).await,
        Command::List(args) => list::list(&app, args).await,
        Command::Show(args) => show::show(&app, args).await,
        Command::Get(args) => get::get(&app, args).await,
        Command::Edit(args) => edit::edit(&app, args).await,
        Command::Cp(args) => copy::cp(&app, args).await,
        Command::Mv(args) => copy::mv(&app, args).await,
        Command::Rm(args) => rm::rm(&app, args).await,
        Command::Undelete(args) => rm::undelete(&app, args).await,
        Command::History(args) => history::history(&app, args).await,
        Command::Rollback(args) => history::rollback(&app, args).await,
        Command::Import(args) => import::import(&app, args).await,
        Command::Diff(args) => diff::diff(&app, args).await,
        Command::Resolve(args) => resolve::resolve(&app, args).await,
        Command::Explain(args) => explain::explain(&app, args).await,
        Command::Wait(args) => wait::wait(&app, args).await,
        Command::Redact(args) => redact::redact(&app, args).await,
        Command::Run(_) | Command::Completion(_) | Command::Man(_) | Command::Help(_) | Command::Doctor => Ok(()),
        Command::Hook(command) => hook::run(&app, command).await,
        Command::Check(args) => check::check(&app, args).await,
        Command::Materialize(args) => materialize::materialize(&app, args).await,
        Command::Org(command) => organization::run(&app, command).await,
        Command::User(command) => user::run(&app, command).await,
        Command::Project(command) => project::run(&app, command).await,
        Command::Workspace(command) => workspace::run(&app, command).await,
        Command::Member(command) => member::run(&app, command).await,
        Command::ServiceAccount(command) => service_account::run(&app, command).await,
        Command::Token(command) => token::run(&app, command).await,
        Command::Session(command) => session::run(&app, command).await,
        Command::Audit(command) => audit::run(&app, command).await,
    };
    app.keep_revisions();
    if !is_asked_by_shell {
        app.warn_of_sign_in();
    }
    match ended {
        Ok(()) => Ok(0),
        Err(error) => Err(app.clarify(error).await),
    }
}

/// Warns of a token that others on this machine may read.
fn warn_of_exposure(settings: &Settings, output: Output) {
    let is_in_file = settings.signed_in && settings.keyring_item.is_none();
    let own = settings.config_path.as_deref().filter(|path| is_in_file && Config::is_exposed(path));
    // A token file is often a mount that its group reads too, as a sandbox's own.
    let given = settings.credential_file.as_deref().filter(|path| secrets_client::credentials::is_world_readable(path));
    for path in own.into_iter().chain(given) {
        output.warn(&format!("others may read your token: chmod 600 {}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::suggest;

    #[test]
    fn the_commands_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn reads_the_commands_of_the_journeys() {
        for line in [
            "org create acme --admin ann",
            "login",
            "login --invite sinv_x",
            "login --invite - --profile lab",
            "profile list",
            "logout",
            "whoami",
            "user invite bob",
            "project create api",
            "workspace create ws1 --project api --owner bob",
            "member add bob --project api --role member",
            "member list --project api",
            "set OPENAI_API_KEY --org --description text",
            "set SENTRY_DSN --org --for-workspace ws1 --for-project web",
            "set SSL_INSPECTION_CA --org --file /etc/ssl/corp-ca.pem --lock",
            "user delete bob --yes",
            "list --org",
            "set GH_REGISTRY --registry ghcr.io --username bob",
            "set DEPLOY_KEY --file ~/.ssh/deploy_key --mode 0600",
            "edit LINEAR_API_KEY --description text",
            "edit SENTRY_DSN --org --add-workspace ws2 --remove-workspace ws1",
            "history LINEAR_API_KEY",
            "rollback LINEAR_API_KEY --to 1",
            "cp STRIPE_SECRET --from-project api --to-project web",
            "mv LINEAR_API_KEY --to-workspace ws1 --yes",
            "rm LINEAR_API_KEY",
            "undelete LINEAR_API_KEY",
            "import .env --project api --only A,B --overwrite --dry-run",
            "import - --yes --skip-rejected --output json",
            "explain --workspace ws1",
            "explain LINEAR_API_KEY --workspace ws1",
            "list --workspace ws1 --inherited",
            "resolve --workspace ws1 --show-values",
            "resolve LINEAR_API_KEY --workspace ws1 --raw",
            "resolve --format dotenv",
            "run --workspace ws1 -- printenv LINEAR_API_KEY",
            "check",
            "check LINEAR_API_KEY STRIPE_SECRET --workspace ws1",
            "run -- agent --flag",
            "materialize --dir /run/secrets --workspace ws1 --only A,B --mode 0440",
            "wait GITHUB_TOKEN --timeout 5m",
            "redact --workspace ws1 --only A,B --unmask A",
            "service-account create sandboxd --platform",
            "member add service:sandboxd --platform --role delegate",
            "token create --service-account sandboxd --ttl 90d",
            "session create --organization acme --user bob --workspace ws1 --ttl 1h --external-id sbx-91",
            "session list --external-id sbx-91",
            "session revoke organizations/acme/sessions/x",
            "audit list --secret organizations/acme/projects/api/secrets/STRIPE_SECRET",
        ] {
            let words = std::iter::once("secrets").chain(line.split(' '));
            if let Err(error) = Arguments::try_parse_from(words) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn refuses_wrong_usage_with_code_2() {
        for line in
            ["", "set", "set A --org --project api", "set A --env --file /x", "set A --mode 0600", "run", "nope"]
        {
            let words = std::iter::once("secrets").chain(line.split(' ').filter(|word| !word.is_empty()));
            assert_eq!(Arguments::try_parse_from(words).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    fn message(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = Arguments::try_parse_from(std::iter::once("secrets").chain(line.split(' '))).unwrap_err();
        let error = suggest::with_suggestions(error, Arguments::command(), &words);
        suggest::printable(&error, &words).unwrap_or_else(|| error.to_string())
    }

    #[test]
    fn suggests_the_right_word_for_a_mistyped_one() {
        for (line, suggestion) in [
            ("exlpain", "'explain'"),
            ("project crate x", "'create'"),
            ("service-acount list", "'service-account'"),
            ("member ad bob", "'add'"),
            ("list --porject api", "'--project'"),
            ("session create --extrenal-id x", "'--external-id'"),
            ("--ouput json list", "'--output'"),
            ("config set endpont x", "'endpoint'"),
            ("member add bob --role amdin", "'admin'"),
            // Words of three letters, which clap finds too different after one typo.
            ("rnu -- env", "'run'"),
            ("st LINEAR_API_KEY", "'set'"),
            ("sett LINEAR_API_KEY", "'set'"),
            ("rn LINEAR_API_KEY", "'rm'"),
            ("rn LINEAR_API_KEY", "'run'"),
            ("ogr create acme", "'org'"),
            ("list --ogr", "'--org'"),
            ("token create --tlt=1h", "'--ttl'"),
            ("delete A", "secrets rm NAME"),
            ("gte A", "'get'"),
            ("signout", "secrets logout"),
            ("switch", "secrets profile use"),
            ("run printenv", "secrets run -- PROGRAM"),
            // Below a command, another word is looked for among that command's own.
            ("project remove api", "'delete'"),
            ("token delete x", "'revoke'"),
            ("member delete bob", "'remove'"),
            ("user add bob", "'invite'"),
            ("session add", "'create'"),
            ("config delete token", "'unset'"),
            ("project describe api", "'show'"),
            ("list --json", "-o json"),
            // A word behind a flag that takes none.
            ("list --org acme", "`--organization acme`"),
            ("list --org=acme", "`--organization acme`"),
            ("-o json list --inherited yes", "`--inherited` takes no value"),
            ("member list --org=Acme", "`--org` takes no value"),
            ("run --command ls", "secrets run --shell 'LINE'"),
            ("run -c ls", "secrets run --shell 'LINE'"),
            ("upload .env", "secrets import FILE"),
            ("env", "secrets resolve"),
            ("status", "secrets whoami"),
            ("setup", "secrets init"),
            ("open", "secrets list"),
            ("rename A B", "secrets rm OLD"),
            ("copy A", "secrets cp NAME"),
            ("move A", "secrets mv NAME"),
            ("login --token x", "asks for an invitation's code or a token, hidden"),
        ] {
            let shown = message(line);
            assert!(shown.contains(suggestion), "{line}: {shown}");
        }
    }

    #[test]
    fn names_only_words_that_exist() {
        for (words, tip) in suggest::other_tools::COMMANDS {
            let own = words.iter().find(|word| Arguments::command().find_subcommand(word).is_some());
            assert_eq!(own, None, "is a command of ours");
            let named = tip.split("`secrets ").skip(1).filter_map(|rest| rest.split([' ', '`']).next());
            for command in named.filter(|command| !command.starts_with('-')) {
                assert!(Arguments::command().find_subcommand(command).is_some(), "{tip}");
            }
        }
    }

    #[test]
    fn repeats_no_token() {
        for line in ["login sper_canary", "whoami sses_canary", "login --invite sinv_a sinv_canary"] {
            let shown = message(line);
            assert!(!shown.contains("canary") && shown.contains("secrets login"), "{shown}");
        }
        for line in ["config set token=sper_canary", "list --role ssvc_canary", "member add bob --role sper_canary"] {
            assert!(!message(line).contains("canary"), "{}", message(line));
        }
    }

    #[test]
    fn advises_nobody_to_give_a_flag_as_a_value() {
        for line in ["rm A --nope", "import .env --nope", "list --ogr"] {
            assert!(!message(line).contains("as a value"), "{}", message(line));
        }
    }

    #[test]
    fn distinguishes_a_mistyped_flag_from_a_value() {
        assert_eq!(suggest::similar_flag::<set::SetArgs>("--descripton").as_deref(), Some("--description"));
        assert_eq!(suggest::similar_flag::<edit::EditArgs>("--for-workspce=ws1").as_deref(), Some("--for-workspace"));
        assert_eq!(suggest::similar_flag::<set::SetArgs>("--ogr").as_deref(), Some("--org"));
        for typed in ["lin_123", "-v", "-----BEGIN"] {
            assert_eq!(suggest::similar_flag::<set::SetArgs>(typed), None, "{typed}");
        }
    }
}
