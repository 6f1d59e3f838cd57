//! A section of a README, typed into a shell on a terminal, with answers to what its commands ask.
//!
//! The terminal is a pseudo-terminal of 120 columns, which `script` (Debian's bsdutils) provides: questions are asked, values
//! hidden and tables made as for a person. The blocks are one script, so that a section is one shell. Before each block the
//! shell prints a mark and waits until the test has seen it; from then on what comes out belongs to that block.
//!
//! Moved by the test are only the addresses, `127.0.0.1:50051` and `:50052`, to ports that are free: in the text, and by the
//! environment where a command means the default.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::readme::{Block, Step, is_shown};
use crate::support::{TestDir, free_port};

/// Longer than a section takes on a busy machine.
const SECTION_TIMEOUT: Duration = Duration::from_secs(180);
/// How often what has come out is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// What the shell prints between blocks; no command does.
const MARK: char = '\u{1e}';

/// What every section's shell begins with. `printed` is the last word beginning so that a command has printed. What is still
/// running at the end has a process group of its own, and is ended.
const PRELUDE: &str = r#"
set -e -o pipefail; shopt -s expand_aliases; stty cols 120 rows 40
running=
trap 'kill -- $running 2> .killed || true' EXIT
printed() { LC_ALL=C cat "$PLAY"/shown "$PLAY"/running-* 2> /dev/null | grep -aoE "$1[A-Za-z0-9_-]+" | tail -n 1; }
begin() { printf '\036%s\n' "$1"; until [ -e "$PLAY/begin-$1" ]; do sleep 0.02; done; }
until_shown() { until [ -e "$PLAY/shown-$1" ]; do sleep 0.02; done; }
"#;

/// Plays the blocks of `file` and compares what comes out with what they show; `replaced` texts of the file are moved elsewhere.
pub(crate) fn play(file: &str, blocks: &[Block], replaced: &[(&str, &str)]) {
    let directory = TestDir::new();
    let (first, second) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let mut replaced = replaced.to_vec();
    replaced.extend([("127.0.0.1:50051", first.as_str()), ("127.0.0.1:50052", second.as_str())]);

    let play = directory.path().join(".play");
    std::fs::create_dir(&play).unwrap();
    std::fs::write(play.join("script"), script(blocks, &replaced)).unwrap();
    let mut terminal = directory.command("script");
    terminal
        .args(["--quiet", "--flush", "--return", "--command", "exec bash .play/script", "/dev/null"])
        .env("PLAY", &play)
        .env("SHELL", "/bin/bash")
        .env("TERM", "dumb")
        .env("NO_COLOR", "1")
        .env("SECRETS__LISTEN", &first)
        .env("SECRETS_ENDPOINT", format!("http://{first}"))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = terminal.spawn().unwrap();
    let (sender, receiver) = mpsc::channel();
    let mut stdout = child.stdout.take().unwrap();
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut chunk) {
            let _ = sender.send(chunk[..count].to_vec());
        }
    });
    let mut session = Session {
        blocks,
        replaced: &replaced,
        play: play.clone(),
        keyboard: child.stdin.take().unwrap(),
        screen: Vec::new(),
        shown: File::create(play.join("shown")).unwrap(),
        current: None,
        begun_at: 0,
        answered_at: 0,
        answers: 0,
        outputs: vec![None; blocks.len()],
        last_running: 0,
    };
    let deadline = Instant::now() + SECTION_TIMEOUT;
    let in_time = loop {
        match receiver.recv_timeout(POLL_INTERVAL) {
            Ok(chunk) => session.show(&chunk),
            Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
            Err(error) => break error == mpsc::RecvTimeoutError::Disconnected,
        }
        session.advance();
    };
    if !in_time {
        // The shell gets a hang-up with its terminal, and ends what it has started.
        child.kill().unwrap();
    }
    let code = child.wait().unwrap().code();
    session.finish_block();
    session.report(file, if in_time { code } else { None });
}

/// A shell's progress through the blocks.
struct Session<'a> {
    blocks: &'a [Block],
    replaced: &'a [(&'a str, &'a str)],
    play: PathBuf,
    keyboard: ChildStdin,
    /// All that the terminal has shown, here and in a file for the shell.
    screen: Vec<u8>,
    shown: File,
    /// The block that is being typed, and where on the screen it begins.
    current: Option<usize>,
    begun_at: usize,
    /// How far the screen had come when the last answer was typed, and how many answers this block has got.
    answered_at: usize,
    answers: usize,
    outputs: Vec<Option<String>>,
    /// The block whose command keeps running.
    last_running: usize,
}

