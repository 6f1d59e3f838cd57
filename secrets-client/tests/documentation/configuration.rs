//! What `secrets-server/README.md` says of configuration, held against the server.

use super::readme::{section, text};
use crate::support::TestDir;

const README: &str = "secrets-server/README.md";

#[test]
fn the_readme_names_every_key() {
    let directory = TestDir::new();
    let mut command = directory.command("secrets-server");
    command.arg("check-config").env("SECRETS__NO_SUCH_KEY", "x");
    let ended = directory.run(command);
    assert_eq!(ended.code, Some(2), "{}", ended.output);
    let known: Vec<_> = ended.output.split('`').filter(|word| word.starts_with("SECRETS__")).collect();
    assert!(known.contains(&"SECRETS__DATABASE__URL"), "{}", ended.output);
    let readme = text(README);
    let (_, configuration) = section(&readme, "Configuration");
    for variable in known.into_iter().filter(|variable| *variable != "SECRETS__NO_SUCH_KEY") {
        assert!(configuration.contains(&format!("| `{variable}` |")), "{variable} is not in the table");
    }
}

#[test]
fn the_readmes_file_is_valid() {
    let readme = text(README);
    let (_, configuration) = section(&readme, "Configuration");
    let file = configuration.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let directory = TestDir::new();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.path().join("tls.crt"), certified.cert.pem()).unwrap();
    std::fs::write(directory.path().join("tls.key"), certified.signing_key.serialize_pem()).unwrap();
    let file = file.replace("/etc/secrets/", &format!("{}/", directory.path().display()));
    std::fs::write(directory.path().join("server.toml"), file).unwrap();
    let mut command = directory.command("secrets-server");
    command.args(["check-config", "--config", "server.toml"]);
    let ended = directory.run(command);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("10.0.0.5:50443"), "{}", ended.output);
}
