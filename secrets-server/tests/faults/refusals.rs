//! What a server does not start with, beyond what the shell's tests show: the exit code, and the reason on stderr.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use sea_orm::{ConnectionTrait, Database, Statement};

use super::deployment::Deployment;
use crate::support::program::{ProgramOutput, command, run};

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
async fn a_lost_or_foreign_root_key_is_found_before_an_old_schema_is_migrated_on_both_databases() {
    let (sqlite, postgres) = (Deployment::sqlite(), Deployment::postgres().await);
    let file = format!("sqlite://{}", sqlite.data_file("secrets.db").display());
    for (deployment, url) in [(&sqlite, file.as_str()), (&postgres, postgres.url())] {
        deployment.start().kill();
        let before = undo_a_migration(url).await;
        let migrate = || {
            let data_dir = deployment.data_file("");
            let mut migrate = command(&["migrate", "--data-dir", data_dir.to_str().unwrap()]);
            deployment.set_database(&mut migrate);
            migrate
        };
        let key = deployment.data_file("root-key");
        let kept = fs::read(&key).unwrap();

        fs::write(&key, [7; 32]).unwrap();
        for command in [deployment.command(), migrate()] {
            assert_refused(command, "not the one that this database was set up with");
            assert_eq!(migrations(url).await, before);
        }
        fs::remove_file(&key).unwrap();
        assert_refused(deployment.command(), "restore it from its backup");
        assert_eq!(migrations(url).await, before);
        assert!(!key.exists(), "nothing is made");

        fs::write(&key, &kept).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        // And so is what else the data directory has that no start can do with.
        let deletions = deployment.data_file("deleted-organizations");
        fs::write(&deletions, "nonsense\n").unwrap();
        assert_refused(deployment.command(), "must begin with the uid of an organization");
        assert_eq!(migrations(url).await, before);
        fs::remove_file(deletions).unwrap();
        assert!(tokio::task::block_in_place(|| migrate().status()).unwrap().success());
        assert_eq!(migrations(url).await, before + 1);
        drop(deployment.start());
    }
    sqlite.end().await;
    postgres.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lost_the_row_of_its_root_key_gets_neither_another_key_nor_a_migration() {
    let (sqlite, postgres) = (Deployment::sqlite(), Deployment::postgres().await);
    let file = format!("sqlite://{}", sqlite.data_file("secrets.db").display());
    for (deployment, url) in [(&sqlite, file.as_str()), (&postgres, postgres.url())] {
        deployment.start().kill();
        let kept = fs::read(deployment.data_file("root-key")).unwrap();
        let before = undo_a_migration(url).await;
        let organization = "INSERT INTO organizations (uid, organization_id, display_name, name_policy, limits, create_time, live) \
             SELECT uid, 'acme', '', 'STRICT', '', 0, 1 FROM credentials; DELETE FROM system_keys";
        for lost in ["DELETE FROM root_keys", organization] {
            execute(url, lost).await;
            for key in [Some(&kept), None] {
                let path = deployment.data_file("root-key");
                let _ = fs::remove_file(&path);
                if let Some(key) = key {
                    fs::write(&path, key).unwrap();
                    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
                }
                assert_refused(deployment.command(), "no root key row; restore the row from a backup");
                assert_eq!(migrations(url).await, before, "{lost}");
                assert_eq!(path.exists(), key.is_some(), "nothing is made");
            }
        }
    }
    sqlite.end().await;
    postgres.end().await;
}

/// Leaves the schema as an older program had it, and returns how many migrations that has.
async fn undo_a_migration(url: &str) -> i64 {
    let undo = "DROP INDEX credentials_live_principal; DROP INDEX credentials_live_creator;
        CREATE INDEX credentials_principal ON credentials (principal_uid);
        CREATE INDEX credentials_creator ON credentials (creator_uid);
        DELETE FROM seaql_migrations WHERE version = 'm0020_live_sessions'";
    execute(url, undo).await;
    migrations(url).await
}

async fn execute(url: &str, sql: &str) {
    let database = Database::connect(url).await.unwrap();
    database.execute_unprepared(sql).await.unwrap();
    database.close().await.unwrap();
}

async fn migrations(url: &str) -> i64 {
    let database = Database::connect(url).await.unwrap();
    let query = "SELECT count(*) FROM seaql_migrations".to_owned();
    let statement = Statement::from_string(database.get_database_backend(), query);
    let count = database.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    database.close().await.unwrap();
    count
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

/// Whoever migrates may be somebody to whom the server's key file is closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_root_key_that_cannot_be_read_is_in_no_migrations_way_on_both_databases() {
    let (sqlite, postgres) = (Deployment::sqlite(), Deployment::postgres().await);
    let file = format!("sqlite://{}", sqlite.data_file("secrets.db").display());
    for (deployment, url) in [(&sqlite, file.as_str()), (&postgres, postgres.url())] {
        deployment.start().kill();
        let (key, kept) = (deployment.data_file("root-key"), deployment.data_file("kept-key"));
        fs::rename(&key, &kept).unwrap();
        let unusable: [(&str, &dyn Fn()); 3] = [
            ("is a symbolic link", &|| std::os::unix::fs::symlink(&kept, &key).unwrap()),
            ("has mode 0644", &|| {
                fs::copy(&kept, &key).unwrap();
                fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
            }),
            ("is not a regular file", &|| fs::create_dir(&key).unwrap()),
        ];
        for (problem, make) in unusable {
            let before = undo_a_migration(url).await;
            make();
            let data_dir = deployment.data_file("");
            let mut migrate = command(&["migrate", "--data-dir", data_dir.to_str().unwrap()]);
            deployment.set_database(&mut migrate);
            let ended = tokio::task::block_in_place(|| migrate.output()).unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "{problem}: {said}");
            assert!(said.contains(problem), "{problem}: {said}");
            assert_ne!(migrations(url).await, before);
            if key.is_dir() {
                fs::remove_dir(&key).unwrap();
            } else {
                fs::remove_file(&key).unwrap();
            }
        }
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
