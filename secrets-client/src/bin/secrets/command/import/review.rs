//! What would become of each entry of an import, and of the whole, in words.

use std::collections::BTreeMap;

use secrets_client::v1::{self, ImportOutcome};

use super::ImportArgs;
use crate::ui::output::table::Table;
use crate::ui::output::text;

/// How many entries an import creates, changes, leaves as they are, skips, and rejects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    created: usize,
    updated: usize,
    unchanged: usize,
    skipped: usize,
    pub(super) rejected: usize,
    /// What lets rejected entries in: said of one, and of several.
    remedies: Vec<(&'static str, &'static str)>,
}

impl Plan {
    pub(super) fn new(response: &v1::ImportSecretsResponse, args: &ImportArgs) -> Self {
        let count = |outcome| response.entries.iter().filter(|entry| entry.outcome() == outcome).count();
        let (created, updated) = (count(ImportOutcome::Created), count(ImportOutcome::Updated));
        let (unchanged, rejected) = (count(ImportOutcome::Unchanged), count(ImportOutcome::Rejected));
        let skipped = response.entries.len() - created - updated - unchanged - rejected;
        Self { created, updated, unchanged, skipped, rejected, remedies: remedies(&response.entries, args) }
    }

    pub(super) fn changes(&self) -> usize {
        self.created + self.updated
    }

    /// `1 created, 2 unchanged`
    pub(super) fn done(&self) -> String {
        let mut parts = vec![format!("{} created", self.created), format!("{} changed", self.updated)];
        if self.unchanged > 0 {
            parts.push(format!("{} unchanged", self.unchanged));
        }
        parts.join(", ")
    }

    /// `1 will be created, 1 skipped; 2 can't be imported: rename them (--rename), or leave them out (--skip-rejected).`
    pub(super) fn summary(&self, leaves_out: bool) -> String {
        let left_out = if leaves_out { self.rejected } else { 0 };
        let counts = [
            (self.created, "will be created"),
            (self.updated, "will be changed"),
            (self.unchanged, "unchanged"),
            (self.skipped, "skipped"),
            (left_out, "left out"),
        ];
        let parts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let mut groups = Vec::from_iter((!parts.is_empty()).then(|| parts.join(", ")));
        if self.rejected > left_out {
            let them = if self.rejected == 1 { "it" } else { "them" };
            let is_one = self.rejected == 1;
            let remedies: Vec<&str> = self.remedies.iter().map(|(one, all)| if is_one { *one } else { *all }).collect();
            let leave_out = format!("leave {them} out (--skip-rejected)");
            let remedies = match remedies.is_empty() {
                true => leave_out,
                false => format!("{}, or {leave_out}", remedies.join(", ")),
            };
            groups.push(format!("{} can't be imported: {remedies}", self.rejected));
        }
        format!("{}.", groups.join("; "))
    }
}

fn remedies(entries: &[v1::ImportedEntry], args: &ImportArgs) -> Vec<(&'static str, &'static str)> {
    let rejected = || entries.iter().filter(|entry| entry.outcome() == ImportOutcome::Rejected);
    let says = |field: &str| rejected().any(|entry| entry.reason.contains(field));
    let mut remedies = Vec::new();
    if !args.rename && rejected().any(|entry| !entry.suggested_secret_id.is_empty()) {
        remedies.push(("rename it (--rename)", "rename them (--rename)"));
    }
    if !args.stringify && says("`stringify`") {
        remedies.push(("take it as it is spelled (--stringify)", "take them as they are spelled (--stringify)"));
    }
    if !args.literal && says("`literal`") {
        remedies.push(("take it as it stands (--literal)", "take them as they stand (--literal)"));
    }
    remedies
}

