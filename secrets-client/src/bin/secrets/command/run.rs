//! `run`: one resolve, then a program with the values in its environment, its files and its Docker configuration, whose
//! output is masked.
//!
//! [`run`] is the whole sequence. A [`PreparedProgram`] is what one set of secrets means for the program: what is written for
//! it, and the [`Program`] as it is started. A [`Child`] is one that runs, to which signals are passed on
//! until it ends; meanwhile [`Masking`] can be given another set.

mod environment;
mod github;
mod watch;

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use secrets_client::{Credential, ResolvedSecret, ResolvedSet};
use secrets_core::{CredentialKind, Target};

use self::environment::{Environment, Preserve, Rules};
use self::watch::WatchArgs;
use crate::app::App;
use crate::app::fallback::FallbackArgs;
use crate::args::executable::ExecutableArgs;
use crate::args::scope::{self, ContextArgs};
use crate::args::unmask::UnmaskArgs;
use crate::delivery::{self, Placement, Plan, Recipient, UserFiles};
use crate::output_masking::masking::{self, Masking};
use crate::supervise::child::Child;
use crate::supervise::job_control;
use crate::supervise::program::Program;
use crate::supervise::signals::{Signals, exit_code};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

const AFTER_HELP: &str = "\
Values in the program's output appear as ***. If stdout is a terminal, the program gets a
pseudo-terminal of its own. Signals are passed on to the program, and its exit code is passed
through. Programs that it leaves running in the background are not waited for; their output is
shown for one second more at most.";

const USAGE: &str = "\
secrets run [OPTIONS] -- COMMAND [ARGUMENT]...
       secrets run [OPTIONS] --shell LINE";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP, override_usage = USAGE)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// Only these secrets, which must be there
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    unmask: UnmaskArgs,
    /// Do not mask the program's output, and execute the program directly
    #[arg(long, conflicts_with = "unmask")]
    no_masking: bool,
    /// Keep inherited variables that a secret would replace: all, or those named
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
    )]
    preserve_env: Option<Vec<String>>,
    /// Let the program inherit only the variables that --keep names
    #[arg(long)]
    clean_env: bool,
    /// With --clean-env: variables that the program inherits
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', requires = "clean_env")]
    keep: Vec<String>,
    #[command(flatten)]
    executable: ExecutableArgs,
    /// Leave files out of what the program gets
    #[arg(long)]
    skip_files: bool,
    /// Leave SECRETS_TOKEN and SECRETS_TOKEN_FILE in the program's environment
    #[arg(long)]
    pass_session: bool,
    /// Print commands on stderr that make a CI service mask the values in its log
    #[arg(long, value_enum, value_name = "SERVICE")]
    ci: Option<Ci>,
    /// A line for `sh` instead of a program
    #[arg(long, value_name = "LINE", conflicts_with = "command")]
    shell: Option<OsString>,
    #[command(flatten)]
    watching: WatchArgs,
    #[command(flatten)]
    fallback: FallbackArgs,
    /// The program and its arguments
    #[arg(last = true, required_unless_present = "shell", value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A CI service whose log can mask values.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ci {
    /// GitHub Actions: `::add-mask::` for each value and each of its lines
    Github,
}

/// As much of a program's name as is told to others, in characters.
const MAX_PROGRAM_NAME: usize = 100;

/// What a set of secrets means for a program. Dropped, what was written for it is removed.
struct PreparedProgram {
    placement: Placement,
    program: Program,
}

/// Runs the program, and returns its own code, or 128 and the signal that ended it.
pub(crate) async fn run(app: &App, args: RunArgs) -> Result<u8, CliError> {
    // From the beginning: what is written must be removed, and PID 1 is sent nothing that it does not listen to.
    let mut signals =
        Signals::listen().map_err(|error| CliError::new(ExitCode::NotStarted, format!("signals: {error}")))?;
    let (set, prepared) = tokio::select! {
        prepared = args.prepare(app) => prepared.map_err(before_start)?,
        signal = signals.ending() => return Ok(exit_code(signal)),
    };
    app.wait_silently(); // the program has the terminal
    let (placement, ended) = if args.watching.watch {
        watch::run(app, &args, prepared, set, &mut signals).await
    } else {
        drop(set);
        let PreparedProgram { placement, program } = prepared;
        if args.no_masking && placement.is_empty() {
            return Err(program.execute());
        }
        // A session that is passed on is meant to last.
        let ended = match args.pass_session {
            true => run_in_session(app, program, &mut signals).await,
            false => Child::run(program, &mut signals).await,
        };
        (placement, ended)
    };
    if let Some(lost) = placement.lost_logins() {
        app.output.warn(&lost);
    }
    if let Err(error) = placement.remove() {
        error.report(app.output.colors_errors());
    }
    ended
}

/// Runs a program that is given the session, which is kept open meanwhile.
async fn run_in_session(app: &App, program: Program, signals: &mut Signals) -> Result<u8, CliError> {
    let mut session = app.client().map_err(before_start)?.keep_session();
    let mut child = Child::start(&program).await?;
    drop(program); // and with it this copy of the values
    loop {
        tokio::select! {
            biased;
            code = child.wait(signals) => return Ok(code),
            warning = session.warning() => child.print_line(&format!("secrets: {}", text::session_ends(&warning))),
        }
    }
}

/// The token that this process calls with, which its program may know as well, and must not show.
fn own_token(app: &App) -> Option<&str> {
    app.credential().map(Credential::expose)
}

