//! Compiles `secretsapi/v1/*.proto` with protox, so that no `protoc` is needed.

use prost::Message as _;

const FILES: [&str; 9] = [
    "secretsapi/v1/access_service.proto",
    "secretsapi/v1/audit_service.proto",
    "secretsapi/v1/context.proto",
    "secretsapi/v1/directory_service.proto",
    "secretsapi/v1/error_reason.proto",
    "secretsapi/v1/invitation.proto",
    "secretsapi/v1/resolve_service.proto",
    "secretsapi/v1/secret.proto",
    "secretsapi/v1/secret_service.proto",
];

/// Messages whose `Debug` must print nothing of what they carry: written by hand in `src/redacted.rs`.
const REDACTED: [&str; 10] = [
    "SecretValue",
    "SecretValue.value",
    "ImportSecretsRequest",
    "ImportSecretsRequest.source",
    "ResolvedSecret",
    "Invitation",
    "RedeemInvitationRequest",
    "RedeemInvitationResponse",
    "CreateTokenResponse",
    "CreateSessionResponse",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=secretsapi");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("secrets_descriptor.bin"), descriptors.encode_to_vec())?;

    let builder = tonic_prost_build::configure()
        .btree_map(".")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .skip_debug(REDACTED.map(|message| format!(".secretsapi.v1.{message}")));
    builder.compile_fds(descriptors)?;
    Ok(())
}
