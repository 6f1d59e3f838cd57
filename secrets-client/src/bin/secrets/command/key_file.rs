//! What is said of a value that becomes a file: of keys that programs would refuse, and of a path that is a file here already.

use std::path::PathBuf;

use secrets_client::v1;
use secrets_client::v1::target::Kind;
use secrets_core::FilePath;

use crate::app::App;
use crate::delivery;
use crate::ui::error::CliError;
use crate::ui::prompt;

/// What every key and certificate in text form begins with.
const PEM: &[u8] = b"-----BEGIN ";

/// Where the value comes from, if `--file PATH` was typed for that, as everybody does once: of a path that is a file here, a person
/// is asked.
pub(super) fn meant_as_source(name: &str, path: &str, is_asked_for: bool) -> Result<Option<PathBuf>, CliError> {
    let Some(here) = here(path).filter(|here| here.is_file()) else { return Ok(None) };
    if !is_target(path) {
        let text = format!(
            "--file says where programs get {name}, an absolute path or one below `~/`; `{path}` is a file here"
        );
        return Err(CliError::usage(text)
            .hint(format!("did you mean `--value-file {path}`? It says where the value comes from")));
    }
    let question = format!("`{path}` is a file here. Take the value from it?");
    Ok((is_asked_for && prompt::confirm(&question, false)?).then_some(here))
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

/// Warns where programs on this machine could not get it, as something else is there already.
pub(super) fn warn_of_another(app: &App, secret: &v1::Secret, value: &[u8]) {
    let Some(Kind::File(file)) = secret.target.as_ref().and_then(|target| target.kind.as_ref()) else { return };
    let Ok(path) = FilePath::parse_stored(&file.path) else { return };
    let Some(here) = delivery::here(&path, delivery::home().as_deref()) else { return };
    if let Some(why) = delivery::in_the_way(&here, file.mode, value) {
        let name = &secret.secret_id;
        app.output.warn(&format!("{name}: `secrets run` can't write `{path}` on this machine: {why}"));
    }
}
