//! `run --watch`: a program that is started again, or told, when what it gets has changed.
//!
//! Nothing that goes wrong with the watch, or with a new set, stops the program: it goes on with what it has.

use std::time::Duration;

use clap::Args;
use rustix::process::Signal;
use secrets_client::{LiveEvent, ResolvedSecret, ResolvedSet, changed_names};
use tokio::time::{Instant, timeout_at};

use super::{PreparedProgram, RunArgs};
use crate::app::App;
use crate::args::time;
use crate::delivery::Placement;
use crate::output_masking::masking;
use crate::supervise::child::Child;
use crate::supervise::program::Program;
use crate::supervise::signals::Signals;
use crate::ui::error::CliError;
use crate::ui::output::text;

/// How long a program has to end before it is killed, unless told otherwise.
const GRACE: Duration = Duration::from_secs(10);
/// Values of before that stay masked; a program may still write them.
const REMEMBERED: usize = 200;

#[derive(Args, Debug)]
pub(super) struct WatchArgs {
    /// Restart the program when its secrets have changed
    #[arg(long)]
    pub(super) watch: bool,
    /// With --watch: send this signal instead, for instance HUP; its files are replaced, its variables stay
    #[arg(long, value_name = "SIGNAL", requires = "watch", value_parser = signal)]
    signal: Option<Signal>,
    /// With --watch: wait a random time up to this, so that many programs do not restart at once
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = time::duration)]
    splay: Option<Duration>,
    /// With --watch: how long the program has to end before it is killed [default: 10s]
    #[arg(long, value_name = "DURATION", requires = "watch", conflicts_with = "signal", value_parser = time::duration)]
    grace: Option<Duration>,
}

/// What runs, and what it was given.
pub(super) struct Watched<'a> {
    app: &'a App,
    args: &'a RunArgs,
    placement: &'a mut Placement,
    program: Program,
    set: ResolvedSet,
    /// What earlier sets had and this one does not.
    retired: Vec<ResolvedSecret>,
}

/// A program was told to end, and did.
enum Ended {
    /// For a new one to take its place.
    Replaced,
    /// As somebody else wanted too; with this code.
    ForGood(u8),
}

/// Runs the program to its end, with one set after the other.
pub(super) async fn run(
    app: &App,
    args: &RunArgs,
    prepared: PreparedProgram,
    set: ResolvedSet,
    signals: &mut Signals,
) -> (Placement, Result<u8, CliError>) {
    let PreparedProgram { mut placement, program } = prepared;
    let watched = Watched { app, args, placement: &mut placement, program, set, retired: Vec::new() };
    let ended = watched.run(signals).await;
    (placement, ended)
}

