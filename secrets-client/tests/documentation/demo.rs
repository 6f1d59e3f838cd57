//! `make demo`, with the programs that are already built.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{TestDir, Transcript, programs, project};

#[test]
fn the_demo_succeeds_and_leaves_nothing_behind() {
    let Transcript { code, output } = run(None);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("✓ Every step gave the expected result"), "{output}");
}

#[test]
fn the_demo_fails_at_a_step_with_another_result() {
    let Transcript { code, output } = run(Some(r#"[ "$1" != resolve ] || { echo wrong; exit; }"#));
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("✗ expected `"), "{output}");
}

#[test]
fn the_demo_finds_a_value_on_the_disk() {
    // Between other bytes and in base64, of which only the middle is the value's own.
    let leak = r#"[ "$1" != audit ] || printf '{"STRIPE_SECRET":"sk_test_api_7GdLw2NcVy"}' | base64 >data/leak"#;
    let Transcript { code, output } = run(Some(leak));
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("✗ found in") && output.contains("/data/leak"), "{output}");
}

/// Runs the demo to its end. With `before`, a shell command runs before each of its `secrets` commands.
fn run(before: Option<&str>) -> Transcript {
    let directory = TestDir::new();
    let (temporary, wrapped) = (directory.path().join("tmp"), directory.path().join("bin"));
    std::fs::create_dir(&temporary).unwrap();
    std::fs::create_dir(&wrapped).unwrap();
    let mut demo = directory.command(project().join("deploy/demo/run"));
    demo.env("TMPDIR", &temporary);
    match before {
        None => demo.arg(programs()),
        Some(before) => {
            let script = format!("#!/bin/sh\n{before}\nexec '{}/secrets' \"$@\"\n", programs().display());
            std::fs::write(wrapped.join("secrets"), script).unwrap();
            std::fs::set_permissions(wrapped.join("secrets"), PermissionsExt::from_mode(0o755)).unwrap();
            symlink(programs().join("secrets-server"), wrapped.join("secrets-server")).unwrap();
            demo.arg(&wrapped)
        }
    };
    let transcript = directory.run(demo);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "it leaves something behind");
    transcript
}
