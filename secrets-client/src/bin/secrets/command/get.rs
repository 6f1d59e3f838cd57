//! `get`: one secret of a context, masked unless its value is asked for.

use clap::Args;

use super::resolve::{self, ResolveArgs};
use crate::app::App;
use crate::args::scope::ContextArgs;
use crate::ui::error::CliError;

#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// The secret's name
    name: String,
    #[command(flatten)]
    context: ContextArgs,
    /// Print the value: alone, byte for byte, and on a terminal with a newline behind it
    #[arg(long)]
    raw: bool,
}

pub(crate) async fn get(app: &App, args: GetArgs) -> Result<(), CliError> {
    let raw = args.raw;
    resolve::resolve(app, ResolveArgs::one(args.name, args.context, raw)).await?;
    if !raw && !app.output.is_json() {
        app.output.note("The value is masked; `--raw` prints it alone, on a terminal with a newline behind it.");
    }
    Ok(())
}
