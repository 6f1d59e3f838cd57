//! A script without `#!`. The kernel does not take it for a program; shells and `execvp` start it with `/bin/sh`, and so
//! does `run`, however it starts programs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::io::Errno;

use super::search_path::find;

/// As much of a file as bash looks at before it calls it a program for another machine.
const MAX_PROBE_BYTES: u64 = 80;

/// The words that start a script of which `error` says that it is no program; `path` is the `PATH` in which it is looked
/// for. None if something else is wrong, or if it is no script either.
pub(super) fn words(words: &[OsString], path: Option<&OsStr>, error: &io::Error) -> Option<Vec<OsString>> {
    if Errno::from_io_error(error) != Some(Errno::NOEXEC) {
        return None;
    }
    let (program, arguments) = words.split_first()?;
    let script = find(program, path).filter(|script| is_text(script).unwrap_or(false))?;
    // Or the shell would take it for options.
    let script =
        if script.as_os_str().as_encoded_bytes().starts_with(b"-") { Path::new(".").join(script) } else { script };
    Some([OsString::from("/bin/sh"), script.into()].into_iter().chain(arguments.iter().cloned()).collect())
}

/// Whether the first line has no NUL byte, as bash asks.
fn is_text(path: &Path) -> io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_PROBE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes.split(|&byte| byte == b'\n').next().is_none_or(|line| !line.contains(&0)))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn starts_a_script_and_nothing_else_with_a_shell() {
        let directory = tempfile::tempdir().unwrap();
        let no_program = io::Error::from_raw_os_error(Errno::NOEXEC.raw_os_error());
        let path = Some(directory.path().as_os_str());
        for (name, content, is_script) in [
            ("script", &b"echo \"$1\"\n"[..], true),
            ("empty", b"", true),
            ("payload", b"tail -c 3 \"$0\"; exit\n\0\0\0", true),
            ("other-machine", b"\x7fELF\x02\x01\x01\0\0", false),
        ] {
            let file = directory.path().join(name);
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
            for program in [OsString::from(name), file.clone().into()] {
                let started = words(&[program, "-a".into()], path, &no_program);
                let expected = [OsString::from("/bin/sh"), file.clone().into(), "-a".into()];
                assert_eq!(started.as_deref(), is_script.then_some(&expected[..]), "{name}");
            }
            let not_found = io::Error::from(io::ErrorKind::NotFound);
            assert_eq!(words(&[file.into()], path, &not_found), None);
        }
        assert_eq!(words(&["none".into()], path, &no_program), None);
        assert_eq!(words(&[directory.path().into()], path, &no_program), None);
        assert_eq!(words(&[], path, &no_program), None);
    }
}
