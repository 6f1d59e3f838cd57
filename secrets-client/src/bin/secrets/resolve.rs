//! `resolve`: what a context gets; values only when asked for.

use clap::{Args, ValueEnum};
use secrets_client::{Resolved, ResolvedSecret, v1};
use secrets_core::{MASK, NamePolicy, SecretId, dotenv};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::output::table::Table;
use crate::output::{self, words};
use crate::scope::{self, ContextArgs};

#[derive(Args, Debug)]
pub(crate) struct ResolveArgs {
    /// Only these secrets, which must be there; all if none is named
    names: Vec<String>,
    #[command(flatten)]
    context: ContextArgs,
    /// Show the values
    #[arg(long)]
    show_values: bool,
    /// Print one secret's value alone, byte for byte
    #[arg(long, conflicts_with_all = ["show_values", "format"])]
    raw: bool,
    /// Print names and values in this format
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "show_values")]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An object of names and values
    Json,
    /// A .env file of the environment variables
    Dotenv,
}

pub(crate) async fn resolve(app: &App, args: ResolveArgs) -> Result<(), Failure> {
    if args.raw && args.names.len() != 1 {
        return Err(Failure::usage("--raw prints exactly one value").hint("secrets resolve NAME --raw"));
    }
    for name in &args.names {
        scope::parse_name(name)?;
    }
    let request = v1::ResolveRequest {
        context: app.context(&args.context).await?,
        secret_ids: args.names.clone(),
        required_secret_ids: args.names.clone(),
        ..Default::default()
    };
    let set = app.client()?.resolve(request).await?;
    app.output.warnings(&set.warnings);
    if args.raw {
        let secret = set.secrets.first().ok_or_else(|| Failure::new(Exit::Missing, "there is no such secret"))?;
        return app.output.bytes(secret.expose());
    }
    match args.format {
        Some(Format::Json) => app.output.text(&format_json(&set.secrets)?),
        Some(Format::Dotenv) => {
            let left_out = set.secrets.iter().filter(|secret| !is_variable(secret)).count();
            if left_out > 0 {
                let number = words::count(left_out, "secret");
                app.output.note(&format!("{number} left out: files and registry credentials are no variables."));
            }
            app.output.text(&format_dotenv(&set.secrets)?)
        }
        None => print(app, &set, args.show_values),
    }
}

fn is_variable(secret: &ResolvedSecret) -> bool {
    matches!(secret.target.kind, None | Some(v1::target::Kind::EnvironmentVariable(_)))
}

fn print(app: &App, set: &Resolved, show_values: bool) -> Result<(), Failure> {
    let mut table = Table::new(["NAME", "VALUE", "FROM", "TARGET"]);
    for secret in &set.secrets {
        let value = match (show_values, std::str::from_utf8(secret.expose())) {
            (false, _) => MASK.to_owned(),
            (true, Ok(text)) => text.to_owned(),
            (true, Err(_)) => format!("({} bytes; --raw prints them)", secret.expose().len()),
        };
        let target = words::target(Some(&secret.target));
        table.row([secret.secret_id.clone(), value, words::scope_of(&secret.resource), target]);
    }
    let rows = set.secrets.iter().map(|secret| row(secret, show_values)).collect();
    let json = json!({
        "secrets": Value::Array(rows),
        "context": output::json::context(set.context.as_ref()),
        "etag": set.etag,
        "revision": set.revision,
        "next_change_time": output::json::time(set.next_change_time.as_ref()),
    });
    app.output.list(&table, json, "This context gets no secrets; `secrets explain` says why.")
}

fn row(secret: &ResolvedSecret, show_values: bool) -> Value {
    let row = json!({
        "secret": secret.resource,
        "secret_id": secret.secret_id,
        "scope": output::json::word(secret.scope.as_str_name(), "SCOPE_KIND_"),
        "target": output::json::target(Some(&secret.target)),
        "version": secret.version,
    });
    match (show_values, std::str::from_utf8(secret.expose())) {
        (false, _) => output::json::with(row, "masked_value", MASK),
        (true, Ok(text)) => output::json::with(row, "value", text),
        (true, Err(_)) => {
            output::json::with(row, "value", Value::Array(secret.expose().iter().map(|b| (*b).into()).collect()))
        }
    }
}

fn format_json(secrets: &[ResolvedSecret]) -> Result<Zeroizing<String>, Failure> {
    let mut map = Map::new();
    for secret in secrets {
        let text = std::str::from_utf8(secret.expose()).map_err(|_| {
            Failure::new(Exit::Failed, format!("{} is not text, which JSON can't hold", secret.secret_id))
                .hint(format!("`secrets resolve {} --raw` prints it", secret.secret_id))
        })?;
        map.insert(secret.secret_id.clone(), Value::String(text.to_owned()));
    }
    Ok(Zeroizing::new(format!("{:#}\n", Value::Object(map))))
}

fn format_dotenv(secrets: &[ResolvedSecret]) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, error.to_string());
    let names: Vec<(SecretId, &[u8])> = secrets
        .iter()
        .filter(|secret| is_variable(secret))
        .map(|secret| Ok((SecretId::parse(&secret.secret_id, NamePolicy::Relaxed)?, secret.expose())))
        .collect::<Result<_, secrets_core::InvalidSecretId>>()
        .map_err(|error| failed(&error))?;
    let pairs: Vec<(&SecretId, &[u8])> = names.iter().map(|(name, value)| (name, *value)).collect();
    dotenv::write(&pairs).map(Zeroizing::new).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, value: &[u8]) -> ResolvedSecret {
        v1::ResolvedSecret {
            secret: format!("organizations/acme/secrets/{name}"),
            secret_id: name.into(),
            value: value.into(),
            ..Default::default()
        }
        .into()
    }

    #[test]
    fn masks_unless_told_otherwise() {
        let secret = secret("A", b"canary");
        assert!(!row(&secret, false).to_string().contains("canary"));
        assert_eq!(row(&secret, true)["value"], "canary");
    }

    #[test]
    fn writes_formats_that_read_back() {
        let secrets = [secret("A", b"it's $5 \"now\""), secret("B", "gr\u{fc}n\nblau".as_bytes())];
        let json: Value = serde_json::from_str(&format_json(&secrets).unwrap()).unwrap();
        assert_eq!((json["A"].as_str(), json["B"].as_str()), (Some("it's $5 \"now\""), Some("gr\u{fc}n\nblau")));
        let entries = dotenv::parse(format_dotenv(&secrets).unwrap().as_bytes()).unwrap();
        assert_eq!((entries[0].key(), entries[0].value()), ("A", "it's $5 \"now\""));
        assert_eq!((entries[1].key(), entries[1].value()), ("B", "gr\u{fc}n\nblau"));
    }

    #[test]
    fn refuses_a_format_that_could_not_hold_a_value() {
        assert!(format_json(&[secret("A", &[0xff])]).is_err());
        assert!(format_dotenv(&[secret("A", &[0xff])]).is_err());
    }
}
