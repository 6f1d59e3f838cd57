//! The paths where no secret may be written, because what stands there runs by itself, decides who may sign in, or
//! belongs to the kernel.
//!
//! Another row is one more line of [`SYSTEM`] or [`HOME`], with the reason a user reads. Files that only hold
//! credentials (`~/.netrc`, `~/.aws/credentials`, `~/.ssh/id_ed25519`) stay out.

/// A row of the tables of reserved paths.
#[derive(Debug, PartialEq, Eq)]
pub struct ReservedPath {
    /// A path that is reserved together with all below it; with a `*` at its end, so is every path whose last part
    /// merely starts like it. A pattern that starts with `~/` holds below any folder, since any may be a home.
    ///
    /// Case does not matter: some file systems ignore it.
    pub pattern: &'static str,
    /// What a file there would do.
    pub reason: &'static str,
}

impl ReservedPath {
    fn covers(&self, path: &str) -> bool {
        match self.pattern.strip_prefix("~/") {
            None => covers(self.pattern, path),
            // `path` is `~/…` or `/…`: try the pattern behind each slash.
            Some(pattern) => {
                path.match_indices('/').any(|(at, _)| path.get(at + 1..).is_some_and(|tail| covers(pattern, tail)))
            }
        }
    }
}

/// Whether `pattern` is `path` or one of the folders above it.
fn covers(pattern: &str, path: &str) -> bool {
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(start) => (start, true),
        None => (pattern, false),
    };
    let Some((start, rest)) = path.split_at_checked(pattern.len()) else { return false };
    start.eq_ignore_ascii_case(pattern) && (open || rest.is_empty() || rest.starts_with('/'))
}

/// The row that reserves `path`, a path in normal form, if there is one.
pub fn reserved_path(path: &str) -> Option<&'static ReservedPath> {
    SYSTEM.iter().chain(HOME).find(|row| row.covers(path))
}

const KERNEL: &str = "belongs to the kernel";
const START_UP: &str = "runs when the system starts";
const PROGRAMS: &str = "holds programs and libraries that run";
const LOADER: &str = "loads code into every program";
const SCHEDULE: &str = "runs by the clock";
const SERVICE: &str = "runs as a service";
const LOGIN: &str = "runs when somebody signs in";
const SHELL: &str = "runs when a shell starts";
const WHO: &str = "decides who may sign in";
const TRUST: &str = "decides which hosts are reached";
const TOOL: &str = "makes tools run other programs";

const fn row(pattern: &'static str, reason: &'static str) -> ReservedPath {
    ReservedPath { pattern, reason }
}

