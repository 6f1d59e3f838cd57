//! Configuration: defaults < file < environment < flags, checked once, before anything binds.
//!
//! Without any, the server keeps everything in its data directory and listens on loopback. To add a key: a line in
//! `keys.rs`, a field in `raw.rs`, its check here, and its line in [`Config`]'s `Display`.

mod database;
mod environment;
mod error;
mod file;
mod keys;
mod limits;
mod listener;
mod log;
mod raw;
mod retention;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::ConfigError;

use self::raw::{Raw, RawDatabase, RawListener, RawLog, RawTls};

use crate::retention::Retention;
use crate::service::access::session::DEFAULT_SESSION_PERIOD;
use crate::store::DatabaseConfig;

pub use self::database::{Database, DatabaseUrl};
pub use self::environment::Environment;
pub use self::error::InvalidConfig;
pub use self::limits::Limits;
pub use self::listener::{ListenerConfig, Offered, OfferedService, TlsFiles};
pub use self::log::{LogConfig, LogFormat, LogLevel};

/// Where the server listens by default; the client's default endpoint.
const DEFAULT_LISTEN: &str = "127.0.0.1:50051";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a server runs on: complete and checked. It prints (`check-config`) without any secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The directory of everything that the server keeps in files.
    pub data_dir: PathBuf,
    pub database: Database,
    pub root_key_file: PathBuf,
    /// Where the server listens; at least one.
    pub listeners: Vec<ListenerConfig>,
    /// How much of it a caller may take.
    pub limits: Limits,
    /// For how long a session renews itself.
    pub session_period: Duration,
    /// For how long things are kept.
    pub retention: Retention,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// What the command line says of the configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Read this configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Keep everything in this directory [default: /var/lib/secrets as root, else $XDG_DATA_HOME/secrets]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Listen on this address [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,

    /// Speak plain text on addresses that other machines can reach
    #[arg(long)]
    pub insecure: bool,

    /// Serve TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Write logs as `json` or `pretty` [default: pretty]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// Log `error`, `warn`, `info`, `debug` or `trace` and above [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

impl Config {
    /// Reads all layers and checks the result.
    ///
    /// # Errors
    /// When a source can't be read, a key is unknown or a value breaks its rule.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, InvalidConfig> {
        let mut layers = config::Config::builder();
        if let Some(path) = &flags.config {
            layers = layers.add_source(file::source(path)?);
        }
        layers = layers.add_source(environment.source()?);
        for (key, value) in flags.overrides()? {
            layers = layers.set_override(key, value).map_err(|error| described(&error))?;
        }
        let raw = layers.build().and_then(config::Config::try_deserialize).map_err(|error| described(&error))?;
        Self::check(raw, environment)
    }

    fn check(raw: Raw, environment: &Environment) -> Result<Self, InvalidConfig> {
        let data_dir = match path("data_dir", raw.data_dir)? {
            Some(data_dir) => data_dir,
            None => environment.default_data_dir()?,
        };
        let root_key_file = path("root_key.file", raw.root_key.file)?.unwrap_or_else(|| data_dir.join("root-key"));
        let insecure = raw.insecure.unwrap_or(false);
        let listeners = match raw.listeners {
            None => {
                let only = RawListener { address: raw.listen, services: None, insecure: None, tls: raw.tls };
                vec![listener(only, "", insecure)?]
            }
            Some(_) if raw.listen.is_some() || raw.tls.is_some() => {
                return Err(InvalidConfig::refused(
                    if raw.listen.is_some() { "listen" } else { "tls" },
                    "describes the only listener and does not go with `[[listeners]]`; give one or the other",
                ));
            }
            Some(listeners) => several(listeners, insecure)?,
        };
        Ok(Self {
            database: database(raw.database, &data_dir)?,
            limits: Limits::check(&raw.limits)?,
            session_period: session_period(raw.sessions.renewable_days)?,
            retention: retention::check(&raw.retention)?,
            log: log_config(&raw.log)?,
            data_dir,
            root_key_file,
            listeners,
        })
    }
}

