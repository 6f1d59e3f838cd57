//! `materialize`: the set in a directory, without a child; for init containers, and for programs that read files.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrets_client::{LiveEvent, ResolvedSet, changed_names};
use secrets_core::FileMode;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::args::executable::ExecutableArgs;
use crate::args::scope::ContextArgs;
use crate::args::time;
use crate::delivery::volume::Volume;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

const AFTER_HELP: &str = "\
Files in the directory, all of them links through `..data`, which is replaced in
one step:
  NAME         the value of each secret, byte for byte
  env.sh       the variables as `export NAME='…'`, to be sourced
  .env         the same for .env libraries, where they can read each value
  config.json  Docker's, of the registry credentials (DOCKER_CONFIG=DIR)";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct MaterializeArgs {
    /// The directory: one that is not there yet, an empty one, or one that this command wrote
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    context: ContextArgs,
    /// Only these secrets, which must be there
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Permissions of files that have none of their own, octal; who may read them may enter the directory
    #[arg(long, value_name = "MODE", default_value = "0600")]
    mode: FileMode,
    #[command(flatten)]
    executable: ExecutableArgs,
    /// Also write into a directory that belongs to others, or that others may write
    #[arg(long)]
    shared_dir: bool,
    /// Keep running, and replace the files in one step when a secret has changed; SIGTERM ends it
    #[arg(long)]
    watch: bool,
    /// With --watch: wait a random time up to this, so that many do not ask at once
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = time::duration)]
    splay: Option<Duration>,
}

pub(crate) async fn materialize(app: &App, args: MaterializeArgs) -> Result<(), CliError> {
    // A directory that is refused is refused before any value leaves the service.
    let volume = Volume::at(&args.dir, args.mode, args.shared_dir)?;
    let mut set = app.receive(&args.context, &args.only).await?;
    write(app, &args, &volume, &set)?;
    if !args.watch {
        return Ok(());
    }
    // As a container's first process it is sent nothing that it does not listen to.
    let failed = |error: std::io::Error| CliError::new(ExitCode::Failed, format!("signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut live_set = app.live_set(&set, &args.only, args.splay)?;
    loop {
        let event = tokio::select! {
            event = live_set.next() => event,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        let stays = |error: &CliError| {
            app.output.warn(&format!("{} keeps what it has: {}", args.dir.display(), error.message()));
        };
        match event {
            LiveEvent::Set(new) => {
                app.print_notices(&new);
                let names = changed_names(&set.secrets, &new.secrets).join(", ");
                match write(app, &args, &volume, &new) {
                    Ok(()) => app.output.note(&format!("Changed: {names}")),
                    Err(error) => stays(&error),
                }
                set = *new;
            }
            LiveEvent::Refused(error) => stays(&error.into()),
            LiveEvent::SessionEnds(warning) => app.output.warn(&text::session_ends(&warning)),
            // There will be no other set: whoever supervises this process has to know.
            LiveEvent::Ended(error) => return Err(error.into()),
        }
    }
}

/// Puts a set into the directory, and says so.
fn write(app: &App, args: &MaterializeArgs, volume: &Volume, set: &ResolvedSet) -> Result<(), CliError> {
    let written = volume.write(&set.secrets, &args.executable)?;
    for notice in app.not_said_before(args.executable.notices(&set.secrets)) {
        app.output.warn(&notice);
    }
    if !written.not_in_dotenv.is_empty() {
        let names = written.not_in_dotenv.join(", ");
        app.output
            .warn(&format!("no .env was written, since its readers would misread {names}; env.sh has everything"));
    }
    let number = text::count(set.secrets.len(), "secret");
    let json = json!({ "dir": args.dir.display().to_string(), "files": written.files, "etag": set.etag });
    app.output.done(&format!("{number} in {}", args.dir.display()), &json)
}
