//! `materialize`: the set in a directory, without a child; for init containers, and for programs that read files.

mod volume;

use std::path::PathBuf;

use clap::Args;
use secrets_core::FileMode;
use serde_json::json;

use self::volume::Volume;
use crate::app::App;
use crate::exit::Failure;
use crate::output::words;
use crate::scope::ContextArgs;

const AFTER: &str = "\
What is in the directory, each a link through `..data`, which is replaced in one step:
  NAME          the value of each secret, byte for byte
  env.sh        the variables as `export NAME='…'`, to be sourced
  .env          the same for .env libraries, unless they could not read a value as it is
  config.json   Docker's configuration of the registry credentials (DOCKER_CONFIG=DIR)";

#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct MaterializeArgs {
    /// The directory: one that is not there yet, an empty one, or one that this command wrote
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    context: ContextArgs,
    /// Only these secrets, which must be there
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Permissions of what has none of its own, octal; who may read may enter the directory
    #[arg(long, value_name = "MODE", default_value = "0600")]
    mode: FileMode,
}

pub(crate) async fn materialize(app: &App, args: MaterializeArgs) -> Result<(), Failure> {
    // A directory that is refused is refused before any value leaves the service.
    let volume = Volume::at(&args.dir, args.mode)?;
    let set = app.receive(&args.context, &args.only).await?;
    let written = volume.write(&set.secrets)?;
    if !written.not_in_dotenv.is_empty() {
        let names = written.not_in_dotenv.join(", ");
        app.output
            .warn(&format!("no .env was written, since its readers would misread {names}; env.sh has everything"));
    }
    let number = words::count(set.secrets.len(), "secret");
    let json = json!({ "dir": args.dir.display().to_string(), "files": written.files, "etag": set.etag });
    app.output.done(&format!("{number} in {}", args.dir.display()), &json)
}
