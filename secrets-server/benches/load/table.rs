//! Medians, spreads and ratios.

use std::fmt;
use std::time::Duration;

/// One measurement of one case.
#[derive(Clone, Copy)]
pub(crate) struct Measurement {
    per_second: f64,
    cpu_micros: f64,
}

impl Measurement {
    /// `requests` were answered within `elapsed`, at `cpu` of the server's time in all.
    pub(crate) fn new(requests: u64, elapsed: Duration, cpu: Duration) -> Self {
        let requests = requests as f64;
        Self { per_second: requests / elapsed.as_secs_f64(), cpu_micros: cpu.as_secs_f64() * 1e6 / requests }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} requests/s, {:.1} µs", self.per_second, self.cpu_micros)
    }
}

/// The measurements of one case, one a round.
pub(crate) struct Row {
    base: usize,
    measurements: Vec<Measurement>,
}

impl Row {
    /// An empty row, whose ratios are taken to the row at index `base`.
    pub(crate) fn new(base: usize) -> Self {
        Self { base, measurements: Vec::new() }
    }

    /// Adds the next round's measurement.
    pub(crate) fn push(&mut self, measurement: Measurement) {
        self.measurements.push(measurement);
    }

    fn spread(&self, value: impl Fn(&Measurement) -> f64) -> Spread {
        Spread::new(self.measurements.iter().map(value).collect())
    }

    /// Round by round, since what slows a machine for a minute slows both.
    fn ratio(&self, base: &Self, value: impl Fn(&Measurement) -> f64) -> Spread {
        Spread::new(
            self.measurements.iter().zip(&base.measurements).map(|(own, other)| value(own) / value(other)).collect(),
        )
    }
}

/// Prints the rows under their labels: median (smallest – largest).
pub(crate) fn print(rows: &[(String, Row)]) {
    let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    println!();
    println!(
        "{:width$}  {:>26}  {:>24}  {:>22}  {:>22}",
        "", "requests/s", "server CPU µs/request", "CPU ÷ raw echo", "req/s ÷ raw echo"
    );
    for (label, row) in rows {
        let Some((_, base)) = rows.get(row.base) else { continue };
        println!(
            "{label:width$}  {:>26}  {:>24}  {:>22}  {:>22}",
            row.spread(|measurement| measurement.per_second).show(0),
            row.spread(|measurement| measurement.cpu_micros).show(1),
            row.ratio(base, |measurement| measurement.cpu_micros).show(2),
            row.ratio(base, |measurement| measurement.per_second).show(3),
        );
    }
    println!();
    println!(
        "Each cell: median (smallest – largest) of the rounds. Resolve is compared with the echo of its own size,"
    );
    println!("CreateSecret with the first. A Resolve is audited durably, a CreateSecret committed, before its reply.");
}

struct Spread {
    median: f64,
    smallest: f64,
    largest: f64,
}

impl Spread {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self { median, smallest: at(0), largest: at(values.len().wrapping_sub(1)) }
    }

    fn show(&self, decimals: usize) -> String {
        format!("{:.decimals$} ({:.decimals$} – {:.decimals$})", self.median, self.smallest, self.largest)
    }
}