/// Reserved paths of the system.
const SYSTEM: &[ReservedPath] = &[
    row("/proc", KERNEL),
    row("/sys", KERNEL),
    row("/dev", KERNEL),
    row("/boot", START_UP),
    row("/etc/inittab", START_UP),
    row("/etc/init*", START_UP),
    row("/etc/rc*", START_UP),
    row("/etc/modules*", START_UP),
    row("/etc/modprobe*", START_UP),
    row("/etc/udev", START_UP),
    row("/etc/sysctl*", START_UP),
    row("/etc/binfmt.d", START_UP),
    row("/etc/tmpfiles.d", START_UP),
    row("/bin", PROGRAMS),
    row("/sbin", PROGRAMS),
    row("/lib", PROGRAMS),
    row("/lib32", PROGRAMS),
    row("/lib64", PROGRAMS),
    row("/libx32", PROGRAMS),
    row("/usr/bin", PROGRAMS),
    row("/usr/sbin", PROGRAMS),
    row("/usr/lib", PROGRAMS),
    row("/usr/lib32", PROGRAMS),
    row("/usr/lib64", PROGRAMS),
    row("/usr/libexec", PROGRAMS),
    row("/usr/local/bin", PROGRAMS),
    row("/usr/local/sbin", PROGRAMS),
    row("/usr/local/lib", PROGRAMS),
    row("/System", PROGRAMS),
    row("/etc/ld.so.*", LOADER),
    row("/etc/ld-*", LOADER),
    row("/etc/cron*", SCHEDULE),
    row("/etc/anacrontab", SCHEDULE),
    row("/etc/at.*", SCHEDULE),
    row("/var/spool/cron*", SCHEDULE),
    row("/var/spool/at*", SCHEDULE),
    row("/etc/systemd", SERVICE),
    row("/run/systemd", SERVICE),
    row("/var/run/systemd", SERVICE),
    row("/var/lib/systemd", SERVICE),
    row("/etc/dbus-1", SERVICE),
    row("/etc/xinetd*", SERVICE),
    row("/etc/inetd*", SERVICE),
    row("/etc/supervisor*", SERVICE),
    row("/etc/runit", SERVICE),
    row("/etc/service", SERVICE),
    row("/etc/sv", SERVICE),
    row("/Library/LaunchAgents", SERVICE),
    row("/Library/LaunchDaemons", SERVICE),
    row("/etc/profile", LOGIN),
    row("/etc/profile.d", LOGIN),
    row("/etc/environment", LOGIN),
    row("/etc/environment.d", LOGIN),
    row("/etc/csh.*", LOGIN),
    row("/etc/update-motd.d", LOGIN),
    row("/etc/X11", LOGIN),
    row("/etc/xdg/autostart", LOGIN),
    row("/etc/bash*", SHELL),
    row("/etc/zsh*", SHELL),
    row("/etc/zprofile", SHELL),
    row("/etc/zlog*", SHELL),
    row("/etc/fish", SHELL),
    row("/etc/inputrc", SHELL),
    row("/etc/passwd*", WHO),
    row("/etc/shadow*", WHO),
    row("/etc/group*", WHO),
    row("/etc/gshadow*", WHO),
    row("/etc/sudo*", WHO),
    row("/etc/doas.conf", WHO),
    row("/etc/pam*", WHO),
    row("/etc/security", WHO),
    row("/etc/login.defs", WHO),
    row("/etc/polkit-1", WHO),
    row("/etc/ssh/sshd_config*", WHO),
    row("/etc/ssh/ssh_config*", TOOL),
    row("/etc/ssh/sshrc", LOGIN),
    row("/etc/hosts*", TRUST),
    row("/etc/resolv.conf", TRUST),
    row("/etc/nsswitch.conf", TRUST),
    row("/etc/gitconfig", TOOL),
    row("/etc/mailcap", TOOL),
    row("/etc/apt", TOOL),
    row("/etc/logrotate*", SCHEDULE),
];

