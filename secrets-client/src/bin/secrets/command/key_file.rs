//! What is said of a value that becomes a file: of keys that programs would refuse, and of a path that is a file here already.

use std::path::PathBuf;

use secrets_client::v1;
use secrets_client::v1::target::Kind;
use secrets_core::FilePath;

use crate::app::App;
use crate::delivery::{self, InTheWay};
use crate::ui::error::CliError;
use crate::ui::prompt;

/// What every key and certificate in text form begins with.
const PEM: &[u8] = b"-----BEGIN ";

/// Refuses `--file PATH` where it was typed for where the value comes from, as everybody does once, and no program could get it there.
pub(super) fn check_target(name: &str, path: &str) -> Result<(), CliError> {
    if !is_target(path) && here(path).is_some_and(|here| here.is_file()) {
        let text = format!(
            "--file says where programs get {name}, an absolute path or one below `~/`; `{path}` is a file here"
        );
        return Err(CliError::usage(text)
            .hint(format!("did you mean `--value-file {path}`? It says where the value comes from")));
    }
    Ok(())
}

/// Where the value comes from, if that is what a person says who is asked of a path that is a file here.
pub(super) fn meant_as_source(path: &str) -> Result<Option<PathBuf>, CliError> {
    let Some(here) = here(path).filter(|here| here.is_file()) else { return Ok(None) };
    let question = format!("`{path}` is a file here. Take the value from it?");
    Ok(prompt::confirm(&question, false)?.then_some(here))
}

/// Whether a path can be one where a value lands.
fn is_target(path: &str) -> bool {
    path.starts_with('/') || path.starts_with("~/")
}

/// Where a path is on this machine.
fn here(path: &str) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => delivery::home().map(|home| home.join(rest)),
        None => Some(PathBuf::from(path)),
    }
}

/// Warns of a key or certificate in a form that programs refuse.
pub(super) fn warn(app: &App, name: &str, value: &[u8]) {
    if !value.starts_with(PEM) {
        return;
    }
    if value.windows(2).any(|pair| pair == b"\r\n") {
        app.output.warn(&format!("{name}: its lines end as on Windows (CR LF), and OpenSSH refuses such a key"));
    }
    if !value.ends_with(b"\n") {
        app.output.warn(&format!("{name}: its last line does not end, and OpenSSH refuses such a key"));
    }
}

/// Warns where programs on this machine could not get it, as something else is there already, or may be.
pub(super) fn warn_of_another(app: &App, secret: &v1::Secret, value: Option<&[u8]>) {
    let Some(Kind::File(file)) = secret.target.as_ref().and_then(|target| target.kind.as_ref()) else { return };
    let Ok(path) = FilePath::parse_stored(&file.path) else { return };
    let Some(here) = delivery::here(&path, delivery::home().as_deref()) else { return };
    let name = &secret.secret_id;
    match delivery::in_the_way(&here, file.mode, value) {
        None => {}
        Some(InTheWay::Surely(why)) => {
            app.output.warn(&format!("{name}: `secrets run` can't write `{path}` on this machine: {why}"));
        }
        Some(InTheWay::UnlessSame) => app.output.warn(&format!(
            "{name}: there is a file at `{path}` on this machine already; `secrets run` takes it as it is if it has the value's very \
             bytes, and fails if not"
        )),
    }
}
