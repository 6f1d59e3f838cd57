use super::*;
use crate::dotenv::{ValueKind, mark_overridden, parse};
use crate::value::InvalidValue;

fn name(text: &str) -> SecretId {
    SecretId::parse(text, NamePolicy::Relaxed).unwrap()
}

struct Given {
    existing: BTreeMap<SecretId, Target>,
    only: BTreeSet<SecretId>,
    conflict_policy: ConflictPolicy,
    on_rejected: RejectedPolicy,
    literal: bool,
    rename: bool,
    name_policy: NamePolicy,
    allowed_reserved: AllowedReserved,
    limits: Limits,
}

impl Given {
    fn existing(names: &[&str]) -> Self {
        Self {
            existing: names.iter().map(|text| (name(text), Target::EnvironmentVariable)).collect(),
            only: BTreeSet::new(),
            conflict_policy: ConflictPolicy::default(),
            on_rejected: RejectedPolicy::default(),
            literal: false,
            rename: false,
            name_policy: NamePolicy::default(),
            allowed_reserved: AllowedReserved::default(),
            limits: Limits::default(),
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            existing: &self.existing,
            only: &self.only,
            name_policy: self.name_policy,
            allowed_reserved: &self.allowed_reserved,
            conflict_policy: self.conflict_policy,
            on_rejected: self.on_rejected,
            literal: self.literal,
            rename: self.rename,
            limits: self.limits,
        }
    }

    fn review(&self, document: &[u8]) -> Review {
        review(&parse(document).unwrap(), &self.rules()).unwrap()
    }

    fn outcomes(&self, document: &[u8]) -> Vec<Outcome> {
        self.review(document).entries.iter().map(|entry| entry.outcome).collect()
    }
}

#[test]
fn reviews_the_journey_of_an_import() {
    let document =
        b"# keys\nDATABASE_URL=postgres://x\nSTRIPE_SECRET=sk_1\n\nPATH=/evil\n\nnpm_token=npm_1\nEMPTY=\nA=1\nA=2\n";
    let review = Given::existing(&["STRIPE_SECRET"]).review(document);
    let rows: Vec<_> = review
        .entries
        .iter()
        .map(|row| {
            let reason = row.reason.as_ref().map(Reason::to_string).unwrap_or_default();
            (row.line, row.key.as_deref().unwrap_or_default(), row.outcome, reason)
        })
        .collect();
    use Outcome::*;
    let expected = [
        (2, "DATABASE_URL", Created, ""),
        (3, "STRIPE_SECRET", SkippedExists, "exists already; the conflict policy `OVERWRITE` replaces its value"),
        (5, "PATH", Rejected, "reserved: changes which programs run"),
        (7, "npm_token", Rejected, "names must be upper case; did you mean `NPM_TOKEN`?"),
        (8, "EMPTY", SkippedEmpty, "has no value; what is stored stays as it is"),
        (9, "A", OverriddenLater, "line 10 has the same name and is used instead"),
        (10, "A", Created, ""),
    ];
    assert_eq!(rows, expected.map(|(line, key, outcome, reason)| (line, key, outcome, reason.to_owned())));
    assert_eq!(review.entries[3].suggestion, Some(name("NPM_TOKEN")));
    assert_eq!((review.count(Created), review.may_apply()), (2, false));
}

#[test]
fn applies_the_rest_when_rejected_entries_are_skipped() {
    let mut given = Given::existing(&[]);
    assert!(given.review(b"A=1").may_apply());
    given.on_rejected = RejectedPolicy::Skip;
    assert!(given.review(b"A=1\nPATH=2").may_apply());
}

#[test]
fn treats_existing_names_as_the_policy_says() {
    let mut given = Given::existing(&["A", "old_name"]);
    for (policy, outcome) in [
        (ConflictPolicy::Skip, Outcome::SkippedExists),
        (ConflictPolicy::Overwrite, Outcome::Updated),
        (ConflictPolicy::Fail, Outcome::Rejected),
    ] {
        given.conflict_policy = policy;
        assert_eq!(given.outcomes(b"A=1\nold_name=2\nB=3"), [outcome, outcome, Outcome::Created]);
    }
}