pub(super) fn table(entries: &[v1::ImportedEntry], applied: bool) -> Table {
    let mut table = Table::new(["LINE", "NAME", "OUTCOME", "NOTE"]).wrapped(&["NAME", "NOTE"]);
    for entry in entries {
        let outcome = match (entry.outcome(), applied) {
            (ImportOutcome::Created, false) => "will be created",
            (ImportOutcome::Created, true) => "created",
            (ImportOutcome::Updated, false) => "will be changed",
            (ImportOutcome::Updated, true) => "changed",
            (ImportOutcome::Unchanged, _) => "unchanged",
            (ImportOutcome::SkippedExists, _) => "exists, skipped",
            (ImportOutcome::SkippedEmpty, _) => "empty, skipped",
            (ImportOutcome::OverriddenLater, _) => "given again later",
            (ImportOutcome::Rejected, _) => "rejected",
            (ImportOutcome::SkippedNotSelected, _) => "not selected",
            (ImportOutcome::Unspecified, _) => "",
        };
        let name = match entry.renamed_secret_id.as_str() {
            "" => entry.secret_id.clone(),
            renamed => format!("{} → {renamed}", entry.secret_id),
        };
        table.row([format!("{:>4}", entry.line), name, outcome.to_owned(), note(entry)]);
    }
    table
}

fn note(entry: &v1::ImportedEntry) -> String {
    match entry.outcome() {
        ImportOutcome::SkippedExists => "--overwrite replaces it".to_owned(),
        ImportOutcome::Unchanged => "has this value already".to_owned(),
        // They are in `warnings`.
        ImportOutcome::Created | ImportOutcome::Updated => String::new(),
        ImportOutcome::Rejected if !entry.suggested_secret_id.is_empty() => {
            let rule = entry.reason.split("; did you mean").next().unwrap_or_default();
            let rule = rule.strip_prefix("names ").unwrap_or(rule);
            format!("{rule}; --rename takes {}", entry.suggested_secret_id)
        }
        _ => with_flags(&entry.reason),
    }
}

/// What to know of entries that are imported: a line for each reason, with the names.
pub(super) fn warnings(entries: &[v1::ImportedEntry]) -> Vec<String> {
    let is_imported =
        |entry: &&v1::ImportedEntry| matches!(entry.outcome(), ImportOutcome::Created | ImportOutcome::Updated);
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut old_names = Vec::new();
    for entry in entries.iter().filter(is_imported) {
        let is_renamed = !entry.renamed_secret_id.is_empty();
        let name = if is_renamed { &entry.renamed_secret_id } else { &entry.secret_id };
        if !entry.reason.is_empty() {
            names.entry(&entry.reason).or_default().push(name);
        }
        if is_renamed {
            old_names.push(entry.secret_id.as_str());
        }
    }
    let mut warnings: Vec<String> = Vec::new();
    if !old_names.is_empty() {
        let them = if old_names.len() == 1 { "it" } else { "them" };
        warnings
            .push(format!("{}: programs that read the old name will not find {them}", text::first_names(&old_names)));
    }
    warnings.extend(
        names.into_iter().map(|(reason, names)| format!("{}: {}", text::first_names(&names), with_flags(reason))),
    );
    warnings
}

