//! A line of the log for people to read. What matters comes first. On a terminal that is narrower than the line of a call, the day
//! is left away, and of a call's id all but its beginning.
//!
//! ```text
//! 2026-12-01 09:25:20Z INFO  listening address=127.0.0.1:50051 tls=false
//! 2026-12-01 09:25:31Z INFO  Resolve OK 3.2 ms acme/users/ann 127.0.0.1 0193a1f2-…
//! ```

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
use crate::clock::Clock;

/// What the names of most callers begin with.
const ORGANIZATIONS: &str = "organizations/";

/// On so many columns the line of a call fits as it is.
const WIDE: u16 = 120;
/// What tells the ids of calls apart on a screen.
const SHORT_ID: usize = 8;

/// Writes an event as a line.
pub(super) struct PrettyLine<C> {
    clock: C,
    /// How wide the terminal is; none where the log is kept.
    columns: fn() -> Option<u16>,
}

impl<C> PrettyLine<C> {
    pub(super) const fn new(clock: C, columns: fn() -> Option<u16>) -> Self {
        Self { clock, columns }
    }
}

impl<S, N, C> FormatEvent<S, N> for PrettyLine<C>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
    C: Clock + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let is_narrow = (self.columns)().is_some_and(|columns| columns < WIDE);
        let second = second(&self.clock.now().to_string());
        write!(writer, "{} ", if is_narrow { without_day(&second) } else { &second })?;
        write_level(&mut writer, *metadata.level())?;
        let mut fields = Fields::of(event);
        let message = fields.take("message").unwrap_or_default();
        // Of this program's own events the message is enough, unless one looks for where they come from.
        let is_own = metadata.target().starts_with("secrets_");
        if !is_own || *metadata.level() > Level::INFO {
            write!(writer, "{}: ", metadata.target())?;
        }
        let call = Call::of(&message, &mut fields);
        let is_short = is_narrow && call.is_some();
        match call {
            Some(call) => write!(writer, "{call}")?,
            None => write!(writer, "{}", one_line(&message))?,
        }
        if !fields.is_empty() {
            write!(writer, " {fields}")?;
        }
        for span in ctx.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<N>>().filter(|fields| !fields.is_empty()) {
                let fields = without_name(fields);
                write!(writer, " {}", if is_short { short_id(fields) } else { fields })?;
            }
        }
        writeln!(writer)
    }
}

/// The event of a call, in the order in which it is read: what, how it ended, for whom.
struct Call {
    method: String,
    code: String,
    reason: Option<String>,
    micros: u64,
    principal: Option<String>,
    peer: Option<String>,
}

impl Call {
    fn of(message: &str, fields: &mut Fields) -> Option<Self> {
        if message != "call" {
            return None;
        }
        Some(Self {
            method: fields.take("method")?,
            code: fields.take("code")?,
            reason: fields.take("reason"),
            micros: fields.take("duration_us").and_then(|micros| micros.parse().ok()).unwrap_or_default(),
            principal: fields.take("principal"),
            peer: fields.take("peer"),
        })
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The method without its service, and a reason in the place of its code: JSON has all of it.
        let method = self.method.rsplit_once('/').map_or(self.method.as_str(), |(_, method)| method);
        write!(f, "{method} {}", self.reason.as_ref().unwrap_or(&self.code))?;
        write!(f, " {}.{} ms", self.micros / 1000, self.micros % 1000 / 100)?;
        if let Some(principal) = &self.principal {
            write!(f, " {}", principal.strip_prefix(ORGANIZATIONS).unwrap_or(principal))?;
        }
        // The port tells nobody apart.
        let address = self.peer.as_deref().map(|peer| peer.rsplit_once(':').map_or(peer, |(address, _)| address));
        address.map_or(Ok(()), |address| write!(f, " {address}"))
    }
}

/// `2026-12-01 09:25:20Z`
fn second(rfc3339: &str) -> String {
    rfc3339.get(..19).map_or_else(|| rfc3339.to_owned(), |second| format!("{}Z", second.replace('T', " ")))
}

/// `09:25:20Z`
fn without_day(second: &str) -> &str {
    second.split_once(' ').map_or(second, |(_, time)| time)
}

fn write_level(writer: &mut Writer<'_>, level: Level) -> fmt::Result {
    let colour = match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    };
    let name = level.as_str();
    if writer.has_ansi_escapes() {
        write!(writer, "\x1b[{colour}m{name:5}\x1b[0m ")
    } else {
        write!(writer, "{name:5} ")
    }
}

