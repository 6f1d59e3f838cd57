//! Measures what `secrets run` costs, with 20 secrets from a real server: how long after the resolve itself a program's
//! first instruction comes, through pipes and on a terminal; how long after it was written a prompt can be read;
//! and how fast a program's output is forwarded, beside `cat` in the same place.
//!
//! `cargo bench --package secrets-client --bench run`; the goals are printed with the numbers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

const SECRET_COUNT: usize = 20;
const SAMPLES: usize = 21;
const OUTPUT_BYTES: u64 = 1_000_000_000;
/// How much is written at once.
const CHUNK_BYTES: usize = 64 << 10;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // As the program that is run.
        ["stamp"] => println!("{}", now().as_nanos()),
        ["prompt", text] => prompt(text),
        ["write", bytes] => write(bytes.parse().unwrap()),
        // `cargo test --benches` and the like only want to know whether it runs.
        words if words.contains(&"--bench") => measure(SAMPLES, OUTPUT_BYTES),
        _ => measure(1, 10_000_000),
    }
}

fn measure(samples: usize, bytes: u64) {
    let server = Server::start();
    measure_start(&server, samples);
    println!();
    measure_prompt(&server, samples);
    println!();
    measure_speed(&server, samples.div_ceil(4), bytes);
}

fn measure_start(server: &Server, samples: usize) {
    let bench = std::env::current_exe().unwrap();
    let bench = bench.to_str().unwrap();
    let mut rows: [(&str, Vec<Duration>); 4] =
        [("the program alone", vec![]), ("resolve", vec![]), ("run, pipes", vec![]), ("run, terminal", vec![])];
    for _ in 0..samples {
        let mut stamp = Command::new(bench);
        rows[0].1.push(until_stamp(stamp.arg("stamp")));
        let begun = Instant::now();
        let resolved = server.secrets(&["resolve", "--format", "json"]).output().unwrap();
        assert!(resolved.status.success());
        rows[1].1.push(begun.elapsed());
        rows[2].1.push(until_stamp(&mut server.secrets(&["run", "--", bench, "stamp"])));
        rows[3].1.push(until_stamp_on_terminal(&server.secrets(&["run", "--", bench, "stamp"])));
    }
    println!("first instruction of a program, medians of {samples}");
    let medians = rows.map(|(what, times)| (what, median(times)));
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let (alone, resolve) = (medians[0].1, medians[1].1);
    for (what, time) in medians {
        let overhead = match what {
            "run, pipes" | "run, terminal" => {
                format!("  {:>6.1} ms beyond both (goal: at most 30)", millis(time) - millis(resolve) - millis(alone))
            }
            _ => String::new(),
        };
        println!("  {what:<18}{:>6.1} ms{overhead}", millis(time));
    }
}

/// What ends as a value begins is held back, until the program has been silent for a while.
fn measure_prompt(server: &Server, samples: usize) {
    let bench = std::env::current_exe().unwrap();
    let bench = bench.to_str().unwrap();
    println!("a prompt without a newline, from when it is written to when it is read, medians of {samples}");
    for (what, text) in [("any", "Password: "), ("ends as a value begins", "Password for key_")] {
        let command = || server.secrets(&["run", "--", bench, "prompt", text]);
        let (mut pipe, mut terminal) = (Vec::new(), Vec::new());
        for _ in 0..samples {
            let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            pipe.push(until_prompt(child.stdout.as_mut().unwrap(), text));
            drop(child.stdin.take());
            assert!(child.wait().unwrap().success());
            let (mut child, mut screen) = on_terminal(&command());
            terminal.push(until_prompt(&mut screen, text));
            screen.write_all(b"\n").unwrap();
            assert!(child.wait().unwrap().success());
        }
        let [pipe, terminal] = [pipe, terminal].map(|times| median(times).as_secs_f64() * 1000.0);
        println!("  {what:<24}{pipe:>6.1} ms through a pipe, {terminal:>6.1} ms on a terminal (goal: at most 150)");
    }
}

fn measure_speed(server: &Server, samples: usize, bytes: u64) {
    let bench = std::env::current_exe().unwrap();
    let bench = bench.to_str().unwrap();
    let count = bytes.to_string();
    println!("{} MB of a program's output, best of {samples}", bytes / 1_000_000);
    for (to, read) in [("a pipe", true), ("/dev/null", false)] {
        let time = |command: &mut Command| {
            let begun = Instant::now();
            if read {
                let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
                assert_eq!(drain(child.stdout.as_mut().unwrap()), bytes);
                assert!(child.wait().unwrap().success());
            } else {
                assert!(command.stdout(Stdio::null()).status().unwrap().success());
            }
            begun.elapsed()
        };
        let (mut cat, mut run) = (Duration::MAX, Duration::MAX);
        for _ in 0..samples {
            let mut writer = Command::new(bench).args(["write", &count]).stdout(Stdio::piped()).spawn().unwrap();
            cat = cat.min(time(Command::new("cat").stdin(writer.stdout.take().unwrap())));
            writer.wait().unwrap();
            run = run.min(time(&mut server.secrets(&["run", "--", bench, "write", &count])));
        }
        let speed = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e9;
        println!(
            "  into {to:<10} through cat {:>5.2} GB/s, through run {:>5.2} GB/s: {:.2} times as long (goal: at most 1.5)",
            speed(cat),
            speed(run),
            run.as_secs_f64() / cat.as_secs_f64()
        );
    }
}

