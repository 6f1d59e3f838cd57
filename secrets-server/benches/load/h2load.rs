//! The load generator for requests that are all alike: nghttp2's h2load, which leaves the cores to the server.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::fixture::Resolvable;
use crate::{Outcome, Result};

/// Connections and, on each, requests under way at once.
const CONNECTIONS: u64 = 8;
const STREAMS_PER_CONNECTION: u64 = 4;
/// Requests that warm a server up and show how fast it is.
const WARM_UP_REQUESTS: u64 = 3_000;
/// How many bytes longer an answer may be than when it was first recorded.
const MAX_REPLY_GROWTH_BYTES: u64 = 16;

/// One `Resolve`, over and over.
pub(crate) struct Load {
    url: String,
    token: String,
    body: NamedTempFile,
    reply_bytes: u64,
    requests: u64,
}

impl Load {
    /// The request for `answer` at the server on `port`.
    pub(crate) fn new(port: u16, answer: &Resolvable) -> Result<Self> {
        let mut body = NamedTempFile::new()?;
        body.write_all(&framed(&answer.request)?)?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}/secretsapi.v1.ResolveService/Resolve"),
            token: answer.token.clone(),
            body,
            reply_bytes: framed(&answer.reply)?.len().try_into()?,
            requests: WARM_UP_REQUESTS,
        })
    }

    /// Warms the server up, and chooses as many requests as take about `duration`.
    pub(crate) fn calibrate(&mut self, duration: Duration) -> Result<()> {
        for _ in 0..2 {
            let outcome = self.run()?;
            let rate = outcome.requests as f64 / outcome.elapsed.as_secs_f64();
            self.requests = ((rate * duration.as_secs_f64()) as u64).max(CONNECTIONS * STREAMS_PER_CONNECTION);
        }
        Ok(())
    }

    /// One measurement. It is an error if any request was not answered with the whole reply.
    pub(crate) fn run(&self) -> Result<Outcome> {
        let output = Command::new("h2load")
            .args(["-t", "1", "-n", &self.requests.to_string()])
            .args(["-c", &CONNECTIONS.to_string(), "-m", &STREAMS_PER_CONNECTION.to_string()])
            .args(["-H", "content-type: application/grpc", "-H", "te: trailers"])
            .args(["-H", &format!("authorization: Bearer {}", self.token)])
            .arg("-d")
            .arg(self.body.path())
            .arg(&self.url)
            .output()
            .map_err(|error| format!("h2load (Debian: nghttp2-client): {error}"))?;
        let report = String::from_utf8(output.stdout)?;
        let report = Report::parse(&report).ok_or_else(|| format!("unexpected output of h2load: {report}"))?;
        // An error would be a `200 OK` too, with the gRPC status in its trailers and no message: the number of bytes shows it. Nothing
        // is written during a measurement, so its answers are all alike; between measurements, their revision may gain some digits.
        let alike = report.data.is_multiple_of(self.requests);
        let whole =
            (self.reply_bytes..=self.reply_bytes + MAX_REPLY_GROWTH_BYTES).contains(&(report.data / self.requests));
        if report.succeeded != self.requests || !alike || !whole {
            let succeeded = format!("{} of {} requests succeeded", report.succeeded, self.requests);
            return Err(format!("{succeeded}, with {} bytes instead of {} each", report.data, self.reply_bytes).into());
        }
        Ok(Outcome { requests: self.requests, elapsed: report.elapsed })
    }
}

/// A message as gRPC sends it: not compressed, its length, itself.
fn framed(message: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(message.len())?;
    Ok([&[0], &length.to_be_bytes()[..], message].concat())
}

/// What is of interest in h2load's report.
struct Report {
    elapsed: Duration,
    succeeded: u64,
    data: u64,
}

impl Report {
    fn parse(text: &str) -> Option<Self> {
        let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
        let elapsed = line("finished in ")?.split(',').next()?;
        let succeeded = line("requests: ")?.split(", ").find_map(|part| part.strip_suffix(" succeeded"))?;
        let data = line("traffic: ")?.strip_suffix(") data")?.rsplit('(').next()?;
        Some(Self { elapsed: duration(elapsed)?, succeeded: succeeded.parse().ok()?, data: data.parse().ok()? })
    }
}

/// `3.02s`, `870.11ms` or `512us`, as h2load prints times.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        "s" => number,
        "ms" => number / 1e3,
        "us" => number / 1e6,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}
