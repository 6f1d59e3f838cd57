//! What a server does not start with, beyond what the shell's tests show: the exit code, and the reason on stderr.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use sea_orm::{ConnectionTrait, Database};

use super::deployment::Deployment;
use crate::support::program::{ProgramOutput, run};

fn assert_refused(mut command: Command, reason: &str) {
    let ended = tokio::task::block_in_place(|| ProgramOutput::from(command.output().unwrap()));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{reason}: {}", ended.stderr);
    assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_the_root_key_or_with_another_one_is_refused() {
    let deployment = Deployment::postgres().await;
    let one = deployment.start();
    // Without a key at hand it must not make one: that would fork the keyring.
    assert_refused(deployment.other_command(), "restore it from its backup");

    let wrong = deployment.data_file("wrong-key");
    fs::write(&wrong, [7; 32]).unwrap();
    fs::set_permissions(&wrong, Permissions::from_mode(0o600)).unwrap();
    let mut command = deployment.other_command();
    command.env("SECRETS__ROOT_KEY__FILE", &wrong);
    assert_refused(command, "not the one that this database was set up with");

    drop(deployment.replica());
    drop(one);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_release_is_refused_on_both_databases() {
    let sqlite = Deployment::sqlite();
    sqlite.start().kill();
    let file = format!("sqlite://{}", sqlite.data_file("secrets.db").display());
    let postgres = Deployment::postgres().await;
    for (deployment, url) in [(&sqlite, file.as_str()), (&postgres, postgres.url())] {
        let database = Database::connect(url).await.unwrap();
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_tomorrow', 0)";
        database.execute_unprepared(newer).await.unwrap();
        database.close().await.unwrap();
        assert_refused(deployment.command(), "`m9999_tomorrow` of a newer release");
    }
    sqlite.end().await;
    postgres.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_is_refused_until_it_is_migrated() {
    let deployment = Deployment::postgres().await;
    let database = Database::connect(deployment.url()).await.unwrap();
    database.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    database.close().await.unwrap();
    assert_refused(deployment.command(), "run `secrets-server migrate` first");
    assert!(!deployment.data_file("root-key").exists(), "nothing is made");

    let directory = tempfile::tempdir().unwrap();
    let mut migrate = crate::support::program::command(&["migrate", "--data-dir", directory.path().to_str().unwrap()]);
    migrate.env("SECRETS__DATABASE__URL", deployment.url());
    assert!(tokio::task::block_in_place(|| migrate.status()).unwrap().success());
    let server = deployment.start();
    assert_eq!(run(&["healthcheck", "--endpoint", &server.process.endpoint()]).code, Some(0));
    drop(server);
    deployment.end().await;
}
