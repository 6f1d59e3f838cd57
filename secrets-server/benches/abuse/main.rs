//! `make abuse`: whether a calm caller notices an attacker.
//!
//! The server, its database and the calm caller share one processor; the attacker has another, at the lowest priority, so that
//! what it costs by merely running is not counted. The control is the same attacker against a port that drops every connection.
//! In each of several rounds the calm caller makes the same calls beside the control and beside the attack, of every attacker
//! in turn; a ratio compares two measurements of one round.
//!
//! An attacker is bounded as it should be when the median ratio of the calm caller's 99th percentile is at most
//! [`MAX_RATIO`], at most one of its calls in a thousand fails, the server takes at most [`MAX_GROWTH_MIB`] more memory, and five
//! seconds after the end no connection is left and at most [`MAX_KEPT_MIB`] of the memory. The program fails unless all are.
//!
//! To add an attacker: a variant of [`Attack`](attack::Attack), and a file that says what it does.

mod attack;
mod attacker;
mod calm;
mod measurement;
mod organizations;
mod processor;
mod table;
mod target;
#[path = "../support"]
mod support {
    pub(crate) mod machine;
    #[expect(dead_code, reason = "another benchmark measures the time of the processor")]
    pub(crate) mod process;
    pub(crate) mod server;
}

use std::time::Duration;

use clap::Parser as _;
use clap::ValueEnum as _;

use self::attack::Attack;
use self::attacker::{Against, Attacker};
use self::calm::Calm;
use self::measurement::{Measurement, Taken};
use self::organizations::Organizations;
use self::table::Row;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const MAX_RATIO: f64 = 2.0;
const MAX_FAILURES_PER_MILLION: u64 = 1_000;
const MAX_GROWTH_MIB: u64 = 256;
/// The allocator gives pages back over ten seconds, and caches of the database stay warm.
const MAX_KEPT_MIB: u64 = 128;
/// How long an attacker attacks before anything is measured.
const START_TIME: Duration = Duration::from_secs(1);
/// How long after the end of an attack everything is as it was before.
const RECOVERY_TIME: Duration = Duration::from_secs(5);

/// Measures what a calm caller notices of an attacker.
#[derive(clap::Parser)]
struct Options {
    /// Rounds, in each of which every attacker is measured once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls that the calm caller makes in a measurement
    #[arg(long, default_value_t = 3_000)]
    calls: usize,
    /// Measure these attackers only
    #[arg(long, value_enum)]
    only: Vec<Attack>,
    /// Measure on this database only
    #[arg(long, value_enum)]
    database: Option<Database>,
    /// Be this attacker instead; reads from standard input whom it attacks, and ends with it
    #[arg(long, value_enum, hide = true)]
    attack: Option<Attack>,
    /// Added by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

impl Options {
    fn measures_on(&self, database: Database) -> bool {
        self.database.is_none_or(|only| only == database)
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(attack) = options.attack {
        return attacker::run(attack);
    }
    // Before any thread is there: they and the servers inherit it.
    processor::pin(processor::SERVER)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&options))
}

async fn run(options: &Options) -> Result<()> {
    let directory = tempfile::TempDir::with_prefix("secrets-abuse.")?;
    support::machine::describe(directory.path())?;
    let mut bounded = true;
    if options.measures_on(Database::Sqlite) {
        let sqlite = Organizations::on_sqlite(&directory.path().join("sqlite")).await?;
        bounded &= measure_all(options, "SQLite, one server", &sqlite).await?;
    }
    if !options.measures_on(Database::Postgres) {
        // Not asked for.
    } else if let Ok(url) = std::env::var("SECRETS_TEST_POSTGRES_URL") {
        let postgres = Organizations::on_postgres(&directory.path().join("postgres"), &url).await?;
        bounded &= measure_all(options, "PostgreSQL, two servers", &postgres).await?;
    } else {
        eprintln!("SECRETS_TEST_POSTGRES_URL is not set: PostgreSQL is left out");
    }
    if bounded { Ok(()) } else { Err("an attacker is noticed more than it may be".into()) }
}

/// Measures every attacker in every round, and prints the table. Returns whether all are bounded.
async fn measure_all(options: &Options, title: &str, organizations: &Organizations) -> Result<bool> {
    let attacks = if options.only.is_empty() { Attack::value_variants() } else { &options.only };
    let mut rows: Vec<Row> = attacks.iter().map(|&attack| Row::new(attack)).collect();
    let mut calm = organizations.calm().await?;
    calm.measure(options.calls).await;
    for round in 1..=options.rounds {
        for row in &mut rows {
            let measurement = measure(row.attack, &mut calm, organizations, options.calls).await?;
            eprintln!("round {round} of {}: {title}: {}: {measurement}", options.rounds, row.attack);
            row.measurements.push(measurement);
        }
    }
    Ok(table::print(title, &rows))
}

async fn measure(attack: Attack, calm: &mut Calm, organizations: &Organizations, calls: usize) -> Result<Measurement> {
    let control = {
        let _attacker = Attacker::start(attack, organizations.target(), Against::DroppingPort)?;
        tokio::time::sleep(START_TIME).await;
        calm.measure(calls).await
    };
    let before = Taken::by(organizations.servers())?;
    Taken::forget_peaks(organizations.servers())?;
    let attacked = {
        let _attacker = Attacker::start(attack, organizations.target(), Against::Server)?;
        tokio::time::sleep(START_TIME).await;
        calm.measure(calls).await
    };
    let during = Taken::by(organizations.servers())?;
    tokio::time::sleep(RECOVERY_TIME).await;
    let after = Taken::by(organizations.servers())?;
    Ok(Measurement { control, attacked, before, during, after })
}
