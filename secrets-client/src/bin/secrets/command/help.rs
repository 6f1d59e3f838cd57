//! `help`: a command's help, or a topic.

use clap::{Args, CommandFactory as _};

use crate::args::suggest;
use crate::cli::Arguments;
use crate::help::{self, topics};
use crate::ui::error::CliError;
use crate::ui::output::Output;

#[derive(Args, Debug)]
#[command(after_help = "\
Topics:
  concepts     organization, project, workspace, context, precedence, lock, group
  environment  the variables that commands read
  files        the files that commands read and write
  exit-codes   what the codes mean with which commands end")]
pub(crate) struct HelpArgs {
    /// The command, for instance `set` or `org create`, or a topic [default: secrets]
    command: Vec<String>,
}

pub(crate) fn help(output: Output, args: &HelpArgs) -> Result<(), CliError> {
    if let [name] = args.command.as_slice()
        && let Some(topic) = topics::find(name)
    {
        return output.text(&topic.text());
    }
    if let [name] = args.command.as_slice()
        && Arguments::command().find_subcommand(name).is_none()
        && let Some(topic) = topics::similar(name)
    {
        let hint = format!("did you mean `secrets help {}`?", topic.name);
        return Err(CliError::usage(format!("there is no command or topic `{name}`")).hint(hint));
    }
    // What `--help` prints behind the command, or what is said of a command that does not exist.
    let words = args.command.iter().cloned().chain(["--help".to_owned()]);
    suggest::parse_words::<Arguments>(help::with_help, words.map(Into::into).collect());
    Ok(())
}