#[test]
fn keeps_the_target_of_what_it_overwrites() {
    let mut given = Given::existing(&["VAR"]);
    given.conflict_policy = ConflictPolicy::Overwrite;
    given.existing.insert(name("PATH"), Target::ApiOnly);
    let review = given.review(b"PATH='a\0b'\nVAR='a\0b'");
    assert_eq!(review.entries[0].outcome, Outcome::Updated);
    assert_eq!(review.entries[1].reason, Some(Reason::Value(InvalidValue::Nul)));
}

#[test]
fn imports_only_the_names_it_is_asked_for() {
    let mut given = Given::existing(&[]);
    given.only = [name("A"), name("NOT_THERE")].into();
    let review = given.review(b"A=1\nPATH=2\nB=3");
    assert_eq!(
        review.entries.iter().map(|entry| entry.outcome).collect::<Vec<_>>(),
        [Outcome::Created, Outcome::SkippedNotSelected, Outcome::SkippedNotSelected]
    );
    assert_eq!(review.missing, [name("NOT_THERE")]);
    assert!(review.may_apply());
}

#[test]
fn takes_the_names_that_the_policy_takes() {
    let mut given = Given::existing(&[]);
    given.name_policy = NamePolicy::Relaxed;
    assert_eq!(given.outcomes(b"npm_token=1\nPath=2\na-b=3"), [Outcome::Created, Outcome::Rejected, Outcome::Rejected]);
}

#[test]
fn bounds_values_and_entries() {
    let mut given = Given::existing(&[]);
    given.limits.lower(Limit::ValueBytes, 3).unwrap();
    assert_eq!(given.outcomes(b"A=123\nB=1234"), [Outcome::Created, Outcome::Rejected]);
    let entries: Vec<_> = (1..=1001).map(|line| Entry::new(line, format!("A{line}"), "x".to_owned())).collect();
    given.limits = Limits::default();
    assert_eq!(
        review(&entries, &given.rules()),
        Err(LimitExceeded { limit: Limit::ImportEntries, most: 1000, given: 1001 })
    );
    assert_eq!(review(&entries[1..], &given.rules()).unwrap().count(Outcome::Created), 1000);
}

#[test]
fn shows_no_key_that_looks_like_a_value() {
    let given = Given::existing(&[]);
    let long = "k".repeat(128);
    for key in ["sk live 1", "a+b/c", "p\u{00E4}ss", "", long.as_str()] {
        let entries = [Entry::new(1, key.to_owned(), "x".to_owned())];
        let reviewed = review(&entries, &given.rules()).unwrap().entries.remove(0);
        assert_eq!((reviewed.outcome, reviewed.key), (Outcome::Rejected, None), "{key:?}");
    }
}

#[test]
fn imports_a_reserved_name_where_the_organization_allows_it() {
    let mut given = Given::existing(&["PAGER"]);
    given.conflict_policy = ConflictPolicy::Overwrite;
    let document = b"KUBECONFIG=/run/secrets/kube\nPAGER=less\nPATH=/x\n";
    assert_eq!(given.outcomes(document), [Outcome::Rejected, Outcome::Rejected, Outcome::Rejected]);
    assert_eq!(
        given.review(document).entries[0].reason.as_ref().unwrap().to_string(),
        "reserved: redirects tools to another configuration or service; an administrator of the organization can allow it"
    );
    given.allowed_reserved = AllowedReserved::new(["KUBECONFIG", "PAGER"]).unwrap();
    assert_eq!(given.outcomes(document), [Outcome::Created, Outcome::Updated, Outcome::Rejected]);
}

#[test]
fn rejects_references_and_points_to_expansions_unless_they_are_meant() {
    let document = b"A=op://Private/x/token\nB=encrypted:BE9Y\nC=postgres://${HOST}/api\nD='${X}'\nE=$X\n";
    let mut given = Given::existing(&[]);
    let review = given.review(document);
    use Outcome::*;
    let reasons: Vec<_> = review
        .entries
        .iter()
        .map(|entry| (entry.outcome, entry.reason.as_ref().map(Reason::to_string).unwrap_or_default()))
        .collect();
    let expands = "`${…}` is stored as it stands, and nothing replaces it; `literal` says that it is meant so";
    let expected = [
        (
            Rejected,
            "a reference of 1Password, not a value; `op inject` puts the values in, `literal` takes it as it stands",
        ),
        (
            Rejected,
            "encrypted by dotenvx; `dotenvx decrypt --stdout` prints the values, `literal` takes it as it stands",
        ),
        (Created, expands),
        (Created, expands),
        (Created, ""),
    ];
    assert_eq!(reasons, expected.map(|(outcome, reason)| (outcome, reason.to_owned())));
    given.literal = true;
    assert!(given.review(document).entries.iter().all(|entry| entry.outcome == Created && entry.reason.is_none()));
}

