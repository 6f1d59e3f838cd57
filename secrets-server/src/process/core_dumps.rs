//! What the process does for itself so that its memory stays its own.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Makes sure that a crash leaves no core dump, which would hold keys and plaintexts.
///
/// To be called before any key is read. The limit alone would not do: a kernel whose core pattern is a pipe
/// (systemd-coredump, apport) hands the dump over whatever the limit; a process that is not dumpable has none, and
/// can't be traced by other processes of its user either.
///
/// # Errors
/// The operating system's, when it refuses.
pub fn disable_core_dumps() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn no_core_is_dumped_afterwards() {
        disable_core_dumps().unwrap();
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        disable_core_dumps().unwrap();
    }
}
