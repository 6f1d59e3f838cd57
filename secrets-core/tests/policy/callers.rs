//! The callers and the resources of `data/authorization.tsv`, as it describes them.

use secrets_core::{
    Account, AccountKind, Binding, Context, Principal, Resource, Role, RoleResource, RoleResourceKind, Uid,
};

const fn uid(number: u128) -> Uid {
    Uid::from_u128(number)
}

pub(crate) const ACME: Uid = uid(0xA0);
pub(crate) const API: Uid = uid(0xA1);
pub(crate) const WS1: Uid = uid(0xA2);
const WEB: Uid = uid(0xA3);
const WS2: Uid = uid(0xA4);
const LOOSE: Uid = uid(0xA5);
const GLOBEX: Uid = uid(0xF0);
const GLOBEX_PROJECT: Uid = uid(0xF1);
const GLOBEX_WORKSPACE: Uid = uid(0xF2);
pub(crate) const ANN: Uid = uid(1);
const CALLER: Uid = uid(2);
const SOMEBODY_ELSE: Uid = uid(3);
const BOT: Uid = uid(4);
const CREATOR: Uid = uid(5);

pub(crate) const CALLERS: &[&str] = &[
    "operator",
    "admin",
    "member",
    "auditor",
    "project-admin",
    "project-member",
    "owner",
    "workspace-member",
    "stranger",
    "bot",
    "admin-bot",
    "resolver",
    "project-resolver",
    "workspace-resolver",
    "provisioner",
    "platform-provisioner",
    "delegate",
    "platform-delegate",
    "session",
    "userless-session",
];

pub(crate) const RESOURCES: &[&str] = &[
    "platform",
    "organization",
    "project",
    "workspace",
    "left-workspace",
    "loose-workspace",
    "own-workspace",
    "own-loose-workspace",
    "themselves",
    "ann",
    "itself-bot",
    "bot",
    "itself-platform-bot",
    "platform-bot",
    "context-of-themselves:organization",
    "context-of-themselves:project",
    "context-of-themselves:workspace",
    "context-of-ann:organization",
    "context-of-ann:project",
    "context-of-ann:workspace",
    "context-of-nobody:organization",
    "context-of-nobody:project",
    "context-of-nobody:workspace",
    "session-of-ann",
    "session-for-them",
    "session-by-them",
];

/// How the caller's roles relate to the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Own,
    Sibling,
    Foreign,
    /// Bindings on acme's resources in the hands of an account of another organization: they must count for nothing.
    Stray,
}

pub(crate) const RELATIONS: &[Relation] = &[Relation::Own, Relation::Sibling, Relation::Foreign, Relation::Stray];

/// The names of all `ROLE@LEVEL:HOLDER`, sensible or not.
pub(crate) fn roles_held() -> impl Iterator<Item = String> {
    Role::ALL.iter().flat_map(|role| {
        RoleResourceKind::ALL.iter().flat_map(move |resource| {
            ["ann", "bot", "platform-bot"]
                .map(move |holder| format!("{}@{}:{holder}", role.as_str(), resource.as_str().to_lowercase()))
        })
    })
}

pub(crate) struct Caller {
    pub(crate) principal: Principal,
    /// The caller's bindings, its creator's, and ann's.
    pub(crate) bindings: Vec<Binding>,
    /// Whether ws1 is the caller's.
    owns: bool,
}

