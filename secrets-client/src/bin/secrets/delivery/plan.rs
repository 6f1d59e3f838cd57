use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use secrets_client::ResolvedSecret;
use secrets_client::v1::target::Kind;
use secrets_core::{FilePath, NamePolicy, SecretId};
use zeroize::Zeroizing;

use super::Placement;
use super::docker_config::{self, Login};
use crate::ui::error::{CliError, ExitCode};

/// What a program is to get. Nothing of it is written yet.
pub(crate) struct Plan {
    variables: Vec<Variable>,
    files: Vec<PlannedFile>,
    logins: Vec<Login>,
    api_only: Vec<String>,
}

struct Variable {
    name: String,
    value: Zeroizing<Vec<u8>>,
}

/// A value and the file that holds it.
pub(super) struct PlannedFile {
    pub(super) secret_id: String,
    /// Where it lands, with the home in place of `~`.
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) value: Zeroizing<Vec<u8>>,
}

impl Plan {
    /// Plans the delivery of `secrets`, with `~` as `home`. Refuses what can't be delivered, and files in each other's way.
    pub(crate) fn new<'a>(
        secrets: impl IntoIterator<Item = &'a ResolvedSecret>,
        home: Option<&Path>,
    ) -> Result<Self, CliError> {
        let mut plan = Self { variables: Vec::new(), files: Vec::new(), logins: Vec::new(), api_only: Vec::new() };
        for secret in secrets {
            let name = &secret.secret_id;
            let fails = |why: String| CliError::new(ExitCode::Failed, format!("{name} can't be delivered: {why}"));
            match &secret.target.kind {
                None | Some(Kind::EnvironmentVariable(_)) => {
                    SecretId::parse(name, NamePolicy::Relaxed).map_err(|error| fails(error.to_string()))?;
                    if secret.expose().contains(&0) {
                        return Err(fails("the value holds a NUL byte, which no variable can".to_owned()));
                    }
                    plan.variables.push(Variable { name: name.clone(), value: secret.expose().to_vec().into() });
                }
                Some(Kind::File(file)) => {
                    // The service has checked it as well; a mistake here would write where it must not.
                    let path: FilePath =
                        file.path.parse().map_err(|error| fails(format!("`{}`: {error}", file.path)))?;
                    let path = match (path.in_home(), home) {
                        (None, _) => PathBuf::from(path.as_str()),
                        (Some(rest), Some(home)) => home.join(rest),
                        (Some(_), None) => {
                            return Err(fails(format!("`{path}` is below the home directory, and there is none"))
                                .hint("set HOME to its path"));
                        }
                    };
                    let mode = if file.mode == 0 { 0o600 } else { file.mode & 0o775 };
                    plan.files.push(PlannedFile {
                        secret_id: name.clone(),
                        path,
                        mode,
                        value: secret.expose().to_vec().into(),
                    });
                }
                Some(Kind::Registry(registry)) => {
                    let host = registry.host.parse().map_err(|error| fails(format!("registry: {error}")))?;
                    let username = registry.username.parse().map_err(|error| fails(format!("registry: {error}")))?;
                    let password = std::str::from_utf8(secret.expose()).ok().filter(|text| !text.contains('\0'));
                    let password = password
                        .ok_or_else(|| fails("a registry password must be text without NUL bytes".to_owned()))?;
                    plan.logins.push(Login { host, username, password: password.to_owned().into() });
                }
                Some(Kind::ApiOnly(_)) => plan.api_only.push(name.clone()),
            }
        }
        plan.refuse_collisions()?;
        Ok(plan)
    }

    /// The variables, by name.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|variable| (OsStr::new(&variable.name), OsStr::from_bytes(&variable.value)))
    }

    /// Names of what is never delivered to a program.
    pub(crate) fn api_only(&self) -> &[String] {
        &self.api_only
    }

    /// Whether something is to be written.
    pub(crate) fn has_files(&self) -> bool {
        !self.files.is_empty() || !self.logins.is_empty()
    }

    /// Writes the files, and the registries' credentials beside the caller's own Docker configuration: all or nothing.
    ///
    /// What earlier processes left because they were killed is removed first. Set up signals before this: one that ends
    /// the process in the middle leaves the rest to the next one.
    pub(crate) fn place(&self, user_docker_config: Option<&Path>) -> Result<Placement, CliError> {
        Placement::new(self, user_docker_config)
    }

    /// What Docker's `config.json` holds with these registries' credentials alone.
    pub(crate) fn docker_config(&self) -> Zeroizing<String> {
        docker_config::config(None, &self.logins)
    }

    pub(super) fn files(&self) -> &[PlannedFile] {
        &self.files
    }

    pub(super) fn logins(&self) -> &[Login] {
        &self.logins
    }

    fn refuse_collisions(&self) -> Result<(), CliError> {
        let mut files: Vec<&PlannedFile> = self.files.iter().collect();
        // Segment by segment, so that what lies below a path comes right behind it.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for pair in files.windows(2) {
            let [above, below] = pair else { continue };
            if above.path == below.path {
                let message =
                    format!("{} and {} both land in `{}`", above.secret_id, below.secret_id, above.path.display());
                return Err(CliError::new(ExitCode::Failed, message));
            }
            if below.path.starts_with(&above.path) {
                let message = format!(
                    "{} is the file `{}`, so {} can't be `{}` below it",
                    above.secret_id,
                    above.path.display(),
                    below.secret_id,
                    below.path.display()
                );
                return Err(CliError::new(ExitCode::Failed, message));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use secrets_client::v1;

    use super::*;

    fn secret(name: &str, value: &[u8], kind: Option<Kind>) -> ResolvedSecret {
        let target = kind.map(|kind| v1::Target { kind: Some(kind) });
        v1::ResolvedSecret { secret_id: name.into(), value: value.into(), target, ..Default::default() }.into()
    }

    fn file(name: &str, path: &str) -> ResolvedSecret {
        secret(name, b"x", Some(Kind::File(v1::FileTarget { path: path.into(), mode: 0o640 })))
    }

    fn registry(host: &str, password: &[u8]) -> ResolvedSecret {
        let registry = v1::RegistryTarget { host: host.into(), username: "bob".into() };
        secret("REGISTRY", password, Some(Kind::Registry(registry)))
    }

    fn plan(secrets: &[ResolvedSecret]) -> Result<Plan, CliError> {
        Plan::new(secrets, Some(Path::new("/home/bob")))
    }

    #[test]
    fn sorts_by_where_a_value_lands() {
        let api_only = secret("ASKED_FOR", b"x", Some(Kind::ApiOnly(v1::ApiOnlyTarget {})));
        let plan = plan(&[
            secret("A", "gr\u{fc}n".as_bytes(), None),
            file("KEY", "~/.ssh/key"),
            registry("ghcr.io", b"t"),
            api_only,
        ]);
        let plan = plan.unwrap();
        assert_eq!(plan.variables().collect::<Vec<_>>(), [(OsStr::new("A"), OsStr::new("gr\u{fc}n"))]);
        assert_eq!((plan.files[0].path.as_path(), plan.files[0].mode), (Path::new("/home/bob/.ssh/key"), 0o640));
        assert_eq!((plan.logins.len(), plan.api_only()), (1, &["ASKED_FOR".to_owned()][..]));
    }

    #[test]
    fn refuses_files_in_each_others_way() {
        for (a, b, refused) in [
            ("/run/a", "/run/a", true),
            ("~/a", "/home/bob/a", true),
            ("/run/a", "/run/a/b", true),
            ("/home/bob/a/b/c", "~/a", true),
            ("/run/a", "/run/a.b", false),
            ("/run/a", "/run/ab", false),
            ("/run/a/b", "/run/a-b", false),
        ] {
            assert_eq!(plan(&[file("A", a), file("B", b), file("C", "/run/a!")]).is_err(), refused, "{a} {b}");
        }
    }

    #[test]
    fn refuses_what_no_program_could_get() {
        let nul = plan(&[secret("A", b"canary\0", None)]).err().unwrap();
        assert!(!format!("{nul:?}").contains("canary"));
        for refused in [
            secret("A=B", b"x", None),
            file("A", "/etc/../x"),
            file("A", "relative"),
            file("A", "~/.bashrc"),
            registry("ghcr.io", b"\xff"),
            registry("https://ghcr.io/x", b"x"),
        ] {
            assert!(plan(&[refused]).is_err());
        }
        assert!(Plan::new(&[file("A", "~/x")], None).is_err());
    }
}