/// A sentence of the service with the flags in the place of its request's fields.
fn with_flags(reason: &str) -> String {
    reason.replace("`literal`", "--literal").replace("`stringify`", "--stringify")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: i32, name: &str, outcome: ImportOutcome, reason: &str, suggestion: &str) -> v1::ImportedEntry {
        v1::ImportedEntry {
            line,
            secret_id: name.into(),
            outcome: outcome.into(),
            reason: reason.into(),
            suggested_secret_id: suggestion.into(),
            ..Default::default()
        }
    }

    fn journey() -> [v1::ImportedEntry; 4] {
        let lower = "names must be upper case; did you mean `NPM_TOKEN`?";
        [
            entry(2, "DATABASE_URL", ImportOutcome::Created, "", ""),
            entry(3, "STRIPE_SECRET", ImportOutcome::SkippedExists, "exists", ""),
            entry(5, "PATH", ImportOutcome::Rejected, "reserved: changes which programs run", ""),
            entry(7, "npm_token", ImportOutcome::Rejected, lower, "NPM_TOKEN"),
        ]
    }

    fn plan(entries: &[v1::ImportedEntry], args: &ImportArgs) -> Plan {
        Plan::new(&v1::ImportSecretsResponse { entries: entries.into(), ..Default::default() }, args)
    }

    #[test]
    fn reviews_each_line() {
        let entries = journey();
        assert_eq!(
            table(&entries, false).render(None, false),
            "LINE  NAME           OUTCOME          NOTE\n\
             \u{20}  2  DATABASE_URL   will be created\n\
             \u{20}  3  STRIPE_SECRET  exists, skipped  --overwrite replaces it\n\
             \u{20}  5  PATH           rejected         reserved: changes which programs run\n\
             \u{20}  7  npm_token      rejected         must be upper case; --rename takes NPM_TOKEN\n"
        );
        let narrow = table(&entries, false).render(Some(60), false);
        assert!(narrow.contains("NPM_TOKEN\n") && !narrow.contains('…'), "{narrow}");
    }

    #[test]
    fn says_what_is_the_same_already() {
        let entries = [
            entry(1, "A", ImportOutcome::Updated, "", ""),
            entry(2, "B", ImportOutcome::Unchanged, "has this value", ""),
        ];
        let plan = plan(&entries, &ImportArgs::default());
        assert_eq!((plan.changes(), plan.summary(false).as_str()), (1, "1 will be changed, 1 unchanged."));
        assert_eq!(plan.done(), "0 created, 1 changed, 1 unchanged");
        assert!(
            table(&entries, false).render(None, false).ends_with("B     unchanged        has this value already\n")
        );
        assert_eq!(warnings(&entries), Vec::<String>::new());
    }

    #[test]
    fn says_once_what_will_happen_and_what_is_left_out() {
        let args = ImportArgs::default();
        let plan = plan(&journey(), &args);
        assert_eq!((plan.changes(), plan.rejected), (1, 2));
        assert_eq!(
            plan.summary(false),
            "1 will be created, 1 skipped; 2 can't be imported: rename them (--rename), or leave them out (--skip-rejected)."
        );
        assert_eq!(plan.summary(true), "1 will be created, 1 skipped, 2 left out.");
    }

    #[test]
    fn offers_only_what_helps() {
        let reference =
            "a reference of 1Password, not a value; `op inject` puts the values in, `literal` takes it as it stands";
        let number = "a number, not a text; `stringify` takes it as it is spelled";
        let entries =
            [entry(1, "A", ImportOutcome::Rejected, reference, ""), entry(2, "B", ImportOutcome::Rejected, number, "")];
        let summary = |entries: &[v1::ImportedEntry], args: &ImportArgs| plan(entries, args).summary(false);
        assert_eq!(
            summary(&entries, &ImportArgs::default()),
            "2 can't be imported: take them as they are spelled (--stringify), take them as they stand (--literal), or leave \
             them out (--skip-rejected)."
        );
        assert_eq!(
            summary(&entries[..1], &ImportArgs::default()),
            "1 can't be imported: take it as it stands (--literal), or leave it out (--skip-rejected)."
        );
        let reserved = [entry(5, "PATH", ImportOutcome::Rejected, "reserved: changes which programs run", "")];
        let args = ImportArgs { rename: true, ..ImportArgs::default() };
        assert_eq!(summary(&reserved, &args), "1 can't be imported: leave it out (--skip-rejected).");
        assert!(note(&entries[1]).ends_with("--stringify takes it as it is spelled"));
    }

    #[test]
    fn shows_a_new_name_beside_the_old_one_and_says_who_will_not_find_it() {
        let renamed = v1::ImportedEntry {
            renamed_secret_id: "NPM_TOKEN".into(),
            ..entry(7, "npm_token", ImportOutcome::Created, "", "")
        };
        let entries = [renamed, entry(8, "URL", ImportOutcome::Created, "`${…}` stays; `literal` says so", "")];
        let rendered = table(&entries, false).render(None, false);
        assert!(rendered.contains("   7  npm_token → NPM_TOKEN  will be created\n"), "{rendered}");
        let narrow = table(&entries, false).render(Some(40), false);
        assert!(narrow.contains("npm_token →") && narrow.contains("\n      NPM_TOKEN"), "{narrow}");
        assert_eq!(
            warnings(&entries),
            ["npm_token: programs that read the old name will not find it", "URL: `${…}` stays; --literal says so",]
        );
    }
}
