//! `man`: the manual, made from the commands' own help. For packages; an administrator has it from there.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::CommandError;

/// The section of the manual that is about what administrators run.
const SECTION: &str = "8";

#[derive(Debug, Args)]
pub(super) struct Pages {
    /// Write the pages into this directory
    #[arg(long, value_name = "DIRECTORY")]
    dir: PathBuf,
}

pub(super) fn run(command: Command, pages: &Pages) -> Result<(), CommandError> {
    let mut manual = command.disable_help_flag(true).disable_version_flag(true).disable_help_subcommand(true);
    manual.build();
    fs::create_dir_all(&pages.dir)?;
    let below = manual.get_subcommands().filter(|command| !command.is_hide_set());
    for page in std::iter::once(&manual).chain(below) {
        let source = concat!("secrets ", env!("CARGO_PKG_VERSION"));
        let man = Man::new(page.clone()).section(SECTION).date(" ").source(source).manual("Secrets");
        let mut roff = Vec::new();
        man.render(&mut roff)?;
        fs::write(pages.dir.join(man.get_filename()), roff)?;
    }
    Ok(())
}
