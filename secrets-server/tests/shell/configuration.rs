use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::process::{ServerProcess, serve};
use crate::support::program::{ProgramOutput, command, run};

#[test]
fn an_unknown_key_in_a_file_is_named_with_the_file_and_nothing_is_created() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.toml");
    fs::write(&file, "[database]\nuri = \"postgres://app:hunter2@db/secrets\"\n").unwrap();
    let data_dir = directory.path().join("data");
    for subcommand in ["check-config", "serve"] {
        let ended = run(&[subcommand, "--config", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for part in ["`database.uri`", file.to_str().unwrap(), "`database.url`"] {
            assert!(ended.stderr.contains(part), "{}", ended.stderr);
        }
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        assert!(!data_dir.exists());
    }
}

#[test]
fn an_unknown_variable_is_named() {
    let ended = ProgramOutput::from(command(&["check-config"]).env("SECRETS__LOG__COLOUR", "red").output().unwrap());
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("`SECRETS__LOG__COLOUR` in the environment"), "{}", ended.stderr);
}

#[test]
fn an_unknown_flag_is_wrong_usage() {
    assert_eq!(run(&["serve", "--colour"]).code, Some(2));
    assert_eq!(run(&[]).code, Some(2));
}

#[test]
fn check_config_prints_the_configuration_without_the_password() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    fs::write(&file, "postgres://app:hunter2@db:5432/secrets\n").unwrap();
    let mut command = command(&["check-config", "--data-dir", "/srv/secrets", "--log-level", "debug"]);
    let ended = ProgramOutput::from(command.env("SECRETS__DATABASE__URL_FILE", &file).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in ["/srv/secrets", "db:5432/secrets", "127.0.0.1:50051", "debug"] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("hunter2"), "{}", ended.stdout);
}

#[test]
fn plain_text_to_the_network_is_refused_without_the_insecure_flag() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let refused = run(&["serve", "--listen", "0.0.0.0:0", "--data-dir", data_dir.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("`0.0.0.0:0`") && refused.stderr.contains("--insecure"), "{}", refused.stderr);
    assert!(!data_dir.exists());

    let insisted = ServerProcess::start(serve(directory.path(), &["--listen", "0.0.0.0:0", "--insecure"]));
    assert!(insisted.address.ip().is_unspecified());
}

#[test]
fn the_data_directory_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let _serving = ServerProcess::start(serve(directory.path(), &[]));
    let mode = fs::metadata(directory.path().join("data")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn an_address_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    let other = directory.path().join("other");
    let address = server.address.to_string();
    let ended = run(&["serve", "--listen", &address, "--data-dir", other.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&address), "{}", ended.stderr);
}

#[test]
fn migrating_creates_the_schema_once() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let migrate = || run(&["migrate", "--data-dir", data_dir.to_str().unwrap()]);
    let first = migrate();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.lines().count() > 0 && data_dir.join("secrets.db").exists());
    let second = migrate();
    assert_eq!((second.code, second.stdout.as_str()), (Some(0), ""), "{}", second.stderr);
}
