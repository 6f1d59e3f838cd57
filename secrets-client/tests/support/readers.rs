use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where the programs and libraries are that `deploy/dev/readers` installs.
pub(crate) fn readers() -> PathBuf {
    let folders = Path::new(env!("CARGO_BIN_EXE_secrets")).ancestors();
    let found = folders.map(|directory| directory.join("tools/readers")).find(|readers| readers.is_dir());
    found.expect("there are no readers; `make install` installs them")
}

/// The tester's `PATH` with those programs before it.
pub(crate) fn readers_path() -> OsString {
    let mut path = readers().join("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}