/// The caller of that name; `None` where such a relation does not exist.
pub(crate) fn caller(name: &str, relation: Relation, resource: &str) -> Option<Caller> {
    let is_of_the_platform = ["operator", "platform-provisioner", "platform-delegate"].contains(&name);
    let has_siblings =
        name.contains("project") || name.contains("workspace") || name == "owner" || name.contains("session");
    match relation {
        Relation::Own => {}
        Relation::Sibling if has_siblings => {}
        Relation::Foreign if !is_of_the_platform => {}
        Relation::Stray if !is_of_the_platform && name != "delegate" && !name.contains("session") => {}
        _ => return None,
    }
    let (home, project, project_of_workspace, workspace) = match relation {
        Relation::Own | Relation::Stray => (ACME, API, API, WS1),
        Relation::Sibling => (ACME, WEB, API, WS2),
        Relation::Foreign => (GLOBEX, GLOBEX_PROJECT, GLOBEX_PROJECT, GLOBEX_WORKSPACE),
    };
    let organization = if relation == Relation::Stray { GLOBEX } else { home };
    let here = RoleResource::Organization(home);
    let in_project = |project| RoleResource::Project { organization: home, project };
    let in_workspace = RoleResource::Workspace { organization: home, workspace };

    let user = Account::User { organization, user: CALLER };
    let bot = Account::ServiceAccount { organization: Some(organization), service_account: CALLER };
    let platform_bot = Account::ServiceAccount { organization: None, service_account: CALLER };
    let (account, roles): (Account, Vec<(Role, RoleResource)>) = match name {
        "operator" => return Some(Caller { principal: Principal::Operator, bindings: of_ann(), owns: false }),
        "session" | "userless-session" => return Some(session(name, relation, resource)),
        "admin" => (user, vec![(Role::Admin, here)]),
        "member" => (user, vec![(Role::Member, here)]),
        "auditor" => (user, vec![(Role::Auditor, here)]),
        "project-admin" => (user, vec![(Role::Member, here), (Role::Admin, in_project(project))]),
        "project-member" => (user, vec![(Role::Member, here), (Role::Member, in_project(project))]),
        "owner" => (user, vec![(Role::Member, here), (Role::Member, in_project(project_of_workspace))]),
        "workspace-member" => (
            user,
            vec![
                (Role::Member, here),
                (Role::Member, in_project(project_of_workspace)),
                (Role::Member, in_workspace),
                // ws1's neighbour without a project.
                (Role::Member, RoleResource::Workspace { organization: home, workspace: loose(relation) }),
            ],
        ),
        "stranger" => (user, vec![]),
        "bot" => (bot, vec![]),
        "admin-bot" => (bot, vec![(Role::Admin, here)]),
        "resolver" => (bot, vec![(Role::Resolver, here)]),
        "project-resolver" => (bot, vec![(Role::Resolver, in_project(project))]),
        "workspace-resolver" => (bot, vec![(Role::Resolver, in_workspace)]),
        "provisioner" => (bot, vec![(Role::Provisioner, here)]),
        "platform-provisioner" => (platform_bot, vec![(Role::Provisioner, RoleResource::Platform)]),
        "delegate" => (platform_bot, vec![(Role::Delegate, here)]),
        "platform-delegate" => (platform_bot, vec![(Role::Delegate, RoleResource::Platform)]),
        other => panic!("no caller is called {other}"),
    };
    let own = roles.into_iter().map(|(role, on)| Binding { principal: account.reference(), role, resource: on });
    let owns = name == "owner" && matches!(relation, Relation::Own | Relation::Stray);
    Some(Caller { principal: account.into(), bindings: own.chain(of_ann()).collect(), owns })
}

fn loose(relation: Relation) -> Uid {
    if matches!(relation, Relation::Own | Relation::Stray) { LOOSE } else { SOMEBODY_ELSE }
}

/// ann takes part in acme, api and ws1.
fn of_ann() -> Vec<Binding> {
    let principal = Account::User { organization: ACME, user: ANN }.reference();
    [
        RoleResource::Organization(ACME),
        RoleResource::Project { organization: ACME, project: API },
        RoleResource::Workspace { organization: ACME, workspace: WS1 },
    ]
    .map(|on| Binding { principal, role: Role::Member, resource: on })
    .to_vec()
}

fn session(name: &str, relation: Relation, resource: &str) -> Caller {
    let resource =
        resource.strip_prefix("context-of-").and_then(|rest| rest.split_once(':')).map_or("workspace", |(_, l)| l);
    let context = match relation {
        Relation::Sibling => Context { workspace: Some(WS2), ..context("workspace", None) },
        Relation::Foreign => Context { organization: GLOBEX, project: None, workspace: None, user: None },
        Relation::Own | Relation::Stray => context(resource, None),
    };
    let (user, role, organization) = if name == "session" {
        (Some(ANN), Role::Delegate, None)
    } else {
        (None, Role::Resolver, Some(context.organization))
    };
    let creator = Account::ServiceAccount { organization, service_account: CREATOR };
    let on = RoleResource::Organization(context.organization);
    let mut bindings = of_ann();
    bindings.push(Binding { principal: creator.reference(), role, resource: on });
    let principal = Principal::Session { session: uid(9), context: Context { user, ..context }, creator };
    Caller { principal, bindings, owns: false }
}

