//! The resources on which roles are held, by name: `platform`, an organization, a project or a workspace.

use std::fmt;
use std::str::FromStr;

use sea_orm::ConnectionTrait;
use secrets_core::{InvalidResourceName, Level, OrganizationId, Resource, Scope, ScopeName, Uid};

use super::locate::LocatedScope;
use crate::app::App;
use crate::call::Call;
use crate::failure::Failure;
use crate::store::PLATFORM;
use crate::store::organization::OrganizationRow;

/// The name of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LevelName {
    /// `platform`
    Platform,
    /// `organizations/{organization}`, alone or followed by `/projects/{project}` or `/workspaces/{workspace}`
    Scope(ScopeName),
}

impl LevelName {
    /// The organization it is or belongs to; none for the platform.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Platform => None,
            Self::Scope(scope) => Some(scope.organization()),
        }
    }
}

impl FromStr for LevelName {
    type Err = InvalidLevelName;

    fn from_str(text: &str) -> Result<Self, InvalidLevelName> {
        match text {
            "platform" => Ok(Self::Platform),
            _ => match text.parse::<ScopeName>() {
                Ok(ScopeName::User(..)) | Err(InvalidResourceName::Shape { .. }) => Err(InvalidLevelName::Shape),
                Ok(scope) => Ok(Self::Scope(scope)),
                Err(error) => Err(InvalidLevelName::Name(error)),
            },
        }
    }
}

impl fmt::Display for LevelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Scope(scope) => scope.fmt(f),
        }
    }
}

/// Why a text is no name of a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLevelName {
    /// Its collections are others.
    #[error(
        "`organizations/{{organization}}`, alone or followed by `/projects/{{project}}` or `/workspaces/{{workspace}}`, or \
         `platform` passes"
    )]
    Shape,
    /// One of its identifiers does not pass.
    #[error("{0}")]
    Name(InvalidResourceName),
}

/// A level by name and by uid.
#[derive(Clone, Debug)]
pub struct LocatedLevel {
    /// Its name.
    pub name: LevelName,
    /// Its uid; nil when there is no such resource.
    pub level: Level,
    /// Who owns the workspace.
    pub owner: Option<Uid>,
    /// What is authorized.
    pub resource: Resource,
    scope: Option<LocatedScope>,
}

impl LocatedLevel {
    /// The organization it is or belongs to; none for the platform.
    pub fn organization(&self) -> Option<&OrganizationRow> {
        self.scope.as_ref().map(|located| &located.organization)
    }

    /// The scope it is; the platform is none.
    pub fn scope(&self) -> Option<Scope> {
        self.scope.as_ref().map(|located| located.scope)
    }

    /// What a mutation of it locks: its organization, or the platform.
    pub fn lock(&self) -> Uid {
        self.level.organization().unwrap_or(PLATFORM)
    }

    /// Refuses a resource that does not exist. Call it after authorizing.
    pub fn must_exist(&self) -> Result<(), Failure> {
        self.scope.as_ref().map_or(Ok(()), LocatedScope::must_exist)
    }
}

impl App {
    /// The level of this name, and what is to be authorized for it.
    pub async fn locate_level(
        &self,
        db: &impl ConnectionTrait,
        call: &Call,
        name: &LevelName,
    ) -> Result<LocatedLevel, Failure> {
        let LevelName::Scope(scope) = name else {
            call.about(None, "platform", None);
            let (level, resource) = (Level::Platform, Resource::Platform);
            return Ok(LocatedLevel { name: name.clone(), level, owner: None, resource, scope: None });
        };
        let located = self.locate_scope(db, call, scope).await?;
        let (level, owner) = match located.resource {
            Resource::Organization(organization) => (Level::Organization(organization), None),
            Resource::Project { organization, project } => (Level::Project { organization, project }, None),
            Resource::Workspace { organization, workspace, owner, .. } => {
                (Level::Workspace { organization, workspace }, owner)
            }
            _ => return Err(Failure::internal("no role is held on such a resource")),
        };
        Ok(LocatedLevel { name: name.clone(), level, owner, resource: located.resource, scope: Some(located) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_kinds_of_level() {
        for text in
            ["platform", "organizations/acme", "organizations/acme/projects/api", "organizations/acme/workspaces/ws1"]
        {
            let name: LevelName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.organization().is_none(), text == "platform");
        }
    }

    #[test]
    fn refuses_a_user_and_says_what_would_pass() {
        for text in ["organizations/acme/users/bob", "Platform", "platform/", "", "serviceAccounts/x"] {
            let error = text.parse::<LevelName>().unwrap_err().to_string();
            assert!(error.contains("pass"), "{text}: {error}");
        }
    }
}
