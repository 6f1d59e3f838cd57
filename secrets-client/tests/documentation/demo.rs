//! `make demo`, with the programs that are already built.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::place::{Ended, Place, programs, project};

#[test]
fn the_demo_comes_out_as_told_and_leaves_nothing_behind() {
    let Ended { code, output } = play(None);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("✓ Everything came out as told"), "{output}");
}

#[test]
fn the_demo_fails_where_a_step_does_not_come_out_as_told() {
    let Ended { code, output } = play(Some(r#"[ "$1" != resolve ] || { echo wrong; exit; }"#));
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("✗ that was to show"), "{output}");
}

#[test]
fn the_demo_finds_a_value_that_lies_on_the_disk() {
    // Between other bytes and in base64, of which only the middle is the value's own.
    let leak = r#"[ "$1" != audit ] || printf '{"STRIPE_SECRET":"sk_test_api_7GdLw2NcVy"}' | base64 >data/leak"#;
    let Ended { code, output } = play(Some(leak));
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("✗ found in") && output.contains("/data/leak"), "{output}");
}

/// Plays the demo to its end; with `meddling`, a shell command runs before each of its `secrets` commands.
fn play(meddling: Option<&str>) -> Ended {
    let place = Place::new();
    let (temporary, meddled) = (place.path().join("tmp"), place.path().join("bin"));
    std::fs::create_dir(&temporary).unwrap();
    std::fs::create_dir(&meddled).unwrap();
    let mut demo = place.command(project().join("deploy/demo/run"));
    demo.env("TMPDIR", &temporary);
    match meddling {
        None => demo.arg(programs()),
        Some(meddling) => {
            let script = format!("#!/bin/sh\n{meddling}\nexec '{}/secrets' \"$@\"\n", programs().display());
            std::fs::write(meddled.join("secrets"), script).unwrap();
            std::fs::set_permissions(meddled.join("secrets"), PermissionsExt::from_mode(0o755)).unwrap();
            symlink(programs().join("secrets-server"), meddled.join("secrets-server")).unwrap();
            demo.arg(&meddled)
        }
    };
    let ended = place.run(demo);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "it leaves something behind");
    ended
}
