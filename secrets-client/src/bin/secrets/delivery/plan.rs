use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use secrets_client::ResolvedSecret;
use secrets_core::{FilePath, Grade, SecretId, Target, reserved};
use zeroize::Zeroizing;

use super::docker_config::{self, Login, UserFiles};
use super::{Placement, Recipient};
use crate::args::executable::ExecutableArgs;
use crate::ui::error::{CliError, ExitCode};

/// What a program is to get. Nothing of it is written yet.
pub(crate) struct Plan {
    variables: Vec<Variable>,
    files: Vec<PlannedFile>,
    logins: Vec<Login>,
    api_only: Vec<SecretId>,
}

struct Variable {
    name: SecretId,
    value: Zeroizing<Vec<u8>>,
}

/// A value and the file that holds it.
pub(super) struct PlannedFile {
    pub(super) secret_id: SecretId,
    /// The resource name of the secret.
    pub(super) secret: String,
    pub(super) version: u32,
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
        executable: &ExecutableArgs,
    ) -> Result<Self, CliError> {
        let mut plan = Self { variables: Vec::new(), files: Vec::new(), logins: Vec::new(), api_only: Vec::new() };
        for secret in secrets {
            let (name, value) = (secret.secret_id().clone(), secret.expose());
            match &secret.target {
                Target::EnvironmentVariable => plan.variables.push(Variable { name, value: value.to_vec().into() }),
                Target::File { path, mode } => {
                    let mode = executable.mode(secret, *mode);
                    plan.files.push(PlannedFile {
                        secret_id: name,
                        secret: secret.name.to_string(),
                        version: secret.version,
                        path: located(secret, path, home)?,
                        mode,
                        value: value.to_vec().into(),
                    });
                }
                Target::Registry { host, username } => {
                    let password = std::str::from_utf8(value).ok().filter(|text| !text.contains('\0'));
                    let password = password
                        .ok_or_else(|| fails(secret, "a registry password must be text without NUL bytes"))?
                        .to_owned();
                    let (host, username) = (host.clone(), username.clone());
                    plan.logins.push(Login { host, username, password: password.into() });
                }
                Target::ApiOnly => plan.api_only.push(name),
            }
        }
        plan.refuse_collisions()?;
        Ok(plan)
    }

    /// The variables, by name.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|variable| (OsStr::new(variable.name.as_str()), OsStr::from_bytes(&variable.value)))
    }

    /// Names of what is never delivered to a program.
    pub(crate) fn api_only(&self) -> Vec<&str> {
        self.api_only.iter().map(SecretId::as_str).collect()
    }

    /// Whether something is to be written.
    pub(crate) fn has_files(&self) -> bool {
        !self.files.is_empty() || !self.logins.is_empty()
    }

    /// Writes the files, and the registries' credentials over the caller's own `registries`: all or nothing.
    ///
    /// What earlier processes left because they were killed is removed first. Set up signals before this: one that ends
    /// the process in the middle leaves the rest to the next one.
    pub(crate) fn place(&self, registries: UserFiles, recipient: Recipient) -> Result<Placement, CliError> {
        Placement::new(self, registries, recipient)
    }

    /// What Docker's `config.json` holds with these registries' credentials alone.
    pub(crate) fn docker_config(&self) -> Zeroizing<String> {
        docker_config::config(&self.logins)
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

/// Where a file lands, with `home` in place of `~`.
fn located(secret: &ResolvedSecret, target: &FilePath, home: Option<&Path>) -> Result<PathBuf, CliError> {
    let path = super::here(target, home).ok_or_else(|| {
        let why = format!("`{target}` is below the home directory, and there is none");
        fails(secret, &why).hint("set HOME to its path")
    })?;
    // With a home such as `/`, a path of one's own becomes one of the system's.
    if let Some(reserved) = path.to_str().and_then(reserved::path).filter(|row| row.grade == Grade::Hard) {
        let why = format!("`{}` is reserved by `{}` ({})", path.display(), reserved.pattern, reserved.reason);
        return Err(fails(secret, &why));
    }
    Ok(path)
}

fn fails(secret: &ResolvedSecret, why: &str) -> CliError {
    CliError::new(ExitCode::Failed, format!("{} can't be delivered: {why}", secret.secret_id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::{self, registry, secret};

    fn file(name: &str, path: &str) -> ResolvedSecret {
        secret(name, b"x", &test_set::file(path, 0o640))
    }

    fn plan(secrets: &[ResolvedSecret]) -> Result<Plan, CliError> {
        Plan::new(secrets, Some(Path::new("/home/bob")), &ExecutableArgs::default())
    }

    #[test]
    fn sorts_by_where_a_value_lands() {
        let plan = plan(&[
            secret("A", "gr\u{fc}n".as_bytes(), &Target::EnvironmentVariable),
            file("KEY", "~/.ssh/key"),
            secret("REGISTRY", b"t", &registry("ghcr.io")),
            secret("ASKED_FOR", b"x", &Target::ApiOnly),
        ]);
        let plan = plan.unwrap();
        assert_eq!(plan.variables().collect::<Vec<_>>(), [(OsStr::new("A"), OsStr::new("gr\u{fc}n"))]);
        assert_eq!((plan.files[0].path.as_path(), plan.files[0].mode), (Path::new("/home/bob/.ssh/key"), 0o640));
        assert_eq!((plan.logins.len(), plan.api_only()), (1, vec!["ASKED_FOR"]));
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
        let error = plan(&[secret("REGISTRY", b"canary\xff", &registry("ghcr.io"))]).err().unwrap();
        assert!(!format!("{error:?}").contains("canary"));
        assert!(Plan::new(&[file("A", "~/x")], None, &ExecutableArgs::default()).is_err());
    }

    #[test]
    fn refuses_a_path_that_its_home_makes_a_reserved_one() {
        for (home, path) in [("/", "~/etc/ld.so.preload"), ("/.", "~/proc/self/mem"), ("/etc/", "~/cron.d/x")] {
            let error = Plan::new(&[file("A", path)], Some(Path::new(home)), &ExecutableArgs::default()).err().unwrap();
            assert!(error.message().contains("is reserved by"), "{home} {path}");
        }
    }
}
