//! The end of a line for a person.

use rustix::termios::{OutputModes, tcgetattr};

/// How a line on stderr ends: a terminal that another `run` has made raw, as under `make -j2`, returns no carriage by itself.
pub(crate) fn line_end() -> &'static str {
    let is_raw = tcgetattr(std::io::stderr()).is_ok_and(|modes| !modes.output_modes.contains(OutputModes::OPOST));
    if is_raw { "\r\n" } else { "\n" }
}
