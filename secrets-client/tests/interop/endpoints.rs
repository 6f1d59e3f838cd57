//! Each address of `endpoints.json`, in every language that has a client.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrets_client::Client;
use serde::Deserialize;
use serde_json::Value;

use super::language::{ALL, Language, output};

/// Longer than a program may take to read them.
const TIMEOUT: Duration = Duration::from_secs(60);
/// What no error may hold.
const PASSWORD: &str = "canary";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoints {
    #[serde(rename = "about")]
    _about: String,
    endpoints: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    endpoint: String,
    /// How it is written, or begins to be; none for one that is refused.
    written: Option<String>,
    /// Whether it must be allowed.
    #[serde(default)]
    exposed: bool,
    /// Why it is refused.
    refused: Option<String>,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/endpoints.json")
}

impl Endpoints {
    fn read() -> Self {
        serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
    }
}

impl Case {
    /// Checks what came of it, an error or none, by itself and when plain text is allowed.
    fn check(&self, language: &str, plain: Option<&str>, allowed: Option<&str>) {
        let about = format!("{language}: {:?}: {plain:?}, {allowed:?}", self.endpoint);
        match (&self.refused, self.exposed) {
            (Some(refused), _) => {
                let refused = format!("invalid endpoint: {refused}");
                assert_eq!((plain, allowed), (Some(refused.as_str()), Some(refused.as_str())), "{about}");
            }
            (None, true) => {
                let refusal = plain.unwrap_or_else(|| panic!("{about}"));
                let written = self.written.as_deref().unwrap();
                assert!(refusal.starts_with(written) && refusal.contains(" is not encrypted"), "{about}");
                assert!(
                    refusal.contains("SECRETS_INSECURE=1") && refusal.to_lowercase().contains("`insecure"),
                    "{about}"
                );
                assert_eq!(allowed, None, "{about}");
            }
            (None, false) => assert_eq!((plain, allowed), (None, None), "{about}"),
        }
        assert!(!about.replace(&format!("{:?}", self.endpoint), "").contains(PASSWORD), "{about}");
        assert!(!plain.is_some_and(|message| message.chars().any(char::is_control)), "{about}");
    }
}

#[tokio::test]
async fn rust_takes_the_same_endpoints() {
    for case in Endpoints::read().endpoints {
        let build = |insecure: bool| {
            let builder = Client::builder(&case.endpoint);
            if insecure { builder.insecure() } else { builder }.build()
        };
        let [plain, allowed] = [false, true].map(|insecure| build(insecure).map_err(|error| error.to_string()));
        if let Ok(client) = &allowed {
            assert!(client.endpoint().starts_with(case.written.as_deref().unwrap()), "{}", client.endpoint());
        }
        case.check("rust", plain.err().as_deref(), allowed.err().as_deref());
    }
}

#[test]
fn every_language_takes_the_same_endpoints() {
    let file = Endpoints::read();
    for language in ALL {
        let mut came = came_of_endpoints(language).into_iter();
        for case in &file.endpoints {
            let [plain, allowed] = [(); 2].map(|()| came.next().unwrap());
            case.check(language.name, plain.as_deref(), allowed.as_deref());
        }
        assert!(came.next().is_none(), "{}", language.name);
    }
}

fn came_of_endpoints(language: &Language) -> Vec<Option<String>> {
    let mut runner = language.runner("http://127.0.0.1:1", Path::new("/dev/null"), Path::new("/dev/null"));
    let ended = output(runner.arg("--endpoints").arg(path()), TIMEOUT);
    let (printed, stderr) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert!(ended.status.success(), "{}: {stderr}", language.name);
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["message"].as_str().map(str::to_owned);
    printed.lines().map(line).collect()
}

/// Nothing listens there: whoever is allowed to connect finds that out.
#[test]
fn the_environment_allows_plain_text_by_one_value_alone() {
    const ELSEWHERE: &str = "http://198.51.100.1:9";
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "a-token").unwrap();
    for language in ALL {
        for (value, is_allowed) in [(None, false), (Some("0"), false), (Some("true"), false), (Some("1"), true)] {
            let mut runner = language.runner(ELSEWHERE, &token, &token);
            if let Some(value) = value {
                runner.env("SECRETS_INSECURE", value);
            }
            let empty = directory.path().join("empty.json");
            std::fs::write(&empty, r#"{"malformed": [], "accepted": []}"#).unwrap();
            let ended = output(runner.arg("--answers").arg(&empty), TIMEOUT);
            let stderr = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.success(), is_allowed, "{}: {value:?}: {stderr}", language.name);
            assert!(is_allowed || stderr.contains("SECRETS_INSECURE=1"), "{}: {stderr}", language.name);
        }
    }
}