/// A message as one line, whatever it quotes.
fn one_line(message: &str) -> String {
    message.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// A call's own id stands alone at the end of its lines.
fn without_name(fields: &str) -> &str {
    fields.strip_prefix("request_id=").unwrap_or(fields)
}

/// The beginning of an id, where there is nothing but one.
fn short_id(fields: &str) -> &str {
    let is_id = fields.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    fields.get(..SHORT_ID).filter(|_| is_id).unwrap_or(fields)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use secrets_core::Timestamp;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::fields::PlainFields;
    use super::*;
    use crate::clock::ManualClock;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are logged during `work`.
    fn logged(work: impl FnOnce()) -> Vec<String> {
        logged_on(|| None, work)
    }

    /// The same on a terminal.
    fn logged_on(columns: fn() -> Option<u16>, work: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let writer = written.clone();
        let clock = ManualClock::at(Timestamp::from_micros(1_796_117_120_123_456));
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .fmt_fields(PlainFields)
            .event_format(PrettyLine::new(clock, columns))
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    const ID: &str = "0193a1f2-7c2a-71d2-8a5c-4d9d9f3b1d1f";

    fn call_of_ann(method: &str) {
        let span = tracing::info_span!("call", request_id = ID, caller_request_id = Option::<&str>::None);
        let (code, duration_us, peer) = ("OK", 3_214_u64, tracing::field::display("127.0.0.1:41234"));
        let principal = Some("organizations/acme/users/ann");
        let reason = Option::<&str>::None;
        span.in_scope(|| tracing::info!(method, code, reason, duration_us, principal, peer, "call"));
    }

    #[test]
    fn a_call_is_a_line_that_fits_a_narrow_terminal() {
        let method = "secretsapi.v1.DirectoryService/CreateServiceAccount";
        let narrow = logged_on(|| Some(80), || call_of_ann(method));
        assert_eq!(narrow, ["09:25:20Z INFO  CreateServiceAccount OK 3.2 ms acme/users/ann 127.0.0.1 0193a1f2"]);
        assert!(narrow[0].len() <= 80, "{}", narrow[0]);
        assert_eq!(logged_on(|| Some(120), || call_of_ann(method)), logged(|| call_of_ann(method)));
        // What is wrong is looked for by its whole id.
        let failed = logged_on(
            || Some(80),
            || {
                tracing::info_span!("call", request_id = ID).in_scope(|| tracing::error!("it failed"));
            },
        );
        assert_eq!(failed, [format!("09:25:20Z ERROR it failed {ID}")]);
    }

    #[test]
    fn a_call_is_a_line_that_fits_with_who_made_it() {
        let id = ID;
        let lines = logged(|| call_of_ann("secretsapi.v1.ResolveService/Resolve"));
        let call = "Resolve OK 3.2 ms acme/users/ann 127.0.0.1";
        let seconds = "2026-12-01 09:25:20Z";
        assert_eq!(lines, [format!("{seconds} INFO  {call} {id}")]);
        assert!(lines[0].len() <= 120 && lines[0].len() - id.len() <= 80, "{}", lines[0]);
    }

    #[test]
    fn what_was_refused_says_why_and_everything_else_its_fields() {
        let lines = logged(|| {
            let (method, code, reason) = ("secretsapi.v1.SecretService/GetSecret", "NOT_FOUND", "SECRET_NOT_FOUND");
            tracing::info!(method, code, reason, duration_us = 99_u64, "call");
            tracing::info!(address = %"127.0.0.1:50051", tls = false, "listening");
            tracing::warn!(error = %"two words", line = "a\nb", "it\nfailed");
            tracing::warn!(target: "h2::proto", "of a dependency");
            tracing::debug!("looked at");
        });
        let ends = [
            "INFO  GetSecret SECRET_NOT_FOUND 0.0 ms",
            "INFO  listening address=127.0.0.1:50051 tls=false",
            r#"WARN  it\nfailed error="two words" line="a\nb""#,
            "WARN  h2::proto: of a dependency",
            "DEBUG secrets_server::telemetry::log::pretty::tests: looked at",
        ];
        for (line, end) in lines.iter().zip(ends) {
            assert!(line.ends_with(&format!("Z {end}")), "{line}");
        }
        assert_eq!(lines.len(), ends.len());
    }
}
