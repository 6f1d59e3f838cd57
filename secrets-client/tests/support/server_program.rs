use std::path::{Path, PathBuf};
use std::process::Command;

/// The server's program, which lies beside ours; built, when this package is tested alone for the first time.
pub(crate) fn server_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_secrets")).with_file_name("secrets-server");
    if !program.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--locked", "--package", "secrets-server"]).status();
        assert!(built.unwrap().success() && program.exists());
    }
    program
}
