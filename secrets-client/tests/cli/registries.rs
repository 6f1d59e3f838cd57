//! Registry credentials of a program, with what reads them in life: skopeo, docker-py and Docker's own code, in front of
//! registries that ask for Basic. Of two registries, the program has a secret for one, and its caller a login for the other.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{BasicRegistry, Person, ProgramOutput, TestServer, readers_path};

const DOCKER_PY: &str = "\
import docker.auth, json, sys
config = docker.auth.load_config()
logins = [docker.auth.resolve_authconfig(config, host) or {} for host in sys.argv[1:]]
print(json.dumps([{name.lower(): value for name, value in login.items()}.get('password') for login in logins]))";

/// A registry of the set, and one of the caller's own; a helper program that knows logins for both.
struct Registries {
    server: TestServer,
    of_set: BasicRegistry,
    own: BasicRegistry,
}

impl Registries {
    fn new() -> Self {
        let server = TestServer::acme();
        let (of_set, own) = (BasicRegistry::start("bob:from-set"), BasicRegistry::start("ann:own"));
        let bob = server.person("bob");
        bob.set("from-set", &format!("REGISTRY --registry {} --username bob", of_set.host));
        // Docker's protocol: a verb as argument, the registry on stdin.
        let helper = format!(
            "#!/bin/sh\nread -r host\necho \"$1 $host\" >> ~/asked\ncase \"$1 $host\" in\n\
             \"get {}\") echo '{{\"ServerURL\":\"\",\"Username\":\"ann\",\"Secret\":\"own\"}}' ;;\n\
             \"get {}\") echo '{{\"ServerURL\":\"\",\"Username\":\"ann\",\"Secret\":\"stale\"}}' ;;\n\
             *) echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n",
            own.host, of_set.host
        );
        let programs = bob.home.join("bin");
        std::fs::create_dir(&programs).unwrap();
        let program = programs.join("docker-credential-test");
        std::fs::write(&program, helper).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { server, of_set, own }
    }

    fn bob(&self) -> Person<'_> {
        let bob = self.server.person("bob");
        let path = format!("{}:{}", bob.home.join("bin").display(), readers_path().to_str().unwrap());
        bob.with("PATH", &path)
    }

    /// Writes one of the caller's files, in the place of the one before.
    fn has(&self, path: &str, content: &Value) -> PathBuf {
        let home = self.server.person("bob").home;
        for directory in [".docker", ".config/containers", ".runtime/containers", "elsewhere"] {
            let _ = std::fs::remove_dir_all(home.join(directory));
        }
        let path = home.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content.to_string()).unwrap();
        path
    }

    /// A login with an old credential for the registry of the set, and a good one for the other.
    fn logins(&self) -> Value {
        json!({ (self.of_set.host.clone()): { "auth": "YW5uOnN0YWxl" }, (self.own.host.clone()): { "auth": self.own.auth() } })
    }
}

/// Runs a program that gets the set.
fn run(bob: &Person<'_>, words: &[&str]) -> ProgramOutput {
    bob.run_words(&[&["run", "--no-masking", "--"], words].concat())
}

#[track_caller]
fn skopeo_gets(bob: &Person<'_>, registry: &BasicRegistry) {
    let ended = run(bob, &["skopeo", "inspect", "--raw", "--tls-verify=false", &registry.image()]);
    assert_eq!(ended.expect_success("skopeo").json()["schemaVersion"], 2);
}

/// The passwords that docker-py has for the registry of the set and the other one.
#[track_caller]
fn docker_py_has(bob: &Person<'_>, registries: &Registries) -> Value {
    let hosts = [registries.of_set.host.as_str(), registries.own.host.as_str()];
    run(bob, &[&["python3", "-c", DOCKER_PY], &hosts[..]].concat()).expect_success("docker-py").json()
}

/// The same of Docker's own code.
#[track_caller]
fn docker_has(bob: &Person<'_>, registries: &Registries) -> Value {
    let passwords = [&registries.of_set, &registries.own].map(|registry| {
        let script = format!("exec docker-reader login \"$DOCKER_CONFIG\" {}", registry.host);
        run(bob, &["sh", "-c", &script]).expect_success("docker-reader").json()["password"].clone()
    });
    json!(passwords)
}

#[test]
fn every_reader_has_the_sets_credential_and_the_callers_own_of_docker() {
    let registries = Registries::new();
    let bob = registries.bob();
    let (set, own) = (&registries.of_set.host, &registries.own.host);
    for (case, config) in [
        ("store", json!({ "auths": { set: {}, own: {} }, "credsStore": "test" })),
        (
            "store with old entry",
            json!({ "auths": { set: { "auth": "YW5uOnN0YWxl" }, own: {} }, "credsStore": "test" }),
        ),
        ("helpers", json!({ "credHelpers": { set: "test", own: "test" } })),
        (
            "exception from a store",
            json!({
                "auths": { own: { "auth": registries.own.auth() } }, "credsStore": "test", "credHelpers": { own: "" },
            }),
        ),
        ("plain", json!({ "auths": registries.logins() })),
    ] {
        registries.has(".docker/config.json", &config);
        skopeo_gets(&bob, &registries.of_set);
        skopeo_gets(&bob, &registries.own);
        assert_eq!(docker_py_has(&bob, &registries), json!(["from-set", "own"]), "{case}");
        assert_eq!(docker_has(&bob, &registries), json!(["from-set", "own"]), "{case}");
    }
    let asked = std::fs::read_to_string(bob.home.join("asked")).unwrap();
    assert!(asked.contains(own) && !asked.contains(set), "{asked}");
}

