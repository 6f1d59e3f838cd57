//! `man`: the manual, made from the commands' own help: a page for each command, and one for the words that all of them use.

mod page;

use std::path::{Path, PathBuf};

use clap::{Args, Command};

use self::page::{COMMANDS, Page};
use crate::help::examples::Examples;
use crate::help::manual;
use crate::help::topics::CONCEPTS;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

/// Where the manual goes.
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// The command, for instance `import` or `org create`, or `concepts` [default: secrets]
    #[arg(conflicts_with = "dir")]
    command: Vec<String>,
    /// Write all pages into this directory; the concepts into the `man7` beside it, if it is a `man1`
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(crate) fn man(output: Output, command: Command, args: &ManArgs) -> Result<(), CliError> {
    let manual = manual(command);
    let examples = Examples::load();
    let failed = |error| CliError::new(ExitCode::Failed, format!("man: {error}"));
    if let Some(dir) = &args.dir {
        let mut pages = Vec::new();
        all_pages(&manual, "", &examples, &mut pages).map_err(failed)?;
        pages.push(page::concepts().map_err(failed)?);
        let failed = |error| CliError::new(ExitCode::Failed, format!("`{}`: {error}", dir.display()));
        for page in &pages {
            let dir = directory(page, dir);
            std::fs::create_dir_all(&dir).map_err(failed)?;
            std::fs::write(dir.join(&page.name), &page.roff).map_err(failed)?;
        }
        output.note(&format!("{} pages written into {}.", pages.len(), dir.display()));
        return Ok(());
    }
    let path = args.command.join(" ");
    let page = if path == CONCEPTS.name {
        page::concepts()
    } else {
        let found = args.command.iter().try_fold(&manual, |command, name| command.find_subcommand(name));
        let command = found.ok_or_else(|| {
            CliError::new(ExitCode::NotFound, format!("there is no command `{path}`"))
                .hint("`secrets help` lists the commands")
        })?;
        page::command(command, &path, &examples)
    };
    output.bytes(&page.map_err(failed)?.roff)
}

/// Of a command, then of all below it.
fn all_pages(command: &Command, path: &str, examples: &Examples, pages: &mut Vec<Page>) -> std::io::Result<()> {
    pages.push(page::command(command, path, examples)?);
    for inner in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        all_pages(inner, format!("{path} {}", inner.get_name()).trim_start(), examples, pages)?;
    }
    Ok(())
}

/// Readers look for a page in the directory of its section.
fn directory(page: &Page, dir: &Path) -> PathBuf {
    match page.section {
        COMMANDS => dir.to_owned(),
        section if dir.ends_with("man1") => dir.with_file_name(format!("man{section}")),
        _ => dir.to_owned(),
    }
}
