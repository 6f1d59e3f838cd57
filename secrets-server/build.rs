//! Tells `--version` which build it is: what `SECRETS_VERSION` says, as `make build` sets it, and in a release that is
//! built otherwise, as by `cargo install`, what git says of the checkout.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=SECRETS_VERSION");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // While one develops, a commit builds nothing anew.
    if !is_release || std::env::var_os("SECRETS_VERSION").is_some() {
        return;
    }
    println!("cargo:rerun-if-changed=../.git/logs/HEAD");
    let Ok(output) = Command::new("../deploy/dist/version").output() else { return };
    if let (true, Ok(version)) = (output.status.success(), String::from_utf8(output.stdout)) {
        println!("cargo:rustc-env=SECRETS_VERSION={}", version.trim());
    }
}
