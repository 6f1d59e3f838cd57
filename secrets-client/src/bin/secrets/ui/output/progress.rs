//! Progress of what may take a while: a line on stderr with the time that has passed, removed at the end.

use std::future::Future;
use std::io::Write as _;
use std::pin::pin;
use std::time::Duration;

use crate::ui::escape::escape;

/// What takes less needs no word.
const SHOW_AFTER: Duration = Duration::from_millis(400);
/// Time from one frame to the next.
const FRAME_INTERVAL: Duration = Duration::from_millis(120);
/// Where the bar's mark is, as many steps long as the bar is wide, there and back.
const BAR_CELLS: usize = 12;

/// Waits for `work`. On a terminal, a bar moves meanwhile: the service answers once, so that there is no telling how much
/// is left.
pub(super) async fn during<F: Future>(on_terminal: bool, what: &str, work: F) -> F::Output {
    let mut work = pin!(work);
    if !on_terminal {
        return work.await;
    }
    if let Ok(done) = tokio::time::timeout(SHOW_AFTER, work.as_mut()).await {
        return done;
    }
    let mut step = 0;
    loop {
        show(&frame(what, step));
        match tokio::time::timeout(FRAME_INTERVAL, work.as_mut()).await {
            Ok(done) => {
                show("");
                return done;
            }
            Err(_elapsed) => step += 1,
        }
    }
}

fn frame(what: &str, step: usize) -> String {
    let there_and_back = step % (2 * (BAR_CELLS - 1));
    let at = there_and_back.min(2 * (BAR_CELLS - 1) - there_and_back);
    let bar: String = (0..BAR_CELLS).map(|cell| if cell == at { '●' } else { '·' }).collect();
    let seconds = (SHOW_AFTER + FRAME_INTERVAL * u32::try_from(step).unwrap_or(u32::MAX)).as_secs();
    format!("{} {bar} {seconds} s", escape(what))
}

/// Replaces what stands in the line.
fn show(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_there_and_back() {
        let at = |step| frame("Importing", step).chars().skip("Importing ".len()).position(|c| c == '●').unwrap();
        assert_eq!(
            [at(0), at(1), at(BAR_CELLS - 1), at(BAR_CELLS), at(2 * BAR_CELLS - 2)],
            [0, 1, BAR_CELLS - 1, BAR_CELLS - 2, 0]
        );
        assert!(frame("Importing", 20).ends_with("· 2 s"));
    }

    #[tokio::test(start_paused = true)]
    async fn returns_what_the_work_returns() {
        for (on_terminal, takes) in [(false, 10), (true, 0), (true, 3)] {
            let work = async {
                tokio::time::sleep(Duration::from_secs(takes)).await;
                7
            };
            assert_eq!(during(on_terminal, "Importing", work).await, 7);
        }
    }
}
