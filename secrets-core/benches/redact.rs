//! Measures the redactor on one core: how fast text passes, without a secret in it and with secrets as 1 % of its
//! bytes, beside copying the same text in the same run; and how much memory the patterns take.
//!
//! `cargo bench --package secrets-core --bench redact`; goals are told with the numbers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use secrets_core::Redaction;
use secrets_core::redact::{Masked, Redactor};

const TEXT: usize = 64 << 20;
/// What a pipe holds.
const PIECE: usize = 64 << 10;
const VALUE: usize = 40;
const TURNS: usize = 5;

fn main() {
    // `cargo test --benches` and the like only want to know whether it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let size = if is_trial { 1 << 20 } else { TEXT };

    measure_memory(); // first, as what is freed later would be taken again
    println!();
    println!(
        "                    GB/s without hits  GB/s with 1 % hits  GB/s memcpy  without/memcpy  goal without hits"
    );
    measure_speed("10 values", size, &Random(10).values(10), "1.0");
    measure_speed("100 values", size, &Random(100).values(100), "");
    measure_speed("500 values", size, &Random(500).values(500), "0.3");
    let mut with_short = Random(501).values(500);
    with_short[0].truncate(6); // the shorter the shortest value, the closer the text is looked at
    measure_speed("500, one of 6 bytes", size, &with_short, "");
}

fn measure_memory() {
    let values = Random(7).values(500);
    let before = memory("VmRSS:");
    let start = Instant::now();
    let redactor = redactor(&values);
    let took = start.elapsed().as_secs_f64() * 1000.0;
    println!("500 values of {VALUE} bytes: compiled in {took:.0} ms");
    if let (Some(before), Some(after), Some(peak)) = (before, memory("VmRSS:"), memory("VmHWM:")) {
        let more = |now: u64| now.saturating_sub(before) as f64 / 1024.0;
        println!("  {:.1} MiB resident, {:.1} MiB while compiling (goal: at most 64 MiB)", more(after), more(peak));
    }
    black_box(redactor);
}

fn measure_speed(what: &str, size: usize, values: &[Vec<u8>], goal: &str) {
    let redactor = redactor(values);
    let (clean, hit) = (Random(1).log(size, &[]), Random(1).log(size, values));
    let masked = String::from_utf8(redactor.redact(&hit)).unwrap();
    assert!(redactor.redact(&clean) == clean && masked.matches("***").count() > size / VALUE / 200);

    let copied = speed(&clean, |piece, output| output.extend_from_slice(piece));
    let mut stream = redactor.stream();
    let without = speed(&clean, |piece, output| stream.push(piece, output));
    let with = speed(&hit, |piece, output| stream.push(piece, output));
    let ratio = without / copied;
    println!("{what:<20}{without:>17.2}  {with:>18.2}  {copied:>11.2}  {ratio:>14.3}  {goal:>17}");
}

fn redactor(values: &[Vec<u8>]) -> Redactor {
    let masked = |value| Masked { name: "VALUE", value, redaction: Redaction::Default };
    Redactor::new(values.iter().map(|value| masked(value.as_slice()))).unwrap()
}

/// The best of some turns, in GB/s: noise only ever makes it slower.
fn speed(text: &[u8], mut pass: impl FnMut(&[u8], &mut Vec<u8>)) -> f64 {
    let mut output = Vec::with_capacity(2 * PIECE);
    let mut turn = || -> Duration {
        let start = Instant::now();
        for piece in text.chunks(PIECE) {
            output.clear();
            pass(black_box(piece), &mut output);
            black_box(&output);
        }
        start.elapsed()
    };
    let best = (0..TURNS).map(|_| turn()).min().unwrap();
    text.len() as f64 / best.as_secs_f64() / 1e9
}

/// A number of KiB from what Linux tells of this process; none elsewhere.
fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()
}

/// Repeatable numbers (xorshift); nothing here is secret.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        for shift in [13, -7, 17] {
            self.0 ^= if shift > 0 { self.0 << shift } else { self.0 >> -shift };
        }
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn letters(&mut self, alphabet: &[u8], count: usize) -> Vec<u8> {
        (0..count).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    fn values(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.value()).collect()
    }

    /// With punctuation, so that it has many spellings.
    fn value(&mut self) -> Vec<u8> {
        self.letters(br#"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_.!&<"' $%"#, VALUE)
    }

    /// What services print: words, times, identifiers in hexadecimal, base64, JSON. With `values`, those are 1 % of it.
    fn log(&mut self, size: usize, values: &[Vec<u8>]) -> Vec<u8> {
        const WORDS: [&str; 12] = [
            "request",
            "finished",
            "user",
            "GET /api/v1/items",
            "status=200",
            "cache miss",
            "retrying",
            "connection",
            "\"level\":\"info\"",
            "ms",
            "at main.rs:128",
            "warning: deprecated",
        ];
        let mut log = Vec::with_capacity(size + 1024);
        let mut hits = 0;
        while log.len() < size {
            let number = self.below(1_000_000);
            log.extend_from_slice(format!("2026-03-14T09:26:53.{number:06}Z ").as_bytes());
            for _ in 0..4 + self.below(6) {
                match self.below(8) {
                    0 => log.extend(self.letters(b"0123456789abcdef", 32)),
                    1 => log
                        .extend(self.letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 24)),
                    _ => log.extend_from_slice(WORDS[self.below(WORDS.len())].as_bytes()),
                }
                log.push(b' ');
            }
            if !values.is_empty() && hits * 100 * VALUE < log.len() {
                log.extend_from_slice(&values[self.below(values.len())]);
                hits += 1;
            }
            log.push(b'\n');
        }
        log.truncate(size);
        log
    }
}
