//! `redact`: a pipe filter that masks what a context gets: `tail -f log | secrets redact`.

use std::io;
use std::os::fd::AsFd as _;

use clap::Args;

use crate::app::App;
use crate::args::scope::ContextArgs;
use crate::args::unmask::UnmaskArgs;
use crate::output_masking::forward::{self, Forwarded};
use crate::output_masking::masking::{self, Masking};
use crate::ui::error::{CliError, ExitCode};

const AFTER_HELP: &str = "\
Copies stdin to stdout, with *** in place of each value, plain or encoded. The values are those
that the context gets when the command starts. What may be the beginning of a value is held back:
up to 5 bytes for a tenth of a second, so that prompts show, and more until the rest comes. At the
end it appears as *** as well.";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RedactArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// Mask only these secrets, which must be there
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    unmask: UnmaskArgs,
}

/// Masks until stdin ends, or until whoever reads stdout is gone. Nothing is copied before the values are known.
pub(crate) async fn redact(app: &App, args: RedactArgs) -> Result<(), CliError> {
    let set = app.receive_what_is_there(&args.context, &args.only).await?;
    let redactor = masking::redactor_except(&args.unmask, &set.secrets, None, app.output)?;
    drop(set);
    if redactor.is_empty() {
        app.output.warn("nothing to mask: this context gets no value that is masked");
    }
    let failed = |what: &str, error: io::Error| CliError::new(ExitCode::Failed, format!("{what}: {error}"));
    let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(|error| failed("stdin", error))?;
    // Carrying ends with stdin alone: this pipe never does, while its writing end is open.
    let (never, _open) = forward::pipe().map_err(|error| failed("pipe", error))?;
    let stream = Masking::new(redactor).stream();
    match forward::forward(stdin, io::stdout().as_fd(), stream, never.as_fd(), None) {
        Forwarded::All | Forwarded::ReaderGone => Ok(()),
        Forwarded::Failed(error) => Err(failed("stdin or stdout", error)),
    }
}
