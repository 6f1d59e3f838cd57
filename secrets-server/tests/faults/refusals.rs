//! What a server does not start with, beyond what the shell's tests show: the exit code, and the reason on stderr.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use sea_orm::{ConnectionTrait, Database};

use super::installation::Installation;
use crate::program::{Ended, run};

fn assert_refused(mut command: Command, reason: &str) {
    let ended = tokio::task::block_in_place(|| Ended::of(command.output().unwrap()));
    assert_eq!(ended.code, Some(1), "{reason}: {}", ended.stderr);
    assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_the_root_key_or_with_another_one_is_refused() {
    let installation = Installation::postgres().await;
    let one = installation.start();
    // Without a key at hand it must not make one: that would fork the keyring.
    assert_refused(installation.other_command(), "restore it from its backup");

    let wrong = installation.data_file("wrong-key");
    fs::write(&wrong, [7; 32]).unwrap();
    fs::set_permissions(&wrong, Permissions::from_mode(0o600)).unwrap();
    let mut command = installation.other_command();
    command.env("SECRETS__ROOT_KEY__FILE", &wrong);
    assert_refused(command, "not the one that this database was set up with");

    drop(installation.replica());
    drop(one);
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_release_is_refused_on_both_databases() {
    let sqlite = Installation::sqlite();
    sqlite.start().kill();
    let file = format!("sqlite://{}", sqlite.data_file("secrets.db").display());
    let postgres = Installation::postgres().await;
    for (installation, url) in [(&sqlite, file.as_str()), (&postgres, postgres.url())] {
        let database = Database::connect(url).await.unwrap();
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_tomorrow', 0)";
        database.execute_unprepared(newer).await.unwrap();
        database.close().await.unwrap();
        assert_refused(installation.command(), "`m9999_tomorrow` of a newer release");
    }
    sqlite.end().await;
    postgres.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_was_never_migrated_is_refused_until_it_is() {
    let installation = Installation::postgres().await;
    let database = Database::connect(installation.url()).await.unwrap();
    database.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    database.close().await.unwrap();
    assert_refused(installation.command(), "run `secrets-server migrate` first");
    assert!(!installation.data_file("root-key").exists(), "nothing is made");

    let folder = tempfile::tempdir().unwrap();
    let mut migrate = crate::program::command(&["migrate", "--data-dir", folder.path().to_str().unwrap()]);
    migrate.env("SECRETS__DATABASE__URL", installation.url());
    assert!(tokio::task::block_in_place(|| migrate.status()).unwrap().success());
    let node = installation.start();
    assert_eq!(run(&["healthcheck", "--endpoint", &node.serving.endpoint()]).code, Some(0));
    drop(node);
    installation.end().await;
}
