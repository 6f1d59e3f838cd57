//! Every caller, relation, action and resource, held against `data/authorization.tsv`, which was written from the design
//! and not from the code.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::{Action, decide};

use crate::callers::{CALLERS, RELATIONS, RESOURCES, Relation, caller, resource, roles_held};

const TABLE: &str = include_str!("../data/authorization.tsv");

/// From action and resource to the callers who may, each with the relations in which it may.
type Table = BTreeMap<(Action, String), BTreeMap<String, Reach>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Own,
    Siblings,
    Everywhere,
}

impl Reach {
    fn covers(self, relation: Relation) -> bool {
        match relation {
            Relation::Own => true,
            Relation::Sibling => self >= Self::Siblings,
            Relation::Foreign | Relation::Stray => self == Self::Everywhere,
        }
    }
}

fn table() -> Table {
    let mut groups: BTreeMap<&str, BTreeMap<String, Reach>> = BTreeMap::new();
    let mut table = Table::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [actions, resources, callers] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns are needed: {line}");
        };
        let callers = read_callers(callers, &groups);
        if actions.starts_with('@') {
            groups.insert(actions, callers);
            continue;
        }
        for action in actions.split(' ') {
            for resource in resources.split(' ') {
                let action: Action = action.parse().unwrap();
                let earlier = table.insert((action, resource.to_owned()), callers.clone());
                assert!(earlier.is_none(), "{} on {resource} has two lines", action.as_str());
            }
        }
    }
    table
}

fn read_callers(text: &str, groups: &BTreeMap<&str, BTreeMap<String, Reach>>) -> BTreeMap<String, Reach> {
    let mut callers: BTreeMap<String, Reach> = BTreeMap::new();
    for word in text.split(' ').filter(|word| *word != "-") {
        let named = if word.starts_with('@') {
            groups.get(word).unwrap_or_else(|| panic!("{word} is not defined")).clone()
        } else {
            let name = word.trim_end_matches(['+', '*']);
            let reach = match &word[name.len()..] {
                "" => Reach::Own,
                "+" => Reach::Siblings,
                "*" => Reach::Everywhere,
                other => panic!("{other} says nothing"),
            };
            assert!(CALLERS.contains(&name), "no caller is called {name}");
            BTreeMap::from([(name.to_owned(), reach)])
        };
        for (name, reach) in named {
            let widest = callers.get(&name).copied().unwrap_or(reach).max(reach);
            callers.insert(name, widest);
        }
    }
    callers
}

fn resources() -> Vec<String> {
    RESOURCES.iter().map(|name| (*name).to_owned()).chain(roles_held()).collect()
}

#[test]
fn is_the_table_for_every_caller_relation_action_and_resource() {
    let table = table();
    let (mut asked, mut wrong) = (0, Vec::new());
    for name in resources() {
        for caller_name in CALLERS {
            for relation in RELATIONS {
                let Some(caller) = caller(caller_name, *relation, &name) else { continue };
                let resource = resource(&name, &caller);
                for action in Action::ALL {
                    let reach = table.get(&(*action, name.clone())).and_then(|row| row.get(*caller_name));
                    let expected = reach.is_some_and(|reach| reach.covers(*relation));
                    let decided = decide(&caller.principal, &caller.bindings, *action, &resource);
                    asked += 1;
                    if decided.is_ok() != expected {
                        wrong.push(format!("{relation:?} {caller_name}: {} on {name}: {decided:?}", action.as_str()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 200_000, "only {asked} were asked");
}

#[test]
fn has_a_row_for_every_action_and_no_row_for_what_is_not_there() {
    let (table, resources) = (table(), resources().into_iter().collect::<BTreeSet<_>>());
    for action in Action::ALL {
        let somebody_may = table.iter().any(|((of, _), callers)| of == action && !callers.is_empty());
        assert!(somebody_may, "nobody may {}", action.as_str());
    }
    for (_, resource) in table.keys() {
        assert!(resources.contains(resource), "no resource is called {resource}");
    }
}

/// The point of it all, read from the table alone: what it must never say, whoever edits it.
#[test]
fn gives_nobody_else_a_way_to_a_user_s_own_secrets() {
    let table = table();
    let callers = |action, resource: &str| -> BTreeSet<&str> {
        table.get(&(action, resource.to_owned())).into_iter().flat_map(|row| row.keys().map(String::as_str)).collect()
    };
    for action in [Action::ListSecrets, Action::WriteSecrets, Action::CreateToken] {
        assert_eq!(callers(action, "ann"), BTreeSet::new());
    }
    for resource in ["organization", "project", "workspace"] {
        let context = format!("context-of-ann:{resource}");
        assert_eq!(callers(Action::ReceiveValues, &context), ["session"].into());
        assert_eq!(callers(Action::Explain, &context), ["session"].into());
        assert_eq!(callers(Action::CreateSession, &context), ["delegate", "platform-delegate", "session"].into());
    }
    for ((action, resource), row) in &table {
        let is_about_secrets = action.as_str().starts_with("secrets.");
        for outsider in ["operator", "auditor", "provisioner", "platform-provisioner", "delegate", "platform-delegate"]
        {
            let own = ["auditor"].contains(&outsider) && resource == "themselves";
            assert!(!is_about_secrets || own || !row.contains_key(outsider), "{outsider}: {action:?} on {resource}");
        }
    }
}