/// The configuration as a file would say it, with defaults filled in and without any secret.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "data_dir = {:?}", self.data_dir)?;
        writeln!(f, "\n[database]")?;
        match &self.database {
            Database::Sqlite { path } => writeln!(f, "# SQLite: {}", path.display())?,
            Database::Postgres { url, max_connections } => {
                writeln!(f, "url = \"{url}\"\nmax_connections = {max_connections}")?;
            }
        }
        writeln!(f, "\n[root_key]\nfile = {:?}", self.root_key_file)?;
        write!(f, "\n{}", self.limits)?;
        writeln!(f, "\n[sessions]\nrenewable_days = {}", self.session_period.as_secs() / DAY.as_secs())?;
        writeln!(f)?;
        retention::write(f, &self.retention)?;
        writeln!(f, "\n[log]\nformat = \"{}\"\nlevel = \"{}\"", self.log.format, self.log.level)?;
        for listener in &self.listeners {
            writeln!(f, "\n[[listeners]]\naddress = \"{}\"\nservices = [{}]", listener.address, listener.offered)?;
            if let Some(tls) = &listener.tls {
                writeln!(f, "tls = {{ cert = {:?}, key = {:?} }}", tls.cert, tls.key)?;
            }
        }
        Ok(())
    }
}

impl Flags {
    fn overrides(&self) -> Result<Vec<(&'static str, config::Value)>, InvalidConfig> {
        let paths = [("data_dir", &self.data_dir), ("tls.cert", &self.tls_cert), ("tls.key", &self.tls_key)];
        let texts = [("listen", &self.listen), ("log.format", &self.log_format), ("log.level", &self.log_level)];
        let mut overrides = Vec::new();
        for (key, path) in paths.into_iter().filter_map(|(key, path)| Some((key, path.as_ref()?))) {
            let text = path.to_str().ok_or_else(|| InvalidConfig::refused(key, "the path is not UTF-8"))?;
            overrides.push((key, text.into()));
        }
        for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?))) {
            overrides.push((key, text.into()));
        }
        if self.insecure {
            overrides.push(("insecure", true.into()));
        }
        Ok(overrides)
    }
}

fn several(listeners: Vec<RawListener>, insecure: bool) -> Result<Vec<ListenerConfig>, InvalidConfig> {
    let mut checked: Vec<ListenerConfig> = Vec::new();
    for (index, raw) in listeners.into_iter().enumerate() {
        let listener = listener(raw, &format!("listeners[{index}]."), insecure)?;
        if listener.address.port() != 0 && checked.iter().any(|other| other.address == listener.address) {
            let rule = format!("`{}` is given twice", listener.address);
            return Err(InvalidConfig::refused(format!("listeners[{index}].address"), rule));
        }
        checked.push(listener);
    }
    if checked.is_empty() {
        return Err(InvalidConfig::refused("listeners", "is empty; give at least one, or leave it out"));
    }
    Ok(checked)
}

/// `section` is where the keys stand: nothing, or `listeners[0].`.
fn listener(raw: RawListener, section: &str, insecure: bool) -> Result<ListenerConfig, InvalidConfig> {
    let (address_key, default) = if section.is_empty() {
        ("listen".to_owned(), Some(DEFAULT_LISTEN))
    } else {
        (format!("{section}address"), None)
    };
    let address = match raw.address.as_deref().or(default) {
        Some(text) => address(&address_key, text)?,
        None => return Err(InvalidConfig::refused(address_key, "is missing; for instance `127.0.0.1:50051`")),
    };
    let offered = match raw.services {
        Some(words) => offered(&format!("{section}services"), &words)?,
        None => Offered::all(),
    };
    let tls = raw.tls.map(|tls| tls_files(tls, section)).transpose()?;
    // Whether a server serves may be known to anybody: the probes of Kubernetes ask without TLS.
    let is_private = !offered.is_health_only();
    if tls.is_none() && is_private && !address.ip().is_loopback() && !raw.insecure.unwrap_or(insecure) {
        return Err(InvalidConfig::PlainText { address });
    }
    Ok(ListenerConfig { address, offered, tls })
}

fn address(key: &str, text: &str) -> Result<SocketAddr, InvalidConfig> {
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| {
        let rule = format!("`{text}` is not an IP address with a port; try `127.0.0.1:50051` or `[::1]:50051`");
        InvalidConfig::refused(key, rule)
    })
}

