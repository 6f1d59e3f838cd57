//! `man`: the manual, made from the commands' own help.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

/// Where the manual goes.
#[derive(Args, Debug)]
#[command(after_help = "\
Read a page:
  secrets man import | man -l -
Install them all:
  secrets man --dir ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The command, for instance `import` or `org create` [default: secrets]
    #[arg(conflicts_with = "dir")]
    command: Vec<String>,
    /// Write all pages into this directory
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(crate) fn man(output: Output, command: Command, args: &ManArgs) -> Result<(), CliError> {
    let mut manual = manual(command);
    if let Some(dir) = &args.dir {
        let pages = pages(&manual);
        let failed = |error| CliError::new(ExitCode::Failed, format!("`{}`: {error}", dir.display()));
        std::fs::create_dir_all(dir).map_err(failed)?;
        for page in &pages {
            write(page, dir).map_err(failed)?;
        }
        output.note(&format!("{} pages written into {}.", pages.len(), dir.display()));
        return Ok(());
    }
    for name in &args.command {
        let Some(found) = manual.find_subcommand(name) else {
            return Err(CliError::new(ExitCode::NotFound, format!("there is no command `{}`", args.command.join(" ")))
                .hint("`secrets --help` lists the commands"));
        };
        manual = found.clone();
    }
    output.bytes(&rendered(&manual).map_err(|error| CliError::new(ExitCode::Failed, format!("man: {error}")))?)
}

/// The command as its pages show it: each one under its full name, without what all of them share.
fn manual(command: Command) -> Command {
    let mut manual = command.disable_help_flag(true).disable_version_flag(true);
    manual.build();
    manual
}

/// A command, then all below it.
fn pages(command: &Command) -> Vec<Command> {
    let below = command.get_subcommands().filter(|command| !command.is_hide_set()).flat_map(pages);
    std::iter::once(command.clone()).chain(below).collect()
}

fn write(page: &Command, dir: &Path) -> std::io::Result<()> {
    let name = Man::new(page.clone()).get_filename();
    std::fs::File::create(dir.join(name))?.write_all(&rendered(page)?)
}

fn rendered(page: &Command) -> std::io::Result<Vec<u8>> {
    let mut roff = Vec::new();
    let source = concat!("secrets ", env!("CARGO_PKG_VERSION"));
    // A page says what release it is of rather than when it was written; without a word there, what follows would move up.
    Man::new(page.clone()).date(" ").source(source).manual("Secrets").render(&mut roff)?;
    Ok(roff)
}
