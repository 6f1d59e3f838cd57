//! Logs, on standard error, as JSON lines or for people to read; and panics, of which only the place is logged.
//!
//! Nothing here or elsewhere logs a value, a token or metadata. Dependencies log at `warn` and above only, whatever
//! the configured level: some of them would print headers, and with them credentials, at `debug` and `trace`. sqlx
//! quotes parameters of a database address that it does not know when it warns of them, and so only its errors pass.

mod fields;
mod pretty;

use std::io::IsTerminal;
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use self::fields::PlainFields;
use self::pretty::PrettyLine;
use crate::clock::SystemClock;
use crate::config::{LogConfig, LogFormat, LogLevel};

/// Sends this process's events to standard error as `log` says.
///
/// # Errors
/// When a subscriber has been set before.
pub fn init(log: &LogConfig) -> Result<(), TryInitError> {
    let layer = match log.format {
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Pretty => fmt::layer()
            .with_ansi(colours())
            .fmt_fields(PlainFields)
            .event_format(PrettyLine::new(SystemClock, columns))
            .with_writer(std::io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(targets(log.level))).try_init()
}

/// Replaces the panic hook by one that logs the place and nothing else: a panic's message may quote what the
/// code was working on.
pub fn hide_panic_messages() {
    panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
        if tracing::dispatcher::has_been_set() {
            tracing::error!(file, line, "panicked; the message is withheld");
        } else {
            eprintln!("panicked at {file}:{line}; the message is withheld");
        }
    }));
}

/// What is logged at `level`: all of it of this program's own, and of its dependencies only what is wrong.
pub fn targets(level: LogLevel) -> Targets {
    let own = LevelFilter::from(level);
    Targets::new()
        .with_target("secrets_", own)
        .with_target("sqlx", own.min(LevelFilter::ERROR))
        .with_default(own.min(LevelFilter::WARN))
}

/// How wide the terminal is that the log goes to; none for a file or a pipe.
fn columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn dependencies_never_log_below_warn() {
        for level in [LogLevel::Info, LogLevel::Debug, LogLevel::Trace] {
            let targets = targets(level);
            for dependency in ["h2::codec::framed_write", "hyper::proto", "sea_orm::query", "tonic::transport"] {
                assert!(targets.would_enable(dependency, &Level::WARN));
                assert!(!targets.would_enable(dependency, &Level::INFO), "{dependency} at {level}");
            }
            for quoting in ["sqlx::query", "sqlx_postgres::options::parse"] {
                assert!(!targets.would_enable(quoting, &Level::WARN), "{quoting} at {level}");
            }
        }
    }

    #[test]
    fn the_level_applies_to_this_service() {
        assert!(targets(LogLevel::Debug).would_enable("secrets_server::server", &Level::DEBUG));
        assert!(!targets(LogLevel::Info).would_enable("secrets_server::server", &Level::DEBUG));
        assert!(!targets(LogLevel::Error).would_enable("tonic::transport", &Level::WARN));
    }
}