impl Session<'_> {
    fn show(&mut self, chunk: &[u8]) {
        self.screen.extend_from_slice(chunk);
        // Only ever longer, since the shell may be reading it.
        self.shown.write_all(chunk).unwrap();
    }

    fn advance(&mut self) {
        while let Some((at, length)) = find_mark(&self.screen[self.begun_at..]) {
            let mark = String::from_utf8_lossy(&self.screen[self.begun_at + at + 1..][..length]).trim().to_owned();
            let end = self.begun_at + at;
            self.finish_block_at(end);
            self.begun_at = end + 1 + length;
            (self.answered_at, self.answers) = (self.begun_at, 0);
            self.current = mark.parse().ok();
            self.touch(&format!("begin-{mark}"));
        }
        let Some(current) = self.current else { return };
        match &self.blocks[current].step {
            Step::Typed { answers, .. } => {
                let asked = self.screen.len() > self.answered_at
                    && (self.screen.ends_with(b": ") || self.screen.ends_with(b"] "));
                if let Some(answer) = answers.get(self.answers)
                    && asked
                {
                    thread::sleep(Duration::from_millis(50)); // as a person would, not before the question is out
                    (self.answered_at, self.answers) = (self.screen.len(), self.answers + 1);
                    let answer = whole(answer, &String::from_utf8_lossy(&self.screen));
                    self.keyboard.write_all(format!("{answer}\r").as_bytes()).unwrap();
                    self.keyboard.flush().unwrap();
                }
            }
            Step::KeepsRunning { .. } => {
                self.last_running = current;
                self.await_running(current);
            }
            Step::ShowsByThen { .. } => self.await_running(current),
        }
    }

    /// Lets the shell go on when the command that keeps running has printed what the block shows, and looks no further.
    fn await_running(&mut self, block: usize) {
        let (shows, last) = (self.blocks[block].shows.as_deref(), self.outputs[block].as_deref());
        if last.is_some_and(|output| shows.is_none_or(|shows| is_shown(shows, output))) {
            return;
        }
        let printed = std::fs::read(self.play.join(format!("running-{}", self.last_running))).unwrap_or_default();
        let output = self.as_read(&printed);
        let shown = shows.is_none_or(|shows| is_shown(shows, &output));
        self.outputs[block] = Some(output);
        if shown {
            self.touch(&format!("shown-{block}"));
        }
    }

    fn finish_block(&mut self) {
        self.finish_block_at(self.screen.len());
    }

    fn finish_block_at(&mut self, end: usize) {
        if let Some(current) = self.current
            && let Step::Typed { .. } = self.blocks[current].step
        {
            self.outputs[current] = Some(self.as_read(&self.screen[self.begun_at..end]));
        }
    }

    fn touch(&self, name: &str) {
        std::fs::write(self.play.join(name), []).unwrap();
    }

    /// A terminal's bytes as the lines that are there to be read, with the addresses of the file.
    fn as_read(&self, bytes: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        for (printed, moved) in self.replaced {
            text = text.replace(moved, printed);
        }
        text.lines()
            .map(|line| line.rsplit('\r').next().unwrap_or(line))
            .fold(String::new(), |all, line| all + line + "\n")
    }

    /// Fails with every block that came out otherwise, up to the one that the shell did not get to.
    fn report(&self, file: &str, code: Option<i32>) {
        let mut wrong = String::new();
        for (block, output) in self.blocks.iter().zip(&self.outputs) {
            let here = format!("{file}:{}: {:?}\n", block.line, block.step);
            let Some(output) = output else {
                wrong += &(here + "was not begun\n");
                break;
            };
            if block.shows.as_ref().is_some_and(|shows| !is_shown(shows, output)) {
                wrong += &(here + output + "\n");
            }
        }
        let screen = String::from_utf8_lossy(&self.screen);
        assert!(code == Some(0), "the shell ended with {code:?}\n{wrong}--- the whole terminal:\n{screen}");
        assert!(wrong.is_empty(), "something else than what is shown came out of\n{wrong}");
    }
}

/// An answer that ends in `…` with the rest that a command has printed.
fn whole(answer: &str, screen: &str) -> String {
    let Some(begin) = answer.strip_suffix('…') else { return answer.to_owned() };
    let is_printed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let (_, rest) = screen.rsplit_once(begin).unwrap_or_else(|| panic!("no {begin} was printed"));
    format!("{begin}{}", rest.split(|c| !is_printed(c)).next().unwrap_or_default())
}

/// Where a mark is, and how long what stands behind it is on its line.
fn find_mark(screen: &[u8]) -> Option<(usize, usize)> {
    let at = screen.iter().position(|byte| char::from(*byte) == MARK)?;
    let length = screen[at + 1..].iter().position(|byte| *byte == b'\n')? + 1;
    Some((at, length))
}

/// The script of all blocks.
fn script(blocks: &[Block], replaced: &[(&str, &str)]) -> String {
    let mut script = PRELUDE.to_owned();
    for (index, block) in blocks.iter().enumerate() {
        let _ = writeln!(script, "begin {index}");
        let _ = match &block.step {
            Step::Typed { script: typed, exits: 0, .. } => writeln!(script, "{}", moved(typed, replaced)),
            Step::Typed { script: typed, exits, .. } => {
                let typed = moved(typed, replaced);
                writeln!(
                    script,
                    "set +e\n{typed}\nended=$?; set -e; [ $ended = {exits} ] || {{ echo \"exit code $ended\"; exit 1; }}"
                )
            }
            Step::KeepsRunning { script: typed, on_terminal } => {
                let mut typed = moved(typed, replaced);
                if *on_terminal {
                    let word = typed.replace('\'', "'\\''");
                    typed = format!("script --quiet --flush --return --command '{word}' /dev/null");
                }
                writeln!(
                    script,
                    "set -m; {{ {typed}\n}} < /dev/null > \"$PLAY/running-{index}\" 2>&1 & last=$!; running=\"$running -$last\"; set +m\n\
                     until_shown {index}"
                )
            }
            Step::ShowsByThen { interrupt: false } => writeln!(script, "until_shown {index}"),
            Step::ShowsByThen { interrupt: true } => {
                writeln!(script, "until_shown {index}; kill -INT -- -$last; wait $last || true")
            }
        };
    }
    script.push_str("begin end\n");
    script
}

/// What is typed: addresses are moved, and a word that ends in `…` gets the rest that a command has printed.
fn moved(typed: &str, replaced: &[(&str, &str)]) -> String {
    let mut typed = typed.to_owned();
    for (printed, moved) in replaced {
        typed = typed.replace(printed, moved);
    }
    while let Some(dots) = typed.find('…') {
        let begin = typed[..dots].rfind([' ', '=', '"', '\'', '\n']).map_or(0, |at| at + 1);
        let printed = format!("$(printed '{}')", &typed[begin..dots]);
        typed.replace_range(begin..dots + '…'.len_utf8(), &printed);
    }
    typed
}