#[test]
fn a_program_has_no_other_credential_where_its_caller_has_none() {
    let registries = Registries::new();
    let bob = registries.bob();
    skopeo_gets(&bob, &registries.of_set);
    let refused = run(&bob, &["skopeo", "inspect", "--raw", "--tls-verify=false", &registries.own.image()]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_eq!(docker_py_has(&bob, &registries), json!(["from-set", null]));
    assert_eq!(docker_has(&bob, &registries), json!(["from-set", ""]));
}

#[test]
fn skopeo_has_the_logins_of_each_of_podmans_files() {
    let registries = Registries::new();
    let logins = json!({ "auths": registries.logins() });
    let home = registries.bob().home;
    let cases: [(&str, Option<(&str, PathBuf)>); 4] = [
        ("elsewhere/auth.json", Some(("REGISTRY_AUTH_FILE", home.join("elsewhere/auth.json")))),
        (".runtime/containers/auth.json", None),
        (".config/containers/auth.json", None),
        ("elsewhere/containers/auth.json", Some(("XDG_CONFIG_HOME", home.join("elsewhere")))),
    ];
    for (path, variable) in cases {
        let mut bob = registries.bob();
        if let Some((name, value)) = variable {
            bob = bob.with(name, value.to_str().unwrap());
        }
        registries.has(path, &logins);
        // The variable moves the configuration of `secrets` too.
        if path.starts_with("elsewhere/containers") {
            symlink(home.join(".config/secrets"), home.join("elsewhere/secrets")).unwrap();
        }
        skopeo_gets(&bob, &registries.of_set);
        skopeo_gets(&bob, &registries.own);
        // Docker reads none of them.
        assert_eq!(docker_py_has(&bob, &registries), json!(["from-set", null]), "{path}");
    }
}

#[test]
fn the_first_of_podmans_files_wins_and_dockers_is_the_last() {
    let registries = Registries::new();
    let bob = registries.bob();
    let own = &registries.own.host;
    let write = |path: &Path, auth: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, json!({ "auths": { own: { "auth": auth } } }).to_string()).unwrap();
    };
    let files =
        ["elsewhere/auth.json", ".runtime/containers/auth.json", ".config/containers/auth.json", ".docker/config.json"];
    let bob = bob.with("REGISTRY_AUTH_FILE", "elsewhere/auth.json");
    for first in 0..files.len() {
        for (n, file) in files.iter().enumerate().skip(first) {
            write(&bob.home.join(file), if n == first { "YW5uOm93bg==" } else { "YW5uOnN0YWxl" });
        }
        skopeo_gets(&bob, &registries.own);
        std::fs::remove_file(bob.home.join(files[first])).unwrap();
    }
}

#[test]
fn a_file_that_can_not_be_merged_is_named_and_nothing_is_started() {
    let registries = Registries::new();
    let bob = registries.bob();
    for (path, named, hint) in [
        ("elsewhere/auth.json", true, "REGISTRY_AUTH_FILE names it"),
        (".runtime/containers/auth.json", false, "podman and skopeo read it too"),
        (".config/containers/auth.json", false, "podman and skopeo read it too"),
        (".docker/config.json", false, "DOCKER_CONFIG"),
    ] {
        let file = registries.has(path, &json!({}));
        std::fs::write(&file, "{\n\"auths\": canary").unwrap();
        let bob = match named {
            true => registries.bob().with("REGISTRY_AUTH_FILE", file.to_str().unwrap()),
            false => registries.bob(),
        };
        run(&bob, &["touch", "started"])
            .expect_failure(125)
            .expect_text(&[&format!("{path}` can't be merged: line 2"), hint])
            .reject_text("canary");
    }
    assert!(!bob.home.join("started").exists());
}

#[test]
fn a_login_inside_is_named_as_lost_and_never_shown() {
    let registries = Registries::new();
    let bob = registries.bob();
    let own = &registries.own.host;
    let lost = format!("warning: the program's login to {own} is lost");
    let skopeo = ["skopeo", "login", "--tls-verify=false", "--username", "ann", "--password", "own", own];
    run(&bob, &skopeo).expect_success("skopeo login").expect_text(&[&lost]);
    let script = format!("exec docker-reader sign-in \"$DOCKER_CONFIG\" {own} ann canary");
    let ended = run(&bob, &["sh", "-c", &script]).expect_success("docker login").expect_text(&[&lost]);
    let ended = ended.reject_text("canary");
    assert_eq!(ended.stderr.matches("warning: ").count(), 1, "{ended:?}");
    // What a helper keeps is not lost, nor is anything where no login was made.
    registries.has(".docker/config.json", &json!({ "credHelpers": { own: "kept" } }));
    let program = bob.home.join("bin/docker-credential-kept");
    std::fs::write(&program, "#!/bin/sh\ncat > ~/kept\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    run(&bob, &["sh", "-c", &script]).expect_success("docker login").reject_text("is lost");
    assert!(std::fs::read_to_string(bob.home.join("kept")).unwrap().contains("canary"));
    skopeo_gets(&bob, &registries.of_set);
}

#[test]
fn a_store_without_known_registries_is_named() {
    let registries = Registries::new();
    let bob = registries.bob();
    registries.has(".docker/config.json", &json!({ "credsStore": "ecr-login" }));
    run(&bob, &["true"]).expect_success("run").expect_text(&["credential store `ecr-login`", "credHelpers"]);
    registries.has(".docker/config.json", &json!({ "credsStore": "desktop" }));
    run(&bob, &["true"]).expect_success("run").reject_text("credential store");
}
