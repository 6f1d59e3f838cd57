//! `make bench`: what a `Resolve` and a durable `CreateSecret` cost, as ratios to a raw tonic server that returns the same bytes.
//!
//! Everything is measured in one run, since machines differ and change: after a warm-up, every case is measured once in each of several
//! rounds, and a ratio compares two cases of one round. The table shows medians with the smallest and the largest. CPU is
//! the server process's own, as Linux counts it; the load generator's and PostgreSQL's are not in it.
//!
//! To add a case: a line in [`cases`], and how it is measured in [`Case::measure`].

mod echo;
mod fixture;
mod h2load;
mod raw;
mod table;
mod writes;
#[path = "../support"]
mod support {
    pub(crate) mod machine;
    pub(crate) mod process;
    #[expect(dead_code, reason = "another benchmark has two servers on one database")]
    pub(crate) mod server;
}

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser as _;

use self::fixture::{Fixture, Resolvable};
use self::h2load::Load;
use self::support::machine;
use self::support::process::Process;
use self::table::{Measurement, Row};
use self::writes::Writers;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How many values the resolved contexts have.
const VALUE_COUNTS: [usize; 2] = [10, 100];
/// How many clients write at once.
const CLIENT_COUNTS: [usize; 2] = [1, 32];

/// Measures Resolve and CreateSecret against a raw tonic echo.
#[derive(clap::Parser)]
struct Options {
    /// Rounds, in each of which every case is measured once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that a measurement takes
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Be the raw echo server instead, on this port, with the reply in this file
    #[arg(long, hide = true, num_args = 2, value_names = ["PORT", "FILE"])]
    echo: Option<Vec<String>>,
    /// Added by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    match options.echo.as_deref() {
        Some([port, file]) => echo::serve(port.parse()?, std::fs::read(file)?).await,
        _ => run(&options).await,
    }
}

async fn run(options: &Options) -> Result<()> {
    let directory = tempfile::TempDir::with_prefix("secrets-bench.")?;
    machine::describe(directory.path())?;

    let sqlite = Fixture::start("SQLite", directory.path().join("sqlite"), None, &VALUE_COUNTS).await?;
    let postgres = match std::env::var("SECRETS_TEST_POSTGRES_URL") {
        Ok(url) => {
            Some(Fixture::start("PostgreSQL", directory.path().join("postgres"), Some(&url), &VALUE_COUNTS).await?)
        }
        Err(_) => {
            eprintln!("SECRETS_TEST_POSTGRES_URL is not set: PostgreSQL is left out");
            None
        }
    };
    let fixtures: Vec<&Fixture> = std::iter::once(&sqlite).chain(&postgres).collect();
    let echoes = echoes(directory.path().to_owned(), &sqlite)?;
    let mut cases = cases(&echoes, &fixtures)?;

    for case in &mut cases {
        eprintln!("warming up: {}", case.label);
        case.warm_up(Duration::from_secs(options.seconds)).await?;
    }
    for round in 1..=options.rounds {
        for case in &mut cases {
            let measurement = case.measure().await?;
            eprintln!("round {round} of {}: {}: {measurement}", options.rounds, case.label);
            case.row.push(measurement);
        }
    }
    table::print(&cases.into_iter().map(|case| (case.label, case.row)).collect::<Vec<_>>());
    Ok(())
}

/// A raw echo server and the size of the answers that it imitates.
struct Echo {
    process: Process,
    answer: Resolvable,
}

fn echoes(directory: PathBuf, imitated: &Fixture) -> Result<Vec<Echo>> {
    let echo = |answer: &Resolvable| {
        let file = directory.join(format!("reply-{}", answer.values));
        std::fs::write(&file, &answer.reply)?;
        let process = Process::start(&std::env::current_exe()?, |command, port| {
            command.arg("--echo").arg(port.to_string()).arg(&file);
        })?;
        Ok(Echo { process, answer: answer.clone() })
    };
    imitated.resolvables.iter().map(echo).collect()
}

/// One line of the table.
struct Case<'a> {
    label: String,
    server: &'a Process,
    work: Work<'a>,
    row: Row,
}

enum Work<'a> {
    /// The same request over and over, by h2load.
    Load(Load),
    /// New secrets, by clients of our own, since each needs a name of its own.
    Write(Writers<'a>),
}

/// The cases in the order of the table; a `base` is the index of the echo that a case is compared with.
fn cases<'a>(echoes: &'a [Echo], fixtures: &[&'a Fixture]) -> Result<Vec<Case<'a>>> {
    let mut cases = Vec::new();
    for (base, Echo { process, answer }) in echoes.iter().enumerate() {
        let label = format!("raw echo, {} values ({} bytes)", answer.values, answer.reply.len());
        let work = Work::Load(Load::new(process.port(), answer)?);
        cases.push(Case { label, server: process, work, row: Row::new(base) });
    }
    for fixture in fixtures {
        for (base, answer) in fixture.resolvables.iter().enumerate() {
            let label = format!("Resolve, {} values, {}", answer.values, fixture.label);
            let work = Work::Load(Load::new(fixture.server.process.port(), answer)?);
            cases.push(Case { label, server: &fixture.server.process, work, row: Row::new(base) });
        }
    }
    for fixture in fixtures {
        for clients in CLIENT_COUNTS {
            let label =
                format!("CreateSecret, {clients} client{}, {}", if clients == 1 { "" } else { "s" }, fixture.label);
            let work = Work::Write(Writers::new(fixture, clients));
            cases.push(Case { label, server: &fixture.server.process, work, row: Row::new(0) });
        }
    }
    Ok(cases)
}

impl Case<'_> {
    /// Warms the server up, and finds out how much work fills a measurement.
    async fn warm_up(&mut self, duration: Duration) -> Result<()> {
        match &mut self.work {
            Work::Load(load) => load.calibrate(duration)?,
            Work::Write(writers) => {
                writers.duration = duration;
                writers.prepare().await?.run(Duration::from_secs(1)).await?;
            }
        }
        Ok(())
    }

    async fn measure(&mut self) -> Result<Measurement> {
        let (outcome, cpu) = match &mut self.work {
            Work::Load(load) => {
                let before = self.server.cpu()?;
                (load.run()?, self.server.cpu()? - before)
            }
            Work::Write(writers) => {
                let prepared = writers.prepare().await?;
                let before = self.server.cpu()?;
                (prepared.run(writers.duration).await?, self.server.cpu()? - before)
            }
        };
        Ok(Measurement::new(outcome.requests, outcome.elapsed, cpu))
    }
}

/// What was done in a measurement.
struct Outcome {
    requests: u64,
    elapsed: Duration,
}