#[test]
fn leaves_a_reference_alone_that_would_not_be_imported() {
    let given = Given::existing(&["A"]);
    assert_eq!(
        given.outcomes(b"A=se://a\nB=se://b\nB=b"),
        [Outcome::SkippedExists, Outcome::OverriddenLater, Outcome::Created]
    );
}

#[test]
fn rejects_what_is_not_a_text_and_names_it() {
    let given = Given::existing(&["EXISTS"]);
    use ValueKind::*;
    let mut entries: Vec<_> =
        [("PORT", Number), ("DEBUG", Boolean), ("LIST", List), ("EXISTS", Number), ("PORT", Object)]
            .into_iter()
            .enumerate()
            .map(|(at, (key, kind))| Entry::not_text(at + 1, key.to_owned(), kind))
            .collect();
    mark_overridden(&mut entries);
    let rows: Vec<_> = review(&entries, &given.rules())
        .unwrap()
        .entries
        .into_iter()
        .map(|row| (row.key.unwrap(), row.outcome, row.reason.unwrap().to_string()))
        .collect();
    let expected = [
        ("PORT", Outcome::OverriddenLater, "line 5 has the same name and is used instead"),
        ("DEBUG", Outcome::Rejected, "a boolean, not a text; `stringify` takes it as it is spelled"),
        ("LIST", Outcome::Rejected, "a list, not a text; write it as one, in quotes"),
        ("EXISTS", Outcome::SkippedExists, "exists already; the conflict policy `OVERWRITE` replaces its value"),
        ("PORT", Outcome::Rejected, "an object, not a text; write it as one, in quotes"),
    ];
    assert_eq!(rows, expected.map(|(key, outcome, reason)| (key.to_owned(), outcome, reason.to_owned())));
}

/// Name as written, name as it would be stored, suggestion, and why it would not be.
type Row = (String, Option<String>, Option<String>, String);

impl Given {
    fn rows(&self, document: &[u8]) -> Vec<Row> {
        let entries = self.review(document).entries;
        let row = |entry: Reviewed| {
            (
                entry.key.unwrap_or_default(),
                entry.secret_id.map(|name| name.to_string()),
                entry.suggestion.map(|name| name.to_string()),
                entry.reason.map(|reason| reason.to_string()).unwrap_or_default(),
            )
        };
        entries.into_iter().map(row).collect()
    }
}

fn row(key: &str, stored: &str, suggestion: &str, reason: &str) -> Row {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (key.to_owned(), some(stored), some(suggestion), reason.to_owned())
}

#[test]
fn renames_to_what_it_suggests() {
    let mut given = Given::existing(&[]);
    let document = b"npm_token=1\nlinear-api-key=2\n2fa=3\nA=4\npath=5\n";
    let not_path =
        "names must be upper case; expected 1 to 127 characters of `A-Z`, `0-9` and `_`, not starting with a digit";
    assert_eq!(
        given.rows(document)[0],
        row("npm_token", "", "NPM_TOKEN", "names must be upper case; did you mean `NPM_TOKEN`?")
    );
    given.rename = true;
    assert_eq!(
        given.rows(document),
        [
            row("npm_token", "NPM_TOKEN", "", ""),
            row("linear-api-key", "LINEAR_API_KEY", "", ""),
            row("2fa", "_2FA", "", ""),
            row("A", "A", "", ""),
            row("path", "", "", not_path),
        ]
    );
}