impl Watched<'_> {
    async fn run(mut self, signals: &mut Signals) -> Result<u8, CliError> {
        let RunArgs { context, only, watching, .. } = self.args;
        let mut live_set = self.app.live_set(&self.set, only, watching.splay)?;
        let mut child = Child::start(&self.program).await?;
        loop {
            let event = tokio::select! {
                biased;
                code = child.wait(signals) => {
                    // Whoever ends us by our group does not reach one that the program leads.
                    if signals.asked_to_end() {
                        child.signal_descendants(Signal::TERM);
                    }
                    return Ok(code);
                }
                event = live_set.next() => event,
            };
            let set = match event {
                LiveEvent::Set(set) => *set,
                LiveEvent::Refused(error) => {
                    let error = CliError::from(error);
                    child.print_line(&format!("secrets: the program keeps what it has: {}", error.message()));
                    continue;
                }
                LiveEvent::Ended(error) => {
                    let error = CliError::from(error);
                    child.print_line(&format!("secrets: stopped watching for changes: {}", error.message()));
                    continue;
                }
                LiveEvent::SessionEnds(warning) => {
                    child.print_line(&format!("secrets: {}", text::session_ends(&warning)));
                    continue;
                }
            };
            let names = changed_names(&self.set.secrets, &set.secrets).join(", ");
            let notices = self.app.new_notices(&set).into_iter();
            let own = self.args.notices(&set).into_iter().chain(self.args.skipped(&set));
            for notice in notices.chain(self.app.not_said_before(own)) {
                child.print_line(&format!("secrets: {notice}"));
            }
            if let Err(error) = self.deliver(set, &child) {
                child.print_line(&format!(
                    "secrets: {names} changed, and the program keeps what it has: {}",
                    error.message()
                ));
                continue;
            }
            if let Err(error) = self.args.fallback.keep(self.app, context, only, &self.set) {
                child.print_line(&format!("secrets: the fallback was not updated: {}", error.message()));
            }
            if let Some(signal) = self.args.watching.signal {
                child.print_line(&format!("secrets: {names} changed; the program is sent {}", name_of(signal)));
                child.signal(signal);
                continue;
            }
            child.print_line(&format!("secrets: {names} changed; the program is started again"));
            if let Ended::ForGood(code) = self.end(&mut child, signals).await {
                return Ok(code);
            }
            drop(child); // its terminal is given back before the next one takes it
            child = Child::start(&self.program).await?;
        }
    }

    /// Puts a new set in the place of the old one. On a failure the old one stays, files and all.
    fn deliver(&mut self, set: ResolvedSet, child: &Child) -> Result<(), CliError> {
        let plan = self.args.plan(&set)?;
        let is_gone = |old: &ResolvedSecret| {
            !set.secrets.iter().any(|new| new.secret_id() == old.secret_id() && new.expose() == old.expose())
        };
        let masked = set.secrets.iter().chain(&self.retired).chain(self.set.secrets.iter().filter(|old| is_gone(old)));
        let masked = masked.filter(|secret| !masking::is_named(&self.args.unmask.unmask, secret));
        let redactor = self
            .program
            .masking
            .is_some()
            .then(|| masking::redactor(masked, super::own_token(self.app)))
            .transpose()?;
        self.args.print_hints(self.app, &set)?;
        self.placement.replace(&plan)?;
        if let (Some(masking), Some(redactor)) = (&self.program.masking, redactor) {
            let before = masking.unmasked_note(&self.args.unmask);
            masking.replace(redactor);
            if let Some(shown) = masking.unmasked_note(&self.args.unmask).filter(|shown| before.as_ref() != Some(shown))
            {
                child.print_line(&shown);
            }
        }
        self.program.environment = self.args.environment(&plan, self.placement).variables();
        let gone: Vec<bool> = self.set.secrets.iter().map(is_gone).collect();
        let old = std::mem::replace(&mut self.set, set).secrets;
        self.retired.extend(old.into_iter().zip(gone).filter_map(|(secret, gone)| gone.then_some(secret)));
        self.retired.drain(..self.retired.len().saturating_sub(REMEMBERED));
        Ok(())
    }

    /// Tells the program to end, and sees to it that it does.
    async fn end(&self, child: &mut Child, signals: &mut Signals) -> Ended {
        signals.forget();
        child.signal(Signal::TERM);
        child.signal(Signal::CONT); // one that is stopped takes no other
        let end = Instant::now() + self.args.watching.grace.unwrap_or(GRACE);
        let code = match timeout_at(end, child.wait(signals)).await {
            Ok(code) => code,
            Err(_) => {
                child.signal(Signal::KILL);
                child.wait(signals).await
            }
        };
        tokio::select! {
            () = child.end_descendants(end) => {}
            _ = signals.ending() => {}
        }
        // Whoever wanted to end all of it meanwhile does not want another program.
        if signals.asked_to_end() { Ended::ForGood(code) } else { Ended::Replaced }
    }
}

const SIGNALS: [(&str, Signal); 10] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("TERM", Signal::TERM),
    ("ALRM", Signal::ALARM),
    ("CONT", Signal::CONT),
    ("WINCH", Signal::WINCH),
];

/// `HUP`, `SIGHUP` or `1`.
fn signal(text: &str) -> Result<Signal, String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = |(known, signal): &(&str, Signal)| *known == name || signal.as_raw().to_string() == name;
    SIGNALS.iter().find(|known| named(known)).map(|(_, signal)| *signal).ok_or_else(|| {
        let names: Vec<&str> = SIGNALS.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn name_of(signal: Signal) -> String {
    let known = SIGNALS.iter().find(|(_, known)| *known == signal);
    known.map_or_else(|| format!("signal {}", signal.as_raw()), |(name, _)| format!("SIG{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_signals_as_kill_does() {
        for text in ["HUP", "SIGHUP", "hup", "1"] {
            assert_eq!(signal(text).unwrap(), Signal::HUP, "{text}");
        }
        for text in ["", "SIG", "0", "-1", "HUP1", "STOP"] {
            assert!(signal(text).unwrap_err().contains("HUP"), "{text}");
        }
        assert_eq!(name_of(Signal::USR2), "SIGUSR2");
    }
}
