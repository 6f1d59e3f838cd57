//! A server on an empty database, and the first calls that anybody makes there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use secrets_proto::v1::{CreateOrganizationRequest, RedeemInvitationRequest};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::Result;
use crate::support::process::Process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_secrets-server");

/// A server as a process of its own, and its files.
pub(crate) struct Server {
    pub(crate) process: Process,
    directory: PathBuf,
}

impl Server {
    /// Starts a server on an empty database: SQLite in `directory`, or the one at `postgres`.
    pub(crate) fn start(directory: PathBuf, postgres: Option<&str>, settings: &[(&str, &str)]) -> Result<Self> {
        if let Some(url) = postgres {
            // A server migrates its own SQLite at its start, but not a PostgreSQL that it may share.
            run_ok(
                Command::new(PROGRAM)
                    .args(["migrate", "--data-dir"])
                    .arg(&directory)
                    .env("SECRETS__DATABASE__URL", url),
            )?;
        }
        Self::serve(directory, postgres, settings)
    }

    /// Starts another server with the root key of this one, on the same PostgreSQL.
    pub(crate) fn replica(&self, directory: PathBuf, postgres: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let root_key = self.directory.join("root-key").to_string_lossy().into_owned();
        let settings: Vec<_> =
            settings.iter().copied().chain([("SECRETS__ROOT_KEY__FILE", root_key.as_str())]).collect();
        Self::serve(directory, Some(postgres), &settings)
    }

    fn serve(directory: PathBuf, postgres: Option<&str>, settings: &[(&str, &str)]) -> Result<Self> {
        let log = directory.with_extension("log");
        let output = File::create(&log)?;
        let process = Process::start(Path::new(PROGRAM), |command, port| {
            command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(&directory);
            command.envs(settings.iter().copied()).stdout(Stdio::null()).stderr(output);
            command.envs(postgres.map(|url| ("SECRETS__DATABASE__URL", url)));
        })
        .map_err(|error| format!("{error}\n{}", fs::read_to_string(&log).unwrap_or_default()))?;
        // It binds its port before it opens its database; it has created its files once it answers.
        let endpoint = format!("http://127.0.0.1:{}", process.port());
        run_ok(Command::new(PROGRAM).args(["healthcheck", "--timeout", "20", "--endpoint", &endpoint]))?;
        Ok(Self { process, directory })
    }

    /// A connection of its own.
    pub(crate) async fn connect(&self) -> Result<Channel> {
        Ok(Endpoint::from_shared(format!("http://127.0.0.1:{}", self.process.port()))?.connect().await?)
    }

    /// Creates an organization, and redeems the invitation of its first administrator. Returns their token.
    pub(crate) async fn create_organization(&self, organization: &str, administrator: &str) -> Result<String> {
        let operator = fs::read_to_string(self.directory.join("operator-token"))?;
        let request = CreateOrganizationRequest {
            organization_id: organization.into(),
            admin_user_id: administrator.into(),
            ..Default::default()
        };
        let channel = self.connect().await?;
        let mut directory = DirectoryServiceClient::new(channel.clone());
        let created = directory.create_organization(authorized(operator.trim(), request)?).await?.into_inner();
        let code = created.invitation.ok_or("no invitation came with the organization")?.code;
        let request = authorized(&code, RedeemInvitationRequest::default())?;
        Ok(AccessServiceClient::new(channel).redeem_invitation(request).await?.into_inner().token)
    }
}

/// Runs a command of the server, which must succeed.
fn run_ok(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("`secrets-server` failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(())
}

/// A request with a token or a code.
pub(crate) fn authorized<T>(token: &str, message: T) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}