fn offered(key: &str, words: &[String]) -> Result<Offered, InvalidConfig> {
    if words.is_empty() {
        return Err(InvalidConfig::refused(key, "is empty; leave it out to offer everything"));
    }
    let known = OfferedService::ALL.into_iter().chain([OfferedService::Health]);
    let known: Vec<_> = known.map(|service| (service.word(), service)).collect();
    words.iter().map(|word| choose(key, word, &known)).collect()
}

fn tls_files(raw: RawTls, section: &str) -> Result<TlsFiles, InvalidConfig> {
    let required = |name: &str, value| {
        let key = format!("{section}tls.{name}");
        path(&key, value)?.ok_or_else(|| InvalidConfig::refused(key, "is missing; TLS needs `cert` and `key`"))
    };
    Ok(TlsFiles { cert: required("cert", raw.cert)?, key: required("key", raw.key)? })
}

fn database(raw: RawDatabase, data_dir: &Path) -> Result<Database, InvalidConfig> {
    let max_connections = raw.max_connections.unwrap_or(DatabaseConfig::DEFAULT_CONNECTIONS);
    if max_connections == 0 {
        return Err(InvalidConfig::refused("database.max_connections", "must be at least 1"));
    }
    let Some(url) = raw.url else { return Ok(Database::Sqlite { path: data_dir.join("secrets.db") }) };
    let url = DatabaseUrl::parse(&url).ok_or_else(|| {
        let rule = "is not a PostgreSQL address; try `postgres://user:password@host:5432/database`, where `@ / # ? %` in a user \
                    name or password must be escaped as `%40 %2F %23 %3F %25`, or leave it out to keep everything in SQLite \
                    in the data directory";
        InvalidConfig::refused("database.url", rule)
    })?;
    Ok(Database::Postgres { url, max_connections })
}

fn session_period(days: Option<u32>) -> Result<Duration, InvalidConfig> {
    const MAX_DAYS: u32 = 365;
    match days {
        None => Ok(DEFAULT_SESSION_PERIOD),
        Some(days @ 1..=MAX_DAYS) => Ok(DAY.saturating_mul(days)),
        Some(days) => {
            let rule = format!("must be at least 1 and at most {MAX_DAYS} (got {days})");
            Err(InvalidConfig::refused("sessions.renewable_days", rule))
        }
    }
}

fn log_config(raw: &RawLog) -> Result<LogConfig, InvalidConfig> {
    let chosen = |key, word: &Option<String>| word.as_deref().map(|word| (key, word.to_owned()));
    let format = chosen("log.format", &raw.format).map(|(key, word)| choose(key, &word, &LogFormat::WORDS));
    let level = chosen("log.level", &raw.level).map(|(key, word)| choose(key, &word, &LogLevel::WORDS));
    Ok(LogConfig { format: format.transpose()?.unwrap_or_default(), level: level.transpose()?.unwrap_or_default() })
}

fn choose<T: Copy>(key: &str, word: &str, words: &[(&str, T)]) -> Result<T, InvalidConfig> {
    words.iter().find(|(each, _)| *each == word).map(|(_, value)| *value).ok_or_else(|| {
        let known = words.iter().map(|(each, _)| format!("`{each}`")).collect::<Vec<_>>().join(", ");
        InvalidConfig::refused(key, format!("`{word}` is unknown; expected one of {known}"))
    })
}

fn path(key: &str, text: Option<String>) -> Result<Option<PathBuf>, InvalidConfig> {
    match text {
        Some(text) if text.is_empty() => Err(InvalidConfig::refused(key, "is empty; a path is needed")),
        text => Ok(text.map(PathBuf::from)),
    }
}

/// Says what is wrong without the value, which `ConfigError`'s own text quotes.
fn described(error: &ConfigError) -> InvalidConfig {
    let (origin, key, expected) = match error {
        ConfigError::Type { origin, key, expected, .. } => (origin.as_deref(), key.as_deref(), *expected),
        ConfigError::At { origin, key, .. } => (origin.as_deref(), key.as_deref(), "another type"),
        _ => (None, None, "another type"),
    };
    InvalidConfig::WrongType {
        key: key.unwrap_or("a key").to_owned(),
        origin: origin.unwrap_or("the configuration file").to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests;
