//! Reserved environment variables.

mod hard;
mod soft;

use super::Reserved;

/// The first row that covers a name gives grade and reason.
pub(super) const TABLES: [&[Reserved]; 2] = [hard::TABLE, soft::TABLE];

/// Whether `pattern` is `name`, or what it starts with.
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
        None => name.eq_ignore_ascii_case(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Grade, environment, variables};
    use super::*;

    fn grade(name: &str) -> Option<Grade> {
        environment(name).map(|row| row.grade)
    }

    #[test]
    fn never_gives_way_on_what_takes_a_program_over() {
        let names = "PATH HOME PWD SHELL USER IFS ENV BASH_ENV BASHOPTS SHELLOPTS PROMPT_COMMAND PS4 ZDOTDIR CDPATH TMPDIR \
            LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_X DYLD_INSERT_LIBRARIES GLIBC_TUNABLES MALLOC_CHECK_ GCONV_PATH \
            NODE_OPTIONS PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5OPT PERL5LIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS \
            JDK_JAVA_OPTIONS _JAVA_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS CORECLR_PROFILER COR_PROFILER BUN_OPTIONS \
            NPM_CONFIG_SHELL NPM_CONFIG_SCRIPT_SHELL OCAMLRUNPARAM GUILE_LOAD_PATH GTK_MODULES QT_PLUGIN_PATH \
            BASH_COMPLETION_USER_FILE GIT_SSH GIT_SSH_COMMAND GIT_EXEC_PATH GIT_ASKPASS GIT_CONFIG GIT_CONFIG_COUNT \
            GIT_CONFIG_GLOBAL GIT_PROXY_COMMAND SSH_ASKPASS OPENSSL_CONF BASH_FUNC_X LC_ALL XDG_CONFIG_HOME SECRETS_TOKEN \
            SECRETS_";
        for name in names.split_whitespace() {
            assert_eq!(grade(name), Some(Grade::Hard), "{name}");
            assert_eq!(grade(&name.to_lowercase()), Some(Grade::Hard), "{name} in lower case");
        }
    }

    #[test]
    fn lets_an_organization_allow_what_redirects_or_intercepts() {
        let names = "REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_NO_VERIFY SSLKEYLOGFILE \
            NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR CARGO_BUILD_RUSTC CARGO_BUILD_RUSTC_WRAPPER \
            CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER CARGO_HOME CC CXX LD GOENV GOROOT JAVA_HOME PYTEST_ADDOPTS \
            PYTEST_PLUGINS NPM_CONFIG_USERCONFIG NPM_CONFIG_GLOBALCONFIG NPM_CONFIG_GIT NPM_CONFIG_PREFIX PIP_CONFIG_FILE \
            SUDO_EDITOR AWS_PAGER GH_PAGER VIMRUNTIME LESS MORE LESSKEY LESSOPEN RUSTC_WRAPPER MAKEFLAGS KUBECONFIG AWS_CONFIG_FILE \
            DOCKER_HOST DOCKER_CONFIG REGISTRY_AUTH_FILE SSH_AUTH_SOCK EDITOR VISUAL PAGER BROWSER";
        for name in names.split_whitespace() {
            assert_eq!(grade(name), Some(Grade::Soft), "{name}");
            assert_eq!(grade(&name.to_lowercase()), Some(Grade::Soft), "{name} in lower case");
        }
    }

    #[test]
    fn reserves_no_ordinary_credentials() {
        let names = "GIT_TOKEN NODE_AUTH_TOKEN PYPI_TOKEN HTTPS_PROXY LINEAR_API_KEY AWS_SECRET_ACCESS_KEY DATABASE_URL \
            GITHUB_TOKEN NPM_TOKEN HOMEBREW_GITHUB_API_TOKEN PATHS MY_PATH SECRET USERNAME DOCKER_PASSWORD LDAP_PASSWORD \
            CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_ACME_TOKEN SSH_PRIVATE_KEY ENVIRONMENT LCD_KEY XDGE GIT_PASSWORD \
            SENTRY_DSN NPM_CONFIG__AUTH NPM_CONFIG__AUTHTOKEN NPM_CONFIG_REGISTRY PIP_INDEX_URL PIP_EXTRA_INDEX_URL GOPROXY \
            BUNDLE_RUBYGEMS__PKG__GITHUB__COM AWS_PROFILE KUBE_TOKEN DOCKER_AUTH_CONFIG GH_TOKEN TF_TOKEN_APP_TERRAFORM_IO \
            POETRY_HTTP_BASIC_ACME_PASSWORD UV_INDEX_ACME_PASSWORD PGPASSWORD PGPASSFILE NETLIFY_AUTH_TOKEN CC_TOKEN";
        for name in names.split_whitespace() {
            assert_eq!(environment(name), None, "{name}");
        }
    }

    #[test]
    fn gives_each_row_a_reason_and_a_place_of_its_own() {
        for (index, row) in variables().enumerate() {
            assert!(!row.reason.is_empty(), "{}", row.pattern);
            let name = row.pattern.trim_end_matches('*');
            assert!(!name.is_empty());
            assert_eq!(name, name.to_uppercase());
            let first = variables().position(|other| covers(other.pattern, name));
            assert_eq!(first, Some(index), "{} is covered by an earlier row", row.pattern);
        }
    }
}
