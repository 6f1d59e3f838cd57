//! What is logged, and how.

use std::fmt;

use tracing::level_filters::LevelFilter;

/// The `log` section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// How an event is written.
    pub format: LogFormat,
    /// The least important events that are written.
    pub level: LogLevel,
}

/// How an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for log pipelines.
    Json,
    /// Lines for people.
    #[default]
    Pretty,
}

/// The least important events that are written. Dependencies never log below `warn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogFormat {
    /// Each format by its word in the configuration.
    pub(crate) const WORDS: [(&'static str, Self); 2] = [("json", Self::Json), ("pretty", Self::Pretty)];
}

impl LogLevel {
    /// Each level by its word in the configuration.
    pub(crate) const WORDS: [(&'static str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(f, &Self::WORDS, *self)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_word(f, &Self::WORDS, *self)
    }
}

fn write_word<T: PartialEq>(f: &mut fmt::Formatter<'_>, words: &[(&str, T)], value: T) -> fmt::Result {
    let word = words.iter().find(|(_, each)| *each == value).map_or("", |(word, _)| word);
    f.write_str(word)
}
