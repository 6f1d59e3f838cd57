//! Organizations, and what is in them: projects, workspaces, users and service accounts.

pub mod organization;
pub mod project;
pub mod service_account;
pub mod transfer;
pub mod user;
pub mod workspace;
