use serde_json::json;

use super::*;
use crate::delivery::docker_config::test_login;

/// A home with Docker's configuration `own`, and the place of the private one.
struct TestConfig {
    top: tempfile::TempDir,
    config: PrivateConfig,
}

impl TestConfig {
    fn new(own: &Value) -> Self {
        let top = tempfile::tempdir().unwrap();
        let user = top.path().join("home");
        std::fs::create_dir(&user).unwrap();
        std::fs::write(user.join(CONFIG_FILE), own.to_string()).unwrap();
        Self { top, config: PrivateConfig::new(UserFiles::docker_alone(user)) }
    }

    fn write(&mut self, hosts: &[&str], password: &str) {
        let logins: Vec<Login> = hosts.iter().map(|host| test_login(host, password)).collect();
        let content = self.config.prepare(&logins).unwrap();
        self.config.write(self.top.path(), content).unwrap();
    }

    fn paths(&self) -> [PathBuf; 2] {
        [self.top.path().join("docker/config.json"), self.top.path().join(AUTH_FILE)]
    }

    fn read(&self, file: usize) -> Value {
        serde_json::from_slice(&std::fs::read(&self.paths()[file]).unwrap()).unwrap()
    }

    /// As a program does that signs in.
    fn sign_in(&self, file: usize, key: &str, entry: Value) {
        let mut config = self.read(file);
        config["auths"][key] = entry;
        std::fs::write(&self.paths()[file], config.to_string()).unwrap();
    }
}

#[test]
fn links_what_else_is_there() {
    let (at, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(own.path().join("contexts")).unwrap();
    std::fs::write(own.path().join(CONFIG_FILE), "{}").unwrap();
    let directory = create_docker(at.path(), Some(own.path())).unwrap();
    assert_eq!(std::fs::read_link(directory.join("contexts")).unwrap(), own.path().join("contexts"));
    assert!(!directory.join(CONFIG_FILE).exists());
}

#[test]
fn names_the_registries_of_logins_that_end_with_it() {
    let mut test = TestConfig::new(&json!({ "auths": { "own.example": { "username": "o", "password": "own" } } }));
    test.write(&["ghcr.io"], "secret");
    assert_eq!(test.config.lost_logins(), None);
    // Docker writes an entry that it has read in its own form, and an empty one where a helper took the credential.
    test.sign_in(0, "own.example", json!({ "auth": "bzpvd24=" }));
    test.sign_in(0, "helper.example", json!({}));
    assert_eq!(test.config.lost_logins(), None);
    test.sign_in(0, "https://index.docker.io/v1/", json!({ "auth": "Ym9iOmNhbmFyeQ==" }));
    test.sign_in(1, "quay.io/team", json!({ "auth": "Ym9iOmNhbmFyeQ==" }));
    test.sign_in(1, "quay.io", json!({ "identitytoken": "canary" }));
    let lost = test.config.lost_logins().unwrap();
    assert!(lost.contains("logins to docker.io, quay.io are lost") && !lost.contains("canary"), "{lost}");
    test.sign_in(1, "ghcr.io", json!({ "auth": "Ym9iOm90aGVy" }));
    assert!(test.config.lost_logins().unwrap().contains("docker.io, ghcr.io, quay.io are lost"));
}

#[test]
fn shows_nothing_of_a_key_that_is_no_registry() {
    let mut test = TestConfig::new(&json!({}));
    test.write(&["ghcr.io"], "secret");
    let entry = json!({ "auth": "eDp5" });
    for key in ["bob:canary@evil.example", "\u{1b}[31mcanary", "canary canary", ""] {
        test.sign_in(0, key, entry.clone());
    }
    let lost = test.config.lost_logins().unwrap();
    assert!(lost.contains("logins to 4 registries are lost") && !lost.contains("canary"), "{lost}");
    for n in 0..20 {
        test.sign_in(0, &format!("r{n:02}.example"), entry.clone());
    }
    assert!(test.config.lost_logins().unwrap().contains("r03.example, r04.example, 19 more are lost"));
}

#[test]
fn bears_whatever_the_program_leaves_there() {
    let mut test = TestConfig::new(&json!({}));
    test.write(&["ghcr.io"], "secret");
    let [docker, podman] = test.paths();
    for text in ["{", "[]", "{\"auths\":[]}", "{\"auths\":{\"quay.io\":5}}", ""] {
        std::fs::write(&docker, text).unwrap();
        assert_eq!(test.config.lost_logins(), None, "{text}");
    }
    std::fs::remove_file(&docker).unwrap();
    std::fs::create_dir(&docker).unwrap();
    std::fs::remove_dir_all(podman.parent().unwrap()).unwrap();
    assert_eq!(test.config.lost_logins(), None);
}

#[test]
fn keeps_the_programs_logins_when_a_credential_changes() {
    let mut test = TestConfig::new(&json!({}));
    test.write(&["ghcr.io"], "first");
    for file in [0, 1] {
        test.sign_in(file, "quay.io", json!({ "auth": "Ym9iOm1hZGU=" }));
        test.sign_in(file, "ghcr.io", json!({ "auth": "Ym9iOm1hZGU=" }));
    }
    for password in ["second", "third"] {
        test.write(&["ghcr.io"], password);
        for file in [0, 1] {
            let auths = &test.read(file)["auths"];
            assert_eq!(auths["quay.io"]["auth"], "Ym9iOm1hZGU=");
            assert_ne!(auths["ghcr.io"]["auth"], "Ym9iOm1hZGU=");
        }
        assert!(test.config.lost_logins().unwrap().contains("logins to ghcr.io, quay.io are lost"));
    }
}
