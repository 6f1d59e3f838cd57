//! One line an attacker.

use std::iter::zip;

use crate::attack::Attack;
use crate::measurement::Measurement;
use crate::{MAX_GROWTH_MIB, MAX_KEPT_MIB, MAX_RATIO};

/// Descriptors that may be left: the server's own connections to its database.
const MAX_KEPT_DESCRIPTORS: usize = 64;

/// The measurements of one attacker, one a round.
pub(crate) struct Row {
    pub(crate) attack: Attack,
    pub(crate) measurements: Vec<Measurement>,
}

impl Row {
    pub(crate) fn new(attack: Attack) -> Self {
        Self { attack, measurements: Vec::new() }
    }

    fn is_bounded(&self) -> bool {
        self.median(Measurement::ratio) <= MAX_RATIO
            && !self.measurements.iter().any(Measurement::too_many_failures)
            && self.most(Measurement::growth_mib) <= MAX_GROWTH_MIB
            && self.most(Measurement::kept_mib) <= MAX_KEPT_MIB
            && self.measurements.iter().all(|one| one.kept_descriptors() <= MAX_KEPT_DESCRIPTORS)
    }

    fn cells(&self) -> [String; 7] {
        let ratios = self.sorted(Measurement::ratio);
        let failed: u64 = self.measurements.iter().map(|one| one.attacked.failed).sum();
        let made: u64 = self.measurements.iter().map(|one| one.attacked.made).sum();
        [
            self.attack.to_string(),
            format!("{:.1} ms", self.median(|one| one.control.p99.as_secs_f64() * 1e3)),
            format!(
                "{:.2} ({:.2} – {:.2})",
                self.median(Measurement::ratio),
                ratios.first().copied().unwrap_or(f64::NAN),
                ratios.last().copied().unwrap_or(f64::NAN)
            ),
            format!("{failed} of {made}"),
            format!("+{} MiB", self.most(Measurement::growth_mib)),
            format!("+{} MiB", self.most(Measurement::kept_mib)),
            if self.is_bounded() { "yes".into() } else { "no".into() },
        ]
    }

    fn sorted(&self, value: impl Fn(&Measurement) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = self.measurements.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn median(&self, value: impl Fn(&Measurement) -> f64) -> f64 {
        let values = self.sorted(value);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn most(&self, value: impl Fn(&Measurement) -> u64) -> u64 {
        self.measurements.iter().map(value).max().unwrap_or_default()
    }
}

/// Prints the rows as a table of Markdown. Returns whether every attacker is bounded.
pub(crate) fn print(title: &str, rows: &[Row]) -> bool {
    let header = ["attacker", "p99 of control", "p99 ÷ control", "failed", "peak", "kept after 5 s", "bounded"];
    let mut lines = vec![header.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let widths: Vec<usize> = (0..header.len())
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    println!("\n{title}\n");
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<_> = zip(line, &widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        println!("| {} |", cells.join(" | "));
        if index == 0 {
            println!("|{}|", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|"));
        }
    }
    println!(
        "\nRatios are medians (smallest – largest) of the rounds; peaks, and what is kept of them, are the largest."
    );
    rows.iter().all(Row::is_bounded)
}