fn context(resource: &str, user: Option<Uid>) -> Context {
    let (project, workspace) = match resource {
        "organization" => (None, None),
        "project" => (Some(API), None),
        "workspace" => (Some(API), Some(WS1)),
        other => panic!("no context is called {other}"),
    };
    Context { organization: ACME, project, workspace, user }
}

/// The resource of that name, as it is to the caller.
pub(crate) fn resource(name: &str, caller: &Caller) -> Resource {
    let account = caller.principal.account();
    let user = match account {
        Some(Account::User { user, .. }) => user,
        _ => ANN,
    };
    let bot = match account {
        Some(Account::ServiceAccount { service_account, .. }) => service_account,
        _ => BOT,
    };
    let owner = Some(if caller.owns { user } else { SOMEBODY_ELSE });
    let workspace = |workspace, project, owner| Resource::Workspace { organization: ACME, workspace, project, owner };
    let of_user = |user| Resource::User { organization: ACME, user };
    let of_bot = |organization, service_account| Resource::ServiceAccount { organization, service_account };
    let created = |creator, user| Resource::Session { session: uid(8), context: context("workspace", user), creator };
    let another = Account::ServiceAccount { organization: None, service_account: BOT };
    match name {
        "platform" => Resource::Platform,
        "organization" => Resource::Organization(ACME),
        "project" => Resource::Project { organization: ACME, project: API },
        "workspace" => workspace(WS1, Some(API), owner),
        "left-workspace" => workspace(WS1, Some(API), None),
        "loose-workspace" => workspace(LOOSE, None, owner),
        "own-workspace" => workspace(uid(7), Some(API), Some(user)),
        "own-loose-workspace" => workspace(uid(7), None, Some(user)),
        "themselves" => of_user(user),
        "ann" => of_user(ANN),
        "itself-bot" => of_bot(Some(ACME), bot),
        "bot" => of_bot(Some(ACME), BOT),
        "itself-platform-bot" => of_bot(None, bot),
        "platform-bot" => of_bot(None, BOT),
        "session-of-ann" => created(another, Some(ANN)),
        "session-for-them" => created(another, Some(user)),
        "session-by-them" => created(account.unwrap_or(another), None),
        _ if name.starts_with("context-of-") => {
            let (of, resource) = name["context-of-".len()..].split_once(':').unwrap();
            let user = match of {
                "themselves" => Some(user),
                "ann" => Some(ANN),
                "nobody" => None,
                other => panic!("no context is of {other}"),
            };
            Resource::Context {
                context: context(resource, user),
                owner: if resource == "workspace" { owner } else { None },
            }
        }
        _ => binding(name, owner),
    }
}

fn binding(name: &str, owner: Option<Uid>) -> Resource {
    let (role, rest) = name.split_once('@').unwrap_or_else(|| panic!("no resource is called {name}"));
    let (resource, holder) = rest.split_once(':').unwrap();
    let (on, owner) = match resource {
        "platform" => (RoleResource::Platform, None),
        "organization" => (RoleResource::Organization(ACME), None),
        "project" => (RoleResource::Project { organization: ACME, project: API }, None),
        "workspace" => (RoleResource::Workspace { organization: ACME, workspace: WS1 }, owner),
        other => panic!("no resource is called {other}"),
    };
    let holder = match holder {
        "ann" => account(AccountKind::User),
        "bot" => account(AccountKind::ServiceAccount),
        "platform-bot" => account(AccountKind::PlatformServiceAccount),
        other => panic!("nobody is called {other}"),
    };
    Resource::Binding { holder, role: role.parse().unwrap(), resource: on, owner }
}

/// An account of acme, or the platform's.
pub(crate) fn account(kind: AccountKind) -> Account {
    match kind {
        AccountKind::User => Account::User { organization: ACME, user: ANN },
        AccountKind::ServiceAccount => Account::ServiceAccount { organization: Some(ACME), service_account: BOT },
        AccountKind::PlatformServiceAccount => Account::ServiceAccount { organization: None, service_account: BOT },
    }
}
