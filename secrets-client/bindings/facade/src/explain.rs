use std::collections::BTreeSet;

use secrets_core::{self as core, NamePolicy, SecretId, Timestamp, Uid};
use serde::{Deserialize, Serialize};

use crate::{InvalidArgument, Micros, Target, parse, word};

/// A question: the context, the time and the secrets to choose from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The context.
    pub context: Context,
    /// The time, in microseconds since 1970 (UTC).
    pub now: Micros,
    /// All secrets of the context's scopes.
    pub candidates: Vec<Candidate>,
}

/// The uids of a context whose members belong together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The organization.
    pub organization: String,
    /// The project, or the one that the workspace belongs to.
    #[serde(default)]
    pub project: Option<String>,
    /// The workspace.
    #[serde(default)]
    pub workspace: Option<String>,
    /// The person.
    #[serde(default)]
    pub user: Option<String>,
}

/// A secret that could serve, without its value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its uid.
    pub uid: String,
    /// The scope that it belongs to.
    pub scope: Scope,
    /// Its name.
    pub secret_id: String,
    /// The target of its value; an environment variable by default.
    #[serde(default)]
    pub target: Target,
    /// The group that is never mixed between scopes.
    #[serde(default)]
    pub group: Option<String>,
    /// What an organization's secret reaches; everything by default.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// `ALLOWED` or `LOCKED`.
    #[serde(default)]
    pub override_policy: Option<String>,
    /// Whether it is switched off.
    #[serde(default)]
    pub disabled: bool,
    /// When it ends, in microseconds since 1970 (UTC).
    #[serde(default)]
    pub expire_time: Option<Micros>,
}

/// The scope of a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// `ORGANIZATION`, `PROJECT`, `WORKSPACE` or `USER`.
    pub kind: String,
    /// The uid of it.
    pub uid: String,
}

/// The uids of the projects and workspaces that a secret reaches.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visibility {
    /// The projects.
    pub projects: Vec<String>,
    /// The workspaces.
    pub workspaces: Vec<String>,
}

/// What a context gets, and why it does not get the others.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What it gets, ordered by name.
    pub winners: Vec<Winner>,
    /// The others, ordered by name, the narrowest scope first.
    pub not_chosen: Vec<NotChosen>,
    /// When this changes by itself, in microseconds since 1970 (UTC).
    pub valid_until: Option<i64>,
}

/// A secret that is delivered.
#[derive(Clone, Debug, Serialize)]
pub struct Winner {
    /// Its name.
    pub secret_id: String,
    /// Its uid.
    pub uid: String,
    /// The kind of its scope.
    pub scope: &'static str,
}

/// A secret that is not.
#[derive(Clone, Debug, Serialize)]
pub struct NotChosen {
    /// Its name.
    pub secret_id: String,
    /// Its uid.
    pub uid: String,
    /// The kind of its scope.
    pub scope: &'static str,
    /// Why not: `LOWER_PRECEDENCE`, `LOCKED_ABOVE`, …
    pub reason: &'static str,
    /// The uid of the secret that blocks it, if one does.
    pub blocked_by: Option<String>,
}

/// Returns which of the candidates the context gets, and why it does not get the others.
pub fn explain(question: &Question) -> Result<Explanation, InvalidArgument> {
    let candidates = question.candidates.iter().map(Candidate::to_core).collect::<Result<_, _>>()?;
    let now = question.now.into();
    let resolution = core::resolve(&question.context.to_core()?, now, candidates);
    Ok(Explanation {
        winners: resolution.winners.iter().map(Winner::from_core).collect(),
        not_chosen: resolution.not_chosen.iter().map(NotChosen::from_core).collect(),
        valid_until: resolution.valid_until.map(Timestamp::as_micros),
    })
}

impl Context {
    fn to_core(&self) -> Result<core::Context, InvalidArgument> {
        Ok(core::Context {
            organization: uid("organization", &self.organization)?,
            project: self.project.as_deref().map(|text| uid("project", text)).transpose()?,
            workspace: self.workspace.as_deref().map(|text| uid("workspace", text)).transpose()?,
            user: self.user.as_deref().map(|text| uid("user", text)).transpose()?,
        })
    }
}

impl Candidate {
    fn to_core(&self) -> Result<core::Candidate, InvalidArgument> {
        let secret_id = SecretId::parse(&self.secret_id, NamePolicy::Relaxed);
        Ok(core::Candidate {
            secret: uid("uid", &self.uid)?,
            scope: core::Scope::new(parse("scope kind", &self.scope.kind)?, uid("scope uid", &self.scope.uid)?),
            secret_id: secret_id.map_err(|error| InvalidArgument::new("secret_id", error))?,
            version: 1,
            target: self.target.to_core()?,
            group: self.group.as_deref().map(|text| parse("group", text)).transpose()?,
            visibility: self.visibility.as_ref().map_or(Ok(core::Visibility::All), Visibility::to_core)?,
            override_policy: word("override_policy", self.override_policy.as_deref())?,
            disabled: self.disabled,
            expire_time: self.expire_time.map(Timestamp::from),
        })
    }
}

impl Visibility {
    fn to_core(&self) -> Result<core::Visibility, InvalidArgument> {
        let uids = |texts: &[String]| -> Result<BTreeSet<Uid>, InvalidArgument> {
            texts.iter().map(|text| uid("visibility", text)).collect()
        };
        Ok(core::Visibility::Selected { projects: uids(&self.projects)?, workspaces: uids(&self.workspaces)? })
    }
}

impl Winner {
    fn from_core(candidate: &core::Candidate) -> Self {
        Self {
            secret_id: candidate.secret_id.to_string(),
            uid: candidate.secret.to_string(),
            scope: candidate.scope.kind.as_str(),
        }
    }
}

impl NotChosen {
    fn from_core(other: &core::NotChosen) -> Self {
        let Winner { secret_id, uid, scope } = Winner::from_core(&other.candidate);
        Self {
            secret_id,
            uid,
            scope,
            reason: other.reason.as_str(),
            blocked_by: other.blocked_by.map(|uid| uid.to_string()),
        }
    }
}

fn uid(field: &str, text: &str) -> Result<Uid, InvalidArgument> {
    parse(field, text)
}
