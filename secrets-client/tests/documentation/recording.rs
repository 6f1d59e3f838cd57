//! The recording in the README: it can be made anew, and shows what is told of it.

use crate::support::{TestDir, programs, project};

#[test]
fn the_recording_is_made_anew_and_shows_no_value() {
    let directory = TestDir::new();
    let mut record = directory.command(project().join("deploy/demo/record"));
    record.arg(programs()).arg("recording.svg");
    let ended = directory.run(record);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let recorded = std::fs::read_to_string(directory.path().join("recording.svg")).unwrap();
    let kept = std::fs::read_to_string(project().join("deploy/demo/recording.svg")).unwrap();
    for recording in [recorded, kept] {
        for shown in ["Value of LINEAR_API_KEY (hidden", "will be created", "lower precedence", "my key is ***"] {
            assert!(recording.contains(shown), "{shown}");
        }
        for code in ["sinv_", "srec_"] {
            assert!(recording.split(code).skip(1).all(|rest| rest.starts_with('…')), "a code");
        }
        for hidden in ["lin_bob", "postgres://", "sper_", "/tmp"] {
            assert!(!recording.contains(hidden), "{hidden}");
        }
    }
}