/// A server with its data in memory or a temporary directory, and the one who is signed in there.
struct Server {
    process: Child,
    environment: Vec<(String, String)>,
    home: TempDir,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(server_program())
            .args(["dev", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        std::thread::spawn(move || stdout.lines().for_each(drop)); // what follows must not find a closed pipe
        let pairs = line.trim().strip_prefix("export ").unwrap().split(' ').map(|pair| pair.split_once('=').unwrap());
        let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let server = Self { process, environment, home: tempfile::tempdir().unwrap() };
        for number in 0..SECRET_COUNT {
            let mut set = server.secrets(&["set", &format!("BENCH_{number}")]);
            let mut set = set.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let value =
                format!("key_{:040x}", (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            set.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
            assert!(set.wait().unwrap().success());
        }
        server
    }

    fn secrets(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secrets"));
        command.args(words).current_dir(self.home.path()).env("HOME", self.home.path());
        command.env_remove("XDG_CONFIG_HOME").envs(self.environment.iter().cloned());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.process),
            rustix::process::Signal::TERM,
        );
        let _ = self.process.wait();
    }
}

/// The server's program, which lies beside ours; built if it does not exist.
fn server_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_secrets")).with_file_name("secrets-server");
    if !program.exists() {
        let release: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let mut build = Command::new(env!("CARGO"));
        let built = build.args(["build", "--locked", "--package", "secrets-server"]).args(release).status();
        assert!(built.unwrap().success() && program.exists());
    }
    program
}

/// From here to the first instruction of the program, which prints its time.
fn until_stamp(command: &mut Command) -> Duration {
    let begun = now();
    let output = command.output().unwrap();
    since(begun, &String::from_utf8(output.stdout).unwrap())
}

fn until_stamp_on_terminal(command: &Command) -> Duration {
    let begun = now();
    let (mut child, screen) = on_terminal(command);
    let mut line = String::new();
    // Open until the program has ended, which a terminal that goes away would end sooner.
    let mut screen = BufReader::new(screen);
    screen.read_line(&mut line).unwrap();
    assert!(child.wait().unwrap().success());
    since(begun, &line)
}

/// The program on a terminal of its own, and the other side of that.
fn on_terminal(command: &Command) -> (Child, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::from(open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap());
    let mut program = Command::new("setsid");
    program.arg("--ctty").arg(command.get_program()).args(command.get_args());
    program.current_dir(command.get_current_dir().unwrap());
    program.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let stdio = || slave.try_clone().unwrap();
    let child = program.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
    (child, File::from(master))
}

/// From when the program wrote its prompt to when the last of it was read.
fn until_prompt(from: &mut impl Read, text: &str) -> Duration {
    let (mut seen, mut chunk) = (Vec::new(), [0; 512]);
    while !seen.ends_with(text.as_bytes()) {
        let count = from.read(&mut chunk).unwrap();
        assert!(count > 0, "it ended without a prompt");
        seen.extend_from_slice(&chunk[..count]);
    }
    let read = now();
    let seen = String::from_utf8(seen).unwrap();
    let written: u64 = seen.split_whitespace().next().unwrap().parse().unwrap();
    read.saturating_sub(Duration::from_nanos(written))
}

fn since(begun: Duration, stamp: &str) -> Duration {
    Duration::from_nanos(stamp.trim().parse().unwrap()).saturating_sub(begun)
}

/// The same for all processes.
fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn drain(from: &mut impl Read) -> u64 {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    while let count @ 1.. = from.read(&mut chunk).unwrap() {
        total += count as u64;
    }
    total
}

/// Prints the time and a prompt, and waits for an answer.
fn prompt(text: &str) {
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{} {text}", now().as_nanos()).unwrap();
    stdout.flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Writes what services print: times, words and identifiers, without a secret.
fn write(mut bytes: u64) {
    let mut text = Vec::with_capacity(2 * CHUNK_BYTES);
    let mut number = 1_u64;
    while text.len() < CHUNK_BYTES {
        number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        writeln!(text, "2026-03-14T09:26:53Z INFO GET /api/v1/items/{number:x} status=200 key=\"{number:032x}\"")
            .unwrap();
    }
    text.truncate(CHUNK_BYTES);
    let mut stdout = File::from(std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned().unwrap());
    while bytes > 0 {
        let count = bytes.min(CHUNK_BYTES as u64);
        stdout.write_all(&text[..count as usize]).unwrap();
        bytes -= count;
    }
}
