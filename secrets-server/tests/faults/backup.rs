//! Backups: made while the server works, whole, restored as another incarnation; on SQLite with the program's own commands,
//! on PostgreSQL with its tools.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use sea_orm::{ConnectionTrait, Database};
use secrets_proto::v1;
use tonic::Code;

use super::deployment::Deployment;
use super::server::{Server, code_and_reason, create, update};
use crate::support::program::{ProgramOutput, command};

const API: &str = "organizations/acme/projects/api";
const VALUE: &str = "hunter2-hunter2";

/// Runs a command of the server's program on the deployment's data directory.
fn run(deployment: &Deployment, arguments: &[&str]) -> ProgramOutput {
    let data_dir = deployment.data_file("");
    let mut command = command(&[arguments, &["--data-dir", data_dir.to_str().unwrap()]].concat());
    deployment.set_database(&mut command);
    tokio::task::block_in_place(|| ProgramOutput::from(command.output().unwrap()))
}

fn run_ok(deployment: &Deployment, arguments: &[&str]) -> String {
    let ended = run(deployment, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended.stderr
}

fn assert_refused(deployment: &Deployment, arguments: &[&str], reason: &str) {
    let ended = run(deployment, arguments);
    assert_eq!(ended.code, Some(1), "{reason}: {}", ended.stderr);
    assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
}

/// A deployment on SQLite that has nothing but the root key of another one.
fn with_root_key_of(other: &Deployment) -> Deployment {
    let deployment = Deployment::sqlite();
    copy_root_key(other, &deployment);
    deployment
}

fn copy_root_key(from: &Deployment, to: &Deployment) {
    DirBuilder::new().recursive(true).mode(0o700).create(to.data_file("")).unwrap();
    fs::copy(from.data_file("root-key"), to.data_file("root-key")).unwrap();
    fs::set_permissions(to.data_file("root-key"), Permissions::from_mode(0o600)).unwrap();
}

/// A server on SQLite with the organization `acme`, its administrator's token, a secret, and a backup.
struct Scene {
    deployment: Deployment,
    server: Server,
    ann: String,
    backup: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn set() -> Self {
        let deployment = Deployment::sqlite();
        let server = deployment.start();
        let ann = server.create_organization(&deployment.operator(), "acme").await;
        server.project(&ann, "api").await;
        server.secrets(&ann).create_secret(create(API, "KEY", VALUE)).await.unwrap();
        server.create_organization(&deployment.operator(), "rival").await;
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup");
        run_ok(&deployment, &["backup", backup.to_str().unwrap()]);
        Self { deployment, server, ann, backup, _folder: folder }
    }

    fn backup(&self) -> &str {
        self.backup.to_str().unwrap()
    }
}

/// The ids of all organizations.
async fn organizations(server: &Server, operator: &str) -> Vec<String> {
    let request = v1::ListOrganizationsRequest::default();
    let listed = server.directory(operator).list_organizations(request).await.unwrap().into_inner();
    listed.organizations.into_iter().map(|each| each.name.trim_start_matches("organizations/").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_the_server_works_and_brings_back_what_it_held() {
    let scene = Scene::set().await;
    assert_eq!(fs::metadata(&scene.backup).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(scene.backup.parent().unwrap()).unwrap().count(), 1, "it is one file");
    assert_refused(&scene.deployment, &["backup", scene.backup()], "exists already");
    let later = update(API, "KEY", "another value");
    let later = scene.server.secrets(&scene.ann).update_secret(later).await.unwrap().into_inner();

    let restored = with_root_key_of(&scene.deployment);
    let said = run_ok(&restored, &["restore", scene.backup(), "--keep-credentials"]);
    assert!(said.contains("those included that were revoked since"), "{said}");
    let server = restored.start();
    let resolved = server.resolve(&scene.ann, "api").await.unwrap();
    assert_eq!(resolved.secrets[0].value, VALUE.as_bytes());
    // The history is another one: nobody takes a revision of the old one for one of it.
    for revision in [later.revision, resolved.revision] {
        let is_own = revision == server.resolve(&scene.ann, "api").await.unwrap().revision;
        let requirement = v1::consistency::Requirement::AtLeastAsFresh(revision);
        let request = v1::ResolveRequest {
            context: Some(v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() }),
            consistency: Some(v1::Consistency { requirement: Some(requirement) }),
            ..Default::default()
        };
        assert_eq!(server.resolver(&scene.ann).resolve(request).await.is_ok(), is_own);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_ends_the_credentials_of_before_and_says_which_organizations_are_back() {
    let scene = Scene::set().await;
    let operator = scene.deployment.operator();
    let request = v1::DeleteOrganizationRequest { name: "organizations/rival".into(), ..Default::default() };
    scene.server.directory(&operator).delete_organization(request).await.unwrap();
    let deletions = scene.deployment.data_file("deleted-organizations");
    assert!(fs::read_to_string(&deletions).unwrap().contains(" rival "));

    for is_listed in [false, true] {
        let restored = with_root_key_of(&scene.deployment);
        let listed = ["restore", scene.backup(), "--deletions", deletions.to_str().unwrap()];
        let said = run_ok(&restored, if is_listed { &listed } else { &listed[..2] });
        assert_eq!(said.contains("Deleted again: rival"), is_listed, "{said}");
        assert_eq!(said.contains("deleted since the backup: acme, rival"), !is_listed, "{said}");
        let server = restored.start();
        for token in [&scene.ann, &operator] {
            let refused = server.access(token).who_am_i(v1::WhoAmIRequest {}).await.unwrap_err();
            assert_eq!(refused.code(), Code::Unauthenticated);
        }
        let there = organizations(&server, &restored.operator()).await;
        assert_eq!(there, if is_listed { vec!["acme"] } else { vec!["acme", "rival"] });
        assert_eq!(restored.data_file("deleted-organizations").exists(), is_listed, "and it stays listed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_refuses_what_is_no_backup_and_where_something_is_already() {
    let scene = Scene::set().await;
    let restore = ["restore", scene.backup()];
    assert_refused(&scene.deployment, &restore, "is not empty");

    let restored = Deployment::sqlite();
    assert_refused(&restored, &restore, "put the root key that belongs to the backup there first");
    let wrong = restored.data_file("root-key");
    fs::write(&wrong, [7; 32]).unwrap();
    fs::set_permissions(&wrong, Permissions::from_mode(0o600)).unwrap();
    assert_refused(&restored, &restore, "not the one that this database was set up with");
    copy_root_key(&scene.deployment, &restored);

    let text = restored.data_file("../text");
    fs::write(&text, "not a database, and longer than a header has to be".repeat(100)).unwrap();
    assert_refused(&restored, &["restore", text.to_str().unwrap()], "cannot open the backup");
    assert_refused(&restored, &["restore", restored.data_file("../none").to_str().unwrap()], "cannot open the backup");
    assert_refused(&restored, &[&restore[..], &["--deletions", text.to_str().unwrap()]].concat(), "line 1 of `");

    // A copy of a database in use is none.
    let copied = restored.data_file("../secrets.db");
    for suffix in ["", "-wal"] {
        let from = scene.deployment.data_file(&format!("secrets.db{suffix}"));
        fs::copy(from, format!("{}{suffix}", copied.display())).unwrap();
    }
    fs::write(format!("{}-wal", copied.display()), "anything").unwrap();
    assert_refused(&restored, &["restore", copied.to_str().unwrap()], "has a log beside it");

    // What a restore has left that was cut off is no obstacle.
    fs::write(restored.data_file(".secrets.db.restoring"), "half").unwrap();
    run_ok(&restored, &restore);
    drop(restored.start());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_with_a_record_that_does_not_open_is_told() {
    let scene = Scene::set().await;
    let file = format!("sqlite://{}", scene.deployment.data_file("secrets.db").display());
    scene.server.kill();
    let database = Database::connect(&file).await.unwrap();
    database.execute_unprepared("UPDATE secret_versions SET blob = zeroblob(length(blob))").await.unwrap();
    database.close().await.unwrap();
    let damaged = scene.backup.with_extension("damaged");
    assert_refused(
        &scene.deployment,
        &["backup", damaged.to_str().unwrap()],
        "1 record in it does not open: version 1 of",
    );
    assert!(damaged.exists(), "it is the best there is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_postgresql_is_restored_as_another_incarnation() {
    let deployment = Deployment::postgres().await;
    let server = deployment.start();
    let operator = deployment.operator();
    let ann = server.create_organization(&operator, "acme").await;
    server.project(&ann, "api").await;
    server.secrets(&ann).create_secret(create(API, "KEY", VALUE)).await.unwrap();
    let dump = deployment.data_file("dump");
    let dumped = ["--format", "custom", "--file", dump.to_str().unwrap(), deployment.url()];
    assert!(postgres_tool("pg_dump").args(dumped).status().unwrap().success());
    let later = server.secrets(&ann).update_secret(update(API, "KEY", "another value")).await.unwrap().into_inner();
    let refused = run(&deployment, &["backup", "backup"]);
    assert!(refused.stderr.contains("`pg_dump`"), "{}", refused.stderr);

    let restored = Deployment::postgres().await;
    let database = Database::connect(restored.url()).await.unwrap();
    database.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    database.close().await.unwrap();
    let into = ["--no-owner", "--exit-on-error", "--dbname", restored.url(), dump.to_str().unwrap()];
    assert!(postgres_tool("pg_restore").args(into).status().unwrap().success());
    copy_root_key(&deployment, &restored);
    assert_refused(&restored, &["restore", dump.to_str().unwrap()], "`secrets-server restore --in-place`");
    let said = run_ok(&restored, &["restore", "--in-place"]);
    assert!(said.contains("1 record can be opened"), "{said}");

    let again = restored.start();
    for token in [&ann, &operator] {
        let refused = again.access(token).who_am_i(v1::WhoAmIRequest {}).await.unwrap_err();
        assert_eq!(code_and_reason(&refused).0, Code::Unauthenticated);
    }
    assert_eq!(organizations(&again, &restored.operator()).await, ["acme"]);
    assert!(!later.revision.is_empty());
    drop((server, again));
    deployment.end().await;
    restored.end().await;
}

/// One of PostgreSQL's programs, of the server's own release.
fn postgres_tool(name: &str) -> Command {
    let find = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/dev/postgres-bin");
    let found = String::from_utf8(Command::new(find).output().unwrap().stdout).unwrap();
    Command::new(Path::new(found.trim()).join(name))
}