#[test]
fn never_renames_to_what_is_taken() {
    let exists = "must be renamed, and not to `STORED`: it exists already";
    let shared = |name: &str| format!("must be renamed, and not to `{name}`: another entry has it or would get it");
    let document = b"stored=1\nhere=2\nHERE=3\nnpm_token=4\nnpm-token=5\nempty=6\nEMPTY=\ntwice=7\ntwice=8\n";
    let mut given = Given::existing(&["STORED"]);
    for (rename, conflict_policy) in
        [(false, ConflictPolicy::Skip), (true, ConflictPolicy::Skip), (true, ConflictPolicy::Overwrite)]
    {
        (given.rename, given.conflict_policy) = (rename, conflict_policy);
        let rows = given.rows(document);
        let (name, suggestion, reason) = match rename {
            true => ("TWICE", "", ""),
            false => ("", "TWICE", "names must be upper case; did you mean `TWICE`?"),
        };
        assert_eq!(
            rows,
            [
                row("stored", "", "", exists),
                row("here", "", "", &shared("HERE")),
                row("HERE", "HERE", "", ""),
                row("npm_token", "", "", &shared("NPM_TOKEN")),
                row("npm-token", "", "", &shared("NPM_TOKEN")),
                row("empty", "", "", &shared("EMPTY")),
                row("EMPTY", "", "", "has no value; what is stored stays as it is"),
                row("twice", "", "", "line 9 has the same name and is used instead"),
                row("twice", name, suggestion, reason),
            ]
        );
    }
}

#[test]
fn keeps_a_name_that_exists_or_that_the_policy_takes() {
    let mut given = Given::existing(&["old_name"]);
    given.rename = true;
    given.conflict_policy = ConflictPolicy::Overwrite;
    assert_eq!(given.rows(b"old_name=1\n"), [row("old_name", "old_name", "", "")]);
    given.name_policy = NamePolicy::Relaxed;
    assert_eq!(given.rows(b"npm_token=1\n"), [row("npm_token", "npm_token", "", "")]);
}

#[test]
fn selects_by_either_name_what_it_renames() {
    let mut given = Given::existing(&[]);
    for only in ["npm_token", "NPM_TOKEN"] {
        given.only = [name(only)].into();
        given.rename = true;
        let review = given.review(b"npm_token=1\nother=2\n");
        assert_eq!((review.count(Outcome::Created), review.missing.len()), (1, 0), "{only}");
        given.rename = false;
        assert_eq!(given.review(b"npm_token=1\nother=2\n").missing.len(), usize::from(only == "NPM_TOKEN"));
    }
}

#[test]
fn makes_no_name_of_what_may_be_a_part_of_a_value() {
    let mut given = Given::existing(&[]);
    given.rename = true;
    let entries = [Entry::new(1, "sk live 1".to_owned(), "x".to_owned())];
    let reviewed = review(&entries, &given.rules()).unwrap().entries.remove(0);
    assert_eq!((reviewed.outcome, reviewed.secret_id, reviewed.suggestion), (Outcome::Rejected, None, None));
}

proptest::proptest! {
    #[test]
    fn gives_no_name_to_two_entries_nor_one_that_exists(
        keys in proptest::collection::vec("[aAbB1_.-]{1,3}|path|PATH", 1..12),
        existing in proptest::collection::vec("[ABab_]{1,2}", 0..4),
        overwrite in proptest::bool::ANY,
    ) {
        let existing: Vec<_> = existing.iter().map(String::as_str).collect();
        let mut given = Given::existing(&existing);
        given.rename = true;
        given.conflict_policy = if overwrite { ConflictPolicy::Overwrite } else { ConflictPolicy::Skip };
        let mut entries: Vec<_> =
            keys.iter().enumerate().map(|(at, key)| Entry::new(at + 1, key.clone(), "x".to_owned())).collect();
        mark_overridden(&mut entries);
        let reviewed = review(&entries, &given.rules()).unwrap().entries;
        let stored: Vec<_> = reviewed.iter().filter_map(|entry| Some((entry.key.clone()?, entry.secret_id.clone()?))).collect();
        let distinct: BTreeSet<_> = stored.iter().map(|(_, name)| name).collect();
        proptest::prop_assert_eq!(distinct.len(), stored.len());
        for (key, name) in stored.iter().filter(|(key, name)| key != name.as_str()) {
            proptest::prop_assert!(!given.existing.contains_key(name), "{} → {}", key, name);
            proptest::prop_assert!(!keys.iter().any(|other| other == name.as_str()), "{} → {}", key, name);
            proptest::prop_assert!(crate::reserved::environment(name.as_str()).is_none());
        }
    }
}
