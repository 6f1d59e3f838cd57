//! The environment variables that no secret may become, because they would take over the process they are put into.
//!
//! Another row is one more line of [`TABLE`], with the reason a user reads. Names of ordinary credentials stay out.

/// A row of the table of reserved environment variables.
#[derive(Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The name, or with a `*` at its end everything that starts with what precedes it. Case does not matter.
    pub pattern: &'static str,
    /// What a value under this name would do.
    pub reason: &'static str,
}

impl Reserved {
    fn matches(&self, name: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(prefix) => name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
            None => name.eq_ignore_ascii_case(self.pattern),
        }
    }
}

/// The row that reserves the variable `name`, if there is one.
pub fn reserved_variable(name: &str) -> Option<&'static Reserved> {
    TABLE.iter().find(|row| row.matches(name))
}

const SEARCH: &str = "changes which programs run";
const SHELL: &str = "changes how shells work";
const SHELL_RUNS: &str = "names code that shells run";
const LOADER: &str = "loads code into every program";
const ALLOCATOR: &str = "changes how programs manage memory";
const RUNTIME: &str = "loads code into a language runtime";
const TRUST: &str = "changes which servers are trusted";
const TOOL: &str = "names a program that tools run";
const TOOL_CONFIG: &str = "changes the configuration of tools, which names programs to run";
const AGENT: &str = "changes who answers for a person's keys";
const LOCALE: &str = "changes how text is read, and can load code";
const DESKTOP: &str = "changes where programs keep and find their files";
const OWN: &str = "belongs to this service";

const fn row(pattern: &'static str, reason: &'static str) -> Reserved {
    Reserved { pattern, reason }
}