/// The code of what fails before the program is started.
fn before_start(error: CliError) -> CliError {
    match error.exit {
        ExitCode::Missing => error,
        _ => error.with_exit(ExitCode::NotStarted),
    }
}

impl RunArgs {
    /// Asks for the secrets, and prepares what the program is started with.
    async fn prepare(&self, app: &App) -> Result<(ResolvedSet, PreparedProgram), CliError> {
        for name in &self.unmask.unmask {
            scope::parse_name(name)?;
        }
        let set = self.receive(app).await?;
        app.warn_of_sign_in(); // not after the program, which may run for long
        let plan = self.plan(&set)?;
        for notice in app.not_said_before(self.notices(&set)) {
            app.output.warn(&notice);
        }
        for note in app.not_said_before(self.skipped(&set)) {
            app.output.note(&format!("secrets: {note}"));
        }
        if !plan.api_only().is_empty() {
            app.output.warn(&format!("not delivered to programs (api only): {}", plan.api_only().join(", ")));
        }
        let masking = match self.no_masking {
            true => None,
            false => {
                let redactor = masking::redactor_except(&self.unmask, &set.secrets, own_token(app), app.output)?;
                Some(Masking::new(redactor))
            }
        };
        self.print_hints(app, &set)?;
        let placement = plan.place(UserFiles::from_environment(), self.recipient(app))?;
        if let Some(notice) = placement.notice() {
            app.output.warn(notice);
        }
        let environment = self.environment(&plan, &placement);
        environment.print_notes(app.output);
        self.warn_of_token(app);
        let words = match &self.shell {
            Some(line) => vec!["/bin/sh".into(), "-c".into(), line.clone()],
            None => environment.located(self.command.clone()),
        };
        let leads_group = self.watching.watch && !job_control::terminal_reaches_our_group();
        let program = Program { words, environment: environment.variables(), masking, leads_group };
        Ok((set, PreparedProgram { placement, program }))
    }

    /// Asks for the secrets, and the person for those that `secrets.toml` requires and that are missing. What is missing is looked
    /// into only where nobody was asked.
    async fn receive(&self, app: &App) -> Result<ResolvedSet, CliError> {
        let receive = || self.fallback.receive(app, &self.context, &self.only);
        let received = match receive().await {
            Err(refusal)
                if refusal.exit == ExitCode::Missing && self.only.is_empty() && !self.fallback.is_offline() =>
            {
                match app.ask_for_missing(&self.context, refusal).await {
                    Ok(()) => receive().await,
                    Err(left) => Err(left),
                }
            }
            received => received,
        };
        match received {
            Err(error) => Err(app.explain_missing(&self.context, &app.required(&self.only), error).await),
            set => set,
        }
    }

    fn plan(&self, set: &ResolvedSet) -> Result<Plan, CliError> {
        Plan::new(
            set.secrets.iter().filter(|secret| !self.skips(secret)),
            delivery::home().as_deref(),
            &self.executable,
        )
    }

    fn skips(&self, secret: &ResolvedSecret) -> bool {
        self.skip_files && matches!(secret.target, Target::File { .. })
    }

    /// What is said of files that are written otherwise than they are stored.
    fn notices(&self, set: &ResolvedSet) -> Vec<String> {
        if self.skip_files { Vec::new() } else { self.executable.notices(&set.secrets) }
    }

    /// Says which files are left out.
    fn skipped(&self, set: &ResolvedSet) -> Option<String> {
        let skipped = set.secrets.iter().filter(|secret| self.skips(secret));
        let each: Vec<String> = skipped
            .map(|secret| format!("{} ({})", secret.secret_id(), text::checked_target(&secret.target)))
            .collect();
        (!each.is_empty()).then(|| format!("left out by --skip-files: {}", each.join(", ")))
    }

    /// Lets a CI service mask the values in its log, if one is named.
    fn print_hints(&self, app: &App, set: &ResolvedSet) -> Result<(), CliError> {
        let secrets = set.secrets.iter().filter(|secret| !masking::is_named(&self.unmask.unmask, secret));
        match self.ci {
            Some(Ci::Github) => github::print_hints(&app.output, secrets),
            None => Ok(()),
        }
    }

    fn recipient(&self, app: &App) -> Recipient {
        let program = match self.command.first() {
            Some(program) => program.to_string_lossy().chars().take(MAX_PROGRAM_NAME).collect(),
            None => "sh".to_owned(),
        };
        Recipient { program, endpoint: app.settings.endpoint.to_string(), watches: self.watching.watch }
    }

    fn environment(&self, plan: &Plan, placement: &Placement) -> Environment {
        let rules = self.rules();
        let mut environment = rules.apply(std::env::vars_os());
        for (name, value) in plan.variables() {
            environment.deliver(name, value, &rules);
        }
        for (name, value) in placement.variables() {
            environment.set(name, value);
        }
        environment
    }

    /// A session gives a program no more than its secrets; another token does.
    fn warn_of_token(&self, app: &App) {
        let passed = self.pass_session && std::env::var_os("SECRETS_TOKEN").is_some();
        if passed && app.credential_kind() != Some(CredentialKind::Session) {
            app.output.warn(
                "--pass-session passes on a token that is not a session's: the program may do everything that you may",
            );
        }
    }

    fn rules(&self) -> Rules {
        let preserve = match &self.preserve_env {
            None => Preserve::None,
            Some(names) if names.iter().all(String::is_empty) => Preserve::All,
            Some(names) => Preserve::Named(names.clone()),
        };
        Rules { clean: self.clean_env, keep: self.keep.clone(), preserve, pass_session: self.pass_session }
    }
}
