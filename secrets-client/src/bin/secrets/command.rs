//! The commands, one file each: its arguments, and a function that takes the [`App`](crate::app::App).
//!
//! To add one: a file here, and a variant of [`Command`](crate::cli::Command) with its branch in
//! [`run`](fn@crate::cli::run).

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod hook;
mod identifier;
pub(crate) mod import;
pub(crate) mod init;
mod key_file;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod materialize;
pub(crate) mod member;
pub(crate) mod organization;
pub(crate) mod profile;
pub(crate) mod project;
pub(crate) mod redact;
pub(crate) mod resolve;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod service_account;
pub(crate) mod session;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod wait;
pub(crate) mod workspace;