/// Every reserved variable. The first row that matches gives the reason.
pub const TABLE: &[Reserved] = &[
    // Shells and what every process is started with.
    row("PATH", SEARCH),
    row("CDPATH", SEARCH),
    row("FPATH", SEARCH),
    row("HOME", DESKTOP),
    row("PWD", DESKTOP),
    row("OLDPWD", DESKTOP),
    row("TMPDIR", DESKTOP),
    row("TMP", DESKTOP),
    row("TEMP", DESKTOP),
    row("TERM", SHELL),
    row("TERMCAP", SHELL),
    row("TERMINFO", SHELL),
    row("TERMINFO_DIRS", SHELL),
    row("SHELL", SHELL),
    row("USER", SHELL),
    row("LOGNAME", SHELL),
    row("IFS", SHELL),
    row("POSIXLY_CORRECT", SHELL),
    row("GLOBIGNORE", SHELL),
    row("SHELLOPTS", SHELL),
    row("BASHOPTS", SHELL),
    row("BASH_XTRACEFD", SHELL),
    row("HISTFILE", SHELL),
    row("INPUTRC", SHELL),
    row("ENV", SHELL_RUNS),
    row("BASH_ENV", SHELL_RUNS),
    row("BASH_LOADABLES_PATH", SHELL_RUNS),
    row("BASH_FUNC_*", SHELL_RUNS),
    row("PROMPT_COMMAND", SHELL_RUNS),
    row("PS0", SHELL_RUNS),
    row("PS1", SHELL_RUNS),
    row("PS2", SHELL_RUNS),
    row("PS4", SHELL_RUNS),
    row("ZDOTDIR", SHELL_RUNS),
    row("COMSPEC", SHELL_RUNS),
    row("PATHEXT", SEARCH),
    // Loaders and allocators.
    row("LD_*", LOADER),
    row("DYLD_*", LOADER),
    row("GCONV_PATH", LOADER),
    row("GLIBC_*", ALLOCATOR),
    row("MALLOC_*", ALLOCATOR),
    row("GETCONF_DIR", LOADER),
    row("NLSPATH", LOCALE),
    row("LOCPATH", LOCALE),
    row("LANG", LOCALE),
    row("LANGUAGE", LOCALE),
    row("LC_*", LOCALE),
    row("HOSTALIASES", TRUST),
    row("LOCALDOMAIN", TRUST),
    row("RES_OPTIONS", TRUST),
    row("RESOLV_HOST_CONF", TRUST),
    // Language runtimes and compilers.
    row("NODE_OPTIONS", RUNTIME),
    row("NODE_PATH", RUNTIME),
    row("NODE_REPL_EXTERNAL_MODULE", RUNTIME),
    row("NODE_EXTRA_CA_CERTS", TRUST),
    row("NODE_TLS_REJECT_UNAUTHORIZED", TRUST),
    row("NPM_CONFIG_NODE_OPTIONS", RUNTIME),
    row("NPM_CONFIG_SCRIPT_SHELL", TOOL),
    row("PYTHONPATH", RUNTIME),
    row("PYTHONSTARTUP", RUNTIME),
    row("PYTHONHOME", RUNTIME),
    row("PYTHONUSERBASE", RUNTIME),
    row("PYTHONEXECUTABLE", RUNTIME),
    row("PYTHONPLATLIBDIR", RUNTIME),
    row("PYTHONPYCACHEPREFIX", RUNTIME),
    row("PYTHONBREAKPOINT", RUNTIME),
    row("PYTHONINSPECT", RUNTIME),
    row("PYTHONWARNINGS", RUNTIME),
    row("PERL5OPT", RUNTIME),
    row("PERL5LIB", RUNTIME),
    row("PERL5DB", RUNTIME),
    row("PERL5SHELL", TOOL),
    row("PERLLIB", RUNTIME),
    row("RUBYOPT", RUNTIME),
    row("RUBYLIB", RUNTIME),
    row("GEM_HOME", RUNTIME),
    row("GEM_PATH", RUNTIME),
    row("BUNDLE_GEMFILE", RUNTIME),
    row("LUA_INIT*", RUNTIME),
    row("LUA_PATH*", RUNTIME),
    row("LUA_CPATH*", RUNTIME),
    row("PHPRC", RUNTIME),
    row("PHP_INI_SCAN_DIR", RUNTIME),
    row("JAVA_TOOL_OPTIONS", RUNTIME),
    row("JDK_JAVA_OPTIONS", RUNTIME),
    row("_JAVA_OPTIONS", RUNTIME),
    row("JAVA_OPTS", RUNTIME),
    row("CATALINA_OPTS", RUNTIME),
    row("MAVEN_OPTS", RUNTIME),
    row("GRADLE_OPTS", RUNTIME),
    row("CLASSPATH", RUNTIME),
    row("DOTNET_*", RUNTIME),
    row("CORECLR_*", RUNTIME),
    row("COR_*", RUNTIME),
    row("COMPLUS_*", RUNTIME),
    row("ERL_AFLAGS", RUNTIME),
    row("ERL_FLAGS", RUNTIME),
    row("ERL_ZFLAGS", RUNTIME),
    row("R_PROFILE*", RUNTIME),
    row("R_ENVIRON*", RUNTIME),
    row("JULIA_LOAD_PATH", RUNTIME),
    row("GOFLAGS", TOOL),
    row("GOTOOLCHAIN", TOOL),
    row("RUSTC", TOOL),
    row("RUSTC_WRAPPER", TOOL),
    row("RUSTC_WORKSPACE_WRAPPER", TOOL),
    row("RUSTDOC", TOOL),
    row("RUSTFLAGS", TOOL),
    row("RUSTUP_TOOLCHAIN", TOOL),
    row("MAKEFLAGS", TOOL),
    row("MAKEFILES", TOOL),
    row("GNUMAKEFLAGS", TOOL),
    // Tools that start other programs.
    row("GIT_SSH", TOOL),
    row("GIT_SSH_COMMAND", TOOL),
    row("GIT_EXEC_PATH", TOOL),
    row("GIT_ASKPASS", TOOL),
    row("GIT_PROXY_COMMAND", TOOL),
    row("GIT_EDITOR", TOOL),
    row("GIT_SEQUENCE_EDITOR", TOOL),
    row("GIT_PAGER", TOOL),
    row("GIT_EXTERNAL_DIFF", TOOL),
    row("GIT_TEMPLATE_DIR", TOOL_CONFIG),
    row("GIT_DIR", TOOL_CONFIG),
    row("GIT_WORK_TREE", TOOL_CONFIG),
    row("GIT_CONFIG*", TOOL_CONFIG),
    row("SSH_ASKPASS", TOOL),
    row("SUDO_ASKPASS", TOOL),
    row("SSH_AUTH_SOCK", AGENT),
    row("GPG_AGENT_INFO", AGENT),
    row("GNUPGHOME", AGENT),
    row("EDITOR", TOOL),
    row("VISUAL", TOOL),
    row("PAGER", TOOL),
    row("MANPAGER", TOOL),
    row("SYSTEMD_PAGER", TOOL),
    row("BROWSER", TOOL),
    row("LESSOPEN", TOOL),
    row("LESSCLOSE", TOOL),
    row("LESSEDIT", TOOL),
    row("FCEDIT", TOOL),
    row("VIMINIT", TOOL_CONFIG),
    row("EXINIT", TOOL_CONFIG),
    row("CURL_HOME", TOOL_CONFIG),
    row("WGETRC", TOOL_CONFIG),
    row("DOCKER_CONFIG", TOOL_CONFIG),
    row("OPENSSL_CONF", LOADER),
    row("OPENSSL_MODULES", LOADER),
    row("OPENSSL_ENGINES", LOADER),
    row("SSL_CERT_FILE", TRUST),
    row("SSL_CERT_DIR", TRUST),
    row("XDG_*", DESKTOP),
    // The service's own.
    row("SECRETS_*", OWN),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserves_what_the_design_names() {
        let names = "PATH HOME PWD SHELL USER IFS ENV BASH_ENV BASHOPTS SHELLOPTS PROMPT_COMMAND PS4 ZDOTDIR CDPATH TMPDIR \
            LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_X DYLD_INSERT_LIBRARIES GLIBC_TUNABLES MALLOC_CHECK_ GCONV_PATH \
            NODE_OPTIONS NODE_EXTRA_CA_CERTS PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5OPT PERL5LIB RUBYOPT RUBYLIB \
            JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS CORECLR_PROFILER COR_PROFILER \
            RUSTC_WRAPPER MAKEFLAGS GIT_SSH GIT_SSH_COMMAND GIT_EXEC_PATH GIT_ASKPASS GIT_CONFIG GIT_CONFIG_COUNT \
            GIT_CONFIG_GLOBAL GIT_PROXY_COMMAND SSH_ASKPASS SSH_AUTH_SOCK EDITOR VISUAL PAGER BROWSER LESSOPEN OPENSSL_CONF \
            SSL_CERT_FILE SSL_CERT_DIR BASH_FUNC_X LC_ALL XDG_CONFIG_HOME SECRETS_TOKEN SECRETS_";
        for name in names.split_whitespace() {
            assert!(reserved_variable(name).is_some(), "{name}");
            assert!(reserved_variable(&name.to_lowercase()).is_some(), "{name} in lower case");
        }
    }

    #[test]
    fn reserves_no_ordinary_credentials() {
        for name in [
            "GIT_TOKEN",
            "NODE_AUTH_TOKEN",
            "PYPI_TOKEN",
            "HTTPS_PROXY",
            "LINEAR_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "DATABASE_URL",
            "GITHUB_TOKEN",
            "NPM_TOKEN",
            "HOMEBREW_GITHUB_API_TOKEN",
            "PATHS",
            "MY_PATH",
            "SECRET",
            "USERNAME",
            "DOCKER_PASSWORD",
            "LDAP_PASSWORD",
            "CARGO_REGISTRY_TOKEN",
            "KUBECONFIG",
            "SSH_PRIVATE_KEY",
            "ENVIRONMENT",
            "LCD_KEY",
            "XDGE",
            "GIT_PASSWORD",
            "SENTRY_DSN",
        ] {
            assert_eq!(reserved_variable(name), None, "{name}");
        }
    }

    #[test]
    fn gives_each_row_a_reason_and_a_place_of_its_own() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(!row.reason.is_empty(), "{}", row.pattern);
            assert!(!row.pattern.trim_end_matches('*').is_empty());
            let first = TABLE.iter().position(|other| other.matches(row.pattern.trim_end_matches('*')));
            assert_eq!(first, Some(index), "{} is covered by an earlier row", row.pattern);
        }
    }
}