/// Reserved paths of every folder that may be somebody's home.
const HOME: &[ReservedPath] = &[
    row("~/.bashrc", SHELL),
    row("~/.bash_profile", SHELL),
    row("~/.bash_login", SHELL),
    row("~/.bash_logout", SHELL),
    row("~/.bash_aliases", SHELL),
    row("~/.profile", LOGIN),
    row("~/.zshrc", SHELL),
    row("~/.zshenv", SHELL),
    row("~/.zprofile", SHELL),
    row("~/.zlogin", SHELL),
    row("~/.zlogout", SHELL),
    row("~/.oh-my-zsh", SHELL),
    row("~/.kshrc", SHELL),
    row("~/.mkshrc", SHELL),
    row("~/.shrc", SHELL),
    row("~/.cshrc", SHELL),
    row("~/.tcshrc", SHELL),
    row("~/.login", LOGIN),
    row("~/.logout", LOGIN),
    row("~/.inputrc", SHELL),
    row("~/.config/fish", SHELL),
    row("~/.config/powershell", SHELL),
    row("~/.config/nushell", SHELL),
    row("~/.config/environment.d", LOGIN),
    row("~/.config/autostart", LOGIN),
    row("~/.config/systemd", SERVICE),
    row("~/.local/share/systemd", SERVICE),
    row("~/Library/LaunchAgents", SERVICE),
    row("~/.pam_environment", LOGIN),
    row("~/.xinitrc", LOGIN),
    row("~/.xserverrc", LOGIN),
    row("~/.xsession", LOGIN),
    row("~/.xsessionrc", LOGIN),
    row("~/.xprofile", LOGIN),
    row("~/.ssh/authorized_keys", WHO),
    row("~/.ssh/authorized_keys2", WHO),
    row("~/.ssh/config", TOOL),
    row("~/.ssh/config.d", TOOL),
    row("~/.ssh/environment", LOGIN),
    row("~/.ssh/rc", LOGIN),
    row("~/.rhosts", WHO),
    row("~/.shosts", WHO),
    row("~/.k5login", WHO),
    row("~/.forward", TOOL),
    row("~/.procmailrc", TOOL),
    row("~/.mailcap", TOOL),
    row("~/.gitconfig", TOOL),
    row("~/.config/git", TOOL),
    row("~/.git/config", TOOL),
    row("~/.git/hooks", TOOL),
    row("~/.hgrc", TOOL),
    row("~/.hg/hgrc", TOOL),
    row("~/.config/hg", TOOL),
    row("~/.envrc", SHELL),
    row("~/.config/direnv", SHELL),
    row("~/.vimrc", TOOL),
    row("~/.vim", TOOL),
    row("~/.exrc", TOOL),
    row("~/.config/nvim", TOOL),
    row("~/.emacs", TOOL),
    row("~/.emacs.d", TOOL),
    row("~/.gdbinit", TOOL),
    row("~/.lldbinit", TOOL),
    row("~/.psqlrc", TOOL),
    row("~/.sqliterc", TOOL),
    row("~/.lesskey", TOOL),
    row("~/.curlrc", TOOL),
    row("~/.wgetrc", TOOL),
    row("~/.screenrc", TOOL),
    row("~/.tmux.conf", TOOL),
    row("~/.config/tmux", TOOL),
    row("~/.irbrc", TOOL),
    row("~/.Rprofile", TOOL),
    row("~/.cargo/config", TOOL),
    row("~/.cargo/config.toml", TOOL),
    row("~/.cargo/bin", PROGRAMS),
    row("~/.local/bin", PROGRAMS),
    row("~/.local/lib", PROGRAMS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserves_what_the_design_names() {
        for path in [
            "/proc/self/environ",
            "/proc",
            "/sys/kernel",
            "/dev/null",
            "/dev/shm/x",
            "~/.bashrc",
            "~/.profile",
            "~/.ssh/authorized_keys",
            "~/.ssh/config",
            "~/.gitconfig",
            "/etc/ld.so.preload",
            "/etc/ld.so.conf.d/x.conf",
            "/etc/crontab",
            "/etc/cron.d/x",
            "/etc/systemd/system/x.service",
            "/etc/profile.d/x.sh",
        ] {
            assert!(reserved_path(path).is_some(), "{path}");
        }
    }

    #[test]
    fn reserves_start_up_files_of_every_home() {
        for path in [
            "/root/.bashrc",
            "/home/bob/.ssh/authorized_keys",
            "/workspace/.gitconfig",
            "/Users/bob/.zshrc",
            "~/src/repo/.git/hooks/pre-commit",
            "~/.BASHRC",
            "/ETC/Crontab",
            "~/.config/systemd/user/x.service",
        ] {
            assert!(reserved_path(path).is_some(), "{path}");
        }
    }

    #[test]
    fn reserves_no_files_of_credentials() {
        for path in [
            "~/.ssh/deploy_key",
            "~/.ssh/known_hosts",
            "~/.netrc",
            "~/.pypirc",
            "~/.npmrc",
            "~/.aws/credentials",
            "~/.config/gcloud/application_default_credentials.json",
            "~/.git-credentials",
            "~/.cargo/credentials.toml",
            "/etc/ssl/corp-ca.pem",
            "/run/secrets/x",
            "/var/run/secrets/x",
            "/var/lib/app/key",
            "/etc/app/token",
            "~/.bashrc.d-token",
            "/opt/x/.profiles/key",
            "/procs",
            "~/.gitconfig-token",
            "/usr/local/etc/key",
        ] {
            assert_eq!(reserved_path(path), None, "{path}");
        }
    }

    #[test]
    fn writes_each_row_so_that_it_can_match() {
        for row in SYSTEM.iter().chain(HOME) {
            let path = row.pattern.trim_end_matches('*');
            assert!(row.covers(path), "{}", row.pattern);
            assert!(row.covers(&format!("{path}/below")), "{}", row.pattern);
            assert!(!row.reason.is_empty());
        }
        assert!(SYSTEM.iter().all(|row| row.pattern.starts_with('/')));
        assert!(HOME.iter().all(|row| row.pattern.starts_with("~/")));
    }
}
