use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::running::Running;
use super::world::{Ended, Person, World};

/// Somebody who runs a program with a fallback.
struct Careful<'a> {
    person: Person<'a>,
    file: PathBuf,
    key: PathBuf,
}

impl<'a> Careful<'a> {
    fn new(world: &'a World, person: Person<'a>) -> Self {
        let (file, key) = (world.folder.path().join("fallback"), world.folder.path().join("fallback-key"));
        if !key.exists() {
            write_key(&key, "c0ffee00");
        }
        Self { person, file, key }
    }

    /// `secrets run --fallback … FLAGS -- printenv LINEAR_API_KEY`
    fn runs(&self, flags: &str) -> Ended {
        let (file, key) = (self.file.to_str().unwrap(), self.key.to_str().unwrap());
        let flags = if flags.is_empty() { String::new() } else { format!(" {flags}") };
        let line = format!("run --fallback {file} --fallback-key-file {key} --no-masking{flags}");
        self.person.types(&format!("{line} -- printenv LINEAR_API_KEY"))
    }
}

fn write_key(path: &PathBuf, eight_digits: &str) {
    fs::write(path, format!("{}\n", eight_digits.repeat(8))).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn world() -> World {
    let world = World::acme();
    world.person("bob").sets("lin_bob_1", "LINEAR_API_KEY");
    world
}

#[test]
fn the_last_set_is_used_while_the_service_is_gone() {
    let mut world = world();
    let careful = Careful::new(&world, world.person("bob"));
    careful.runs("--workspace ws1").succeeds("the first").shows(&["lin_bob_1"]);
    let sealed = fs::read(&careful.file).unwrap();
    assert!(!sealed.windows(9).any(|window| window == b"lin_bob_1"));
    assert_eq!(fs::metadata(&careful.file).unwrap().permissions().mode() & 0o777, 0o600);
    world.person("bob").sets("lin_bob_2", "LINEAR_API_KEY");
    Careful::new(&world, world.person("bob")).runs("--workspace ws1").shows(&["lin_bob_2"]);

    world.stop();
    let careful = Careful::new(&world, world.person("bob"));
    let ended = careful.runs("--workspace ws1").succeeds("without a service");
    assert_eq!(ended.stdout, "lin_bob_2\n");
    ended.shows(&["unavailable", "using what it gave"]);
    // What it was not sealed for.
    for flags in ["--org", "--workspace ws1 --only LINEAR_API_KEY", "--workspace ws1 --endpoint http://127.0.0.1:1"] {
        careful
            .runs(flags)
            .fails(125)
            .shows(&["another endpoint, credential, context or choice of names"])
            .hides("lin_");
    }
    let stranger = world.person("bob").with("SECRETS_TOKEN", "sper_somebody");
    Careful::new(&world, stranger).runs("--workspace ws1").fails(125).hides("lin_");
}

#[test]
fn a_service_that_is_silent_is_waited_for_three_seconds() {
    let world = world();
    let careful = Careful::new(&world, world.person("bob"));
    careful.runs("--workspace ws1").succeeds("the first");
    world.freeze();
    let begun = Instant::now();
    careful.runs("--workspace ws1").succeeds("without an answer").shows(&["did not answer within 3 s", "lin_bob_1"]);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_denial_is_no_reason_to_use_it() {
    let world = world();
    let bob = world.person("bob");
    let session = bob.does("session create --workspace ws1").line();
    let careful = Careful::new(&world, world.person("sandbox").with("SECRETS_TOKEN", &session));
    careful.runs("").succeeds("the first").shows(&["lin_bob_1"]);
    let name = bob.does("session list").row_of("bob");
    bob.does(&format!("session revoke {name} --yes"));
    careful.runs("").fails(125).shows(&["revoked"]).hides("lin_bob_1");
    // Neither is a secret that is missing.
    let careful = Careful::new(&world, world.person("bob"));
    careful.runs("--workspace ws1 --only LINEAR_API_KEY").succeeds("the first");
    bob.does("rm LINEAR_API_KEY --yes");
    careful.runs("--workspace ws1 --only LINEAR_API_KEY").fails(5).hides("lin_bob_1");
}

#[test]
fn one_that_is_too_old_altered_or_of_another_key_is_refused() {
    let mut world = world();
    Careful::new(&world, world.person("bob")).runs("--workspace ws1").succeeds("the first");
    world.stop();
    let careful = Careful::new(&world, world.person("bob"));
    std::thread::sleep(Duration::from_millis(2_100));
    careful.runs("--workspace ws1 --fallback-max-age 1s").fails(125).shows(&["--fallback-max-age"]).hides("lin_bob_1");
    careful.runs("--workspace ws1 --fallback-max-age 1h").succeeds("young enough");

    let sealed = fs::read(&careful.file).unwrap();
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&careful.file, altered).unwrap();
    careful.runs("--workspace ws1").fails(125).shows(&["altered"]);
    fs::write(&careful.file, "LINEAR_API_KEY=forged").unwrap();
    careful.runs("--workspace ws1").fails(125).shows(&["not a fallback"]).hides("forged");
    fs::write(&careful.file, sealed).unwrap();
    write_key(&careful.key, "decaf000");
    careful.runs("--workspace ws1").fails(125).shows(&["another key"]);
    fs::remove_file(&careful.file).unwrap();
    careful.runs("--workspace ws1").fails(125).shows(&["unavailable", "No such file"]);
}

#[test]
fn without_a_network_nobody_is_asked() {
    let world = world();
    let bob = world.person("bob");
    let careful = Careful::new(&world, world.person("bob"));
    careful.runs("--workspace ws1").succeeds("the first");
    bob.sets("lin_bob_2", "LINEAR_API_KEY");
    careful.runs("--workspace ws1 --fallback-only").succeeds("offline").shows(&["lin_bob_1", "without asking"]);
    careful.runs("--workspace ws1").shows(&["lin_bob_2"]);
}

#[test]
fn a_set_without_what_has_become_necessary_is_not_enough() {
    let mut world = world();
    Careful::new(&world, world.person("bob")).runs("--workspace ws1").succeeds("the first");
    fs::write(world.person("bob").home.join("secrets.toml"), "[secrets.MUST_HAVE]\n").unwrap();
    world.stop();
    let careful = Careful::new(&world, world.person("bob"));
    for flags in ["--workspace ws1", "--workspace ws1 --fallback-only"] {
        careful.runs(flags).fails(5).shows(&["MUST_HAVE", "fallback"]).hides("lin_bob_1");
    }
    careful.runs("--workspace ws1 --fallback-only --watch").fails(2).shows(&["--watch"]);
}

#[test]
fn a_program_that_began_with_it_follows_the_service_once_that_is_back() {
    let mut world = world();
    let careful = Careful::new(&world, world.person("bob"));
    careful.runs("--workspace ws1").succeeds("the first");
    let (file, key) = (careful.file.clone(), careful.key.clone());
    world.stop();
    let words = ["run", "--watch", "--workspace", "ws1", "--fallback", file.to_str().unwrap()];
    let program = ["--", "sh", "-c", r#"echo "started with ${#LINEAR_API_KEY}"; exec sleep 120"#];
    let words = [&words[..], &["--fallback-key-file", key.to_str().unwrap()], &program].concat();
    let running = Running::start(world.person("bob").command_of(&words));
    assert_eq!(running.says(), "started with 9");
    world.restart(Duration::from_secs(1));
    world.person("bob").sets("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.says(), "started with 11");
    drop(running);
    // What it got then is what the next one falls back to.
    world.stop();
    Careful::new(&world, world.person("bob")).runs("--workspace ws1").succeeds("again").shows(&["lin_bob_two"]);
}

#[test]
fn a_key_that_is_no_use_is_told_of_at_once() {
    let world = world();
    let careful = Careful::new(&world, world.person("bob"));
    fs::set_permissions(&careful.key, fs::Permissions::from_mode(0o644)).unwrap();
    careful.runs("--workspace ws1").fails(125).shows(&["everybody may read it", "chmod 600"]).hides("lin_bob_1");
    fs::write(&careful.key, "short").unwrap();
    fs::set_permissions(&careful.key, fs::Permissions::from_mode(0o600)).unwrap();
    careful.runs("--workspace ws1").fails(125).shows(&["64 hexadecimal digits"]).hides("short");
    world.person("bob").types("run --fallback x -- true").fails(2).shows(&["--fallback-key-file"]);
    world.person("bob").types("run --fallback-only -- true").fails(2).shows(&["--fallback"]);
    // A place that can't be written to is no reason not to run.
    write_key(&careful.key, "c0ffee00");
    let nowhere = Careful { file: "/proc/nowhere".into(), ..careful };
    nowhere.runs("--workspace ws1").succeeds("no place").shows(&["lin_bob_1", "no new fallback"]);
}
