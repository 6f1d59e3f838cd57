use super::*;

fn table() -> Table {
    let mut table = Table::new(["NAME", "TARGET", "DESCRIPTION"]);
    table.row(["LINEAR_API_KEY", "variable", "the key of the whole team, please be careful"]);
    table.row(["A", "file ~/.ssh/deploy_key", ""]);
    table
}

#[test]
fn aligns_columns_without_trailing_spaces() {
    let lines = table().render(None, false);
    assert_eq!(
        lines,
        "NAME            TARGET                  DESCRIPTION\n\
         LINEAR_API_KEY  variable                the key of the whole team, please be careful\n\
         A               file ~/.ssh/deploy_key\n"
    );
}

#[test]
fn fits_the_terminal_and_keeps_the_name() {
    let lines = table().render(Some(50), false);
    assert!(lines.lines().all(|line| line.chars().count() <= 50), "{lines}");
    assert!(lines.contains("LINEAR_API_KEY") && lines.contains('…'), "{lines}");
}

#[test]
fn never_writes_past_the_terminals_edge() {
    for width in 20..120 {
        let lines = table().render(Some(width), false);
        assert!(lines.lines().all(|line| line.chars().count() <= width), "{width}: {lines}");
        assert!(lines.contains("LINEAR_API_KEY"), "{width}: {lines}");
    }
}

#[test]
fn leaves_out_on_a_terminal_what_is_empty_or_can_be_spared() {
    let mut table = Table::new(["NAME", "LOCKED", "DESCRIPTION", "CREATED", "VALUE"]).spare(&["VALUE"], &["CREATED"]);
    table.row(["A", "", "the team's own key", "2026-11-21 09:30Z", "••••••••"]);
    let headings =
        |width| table.render(width, false).lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(headings(None), "NAME LOCKED DESCRIPTION CREATED VALUE");
    assert_eq!(headings(Some(80)), "NAME DESCRIPTION CREATED VALUE");
    assert_eq!(headings(Some(45)), "NAME DESCRIPTION CREATED");
    assert_eq!(headings(Some(25)), "NAME DESCRIPTION");
    assert!(table.render(Some(25), false).contains("the team's own key"));
}

#[test]
fn goes_on_below_and_cuts_no_time() {
    let mut table = Table::new(["NAME", "NOT CHOSEN", "DESCRIPTION", "CREATED"]);
    table = table.wrapped(&["NOT CHOSEN"]);
    let others = "organization: lower precedence; project api: disabled";
    table.row(["KEY", others, "the team's own key", "2026-11-21 09:30Z"]);
    assert_eq!(
        table.render(Some(56), false),
        "NAME  NOT CHOSEN       DESCRIPTION     CREATED\n\
         KEY   organization:    the team's ow…  2026-11-21 09:30Z\n\
         \u{20}     lower\n\
         \u{20}     precedence;\n\
         \u{20}     project api:\n\
         \u{20}     disabled\n"
    );
    assert_eq!(table.render(None, false).lines().count(), 2);
}

#[test]
fn what_does_not_fit_at_the_end_of_a_row_goes_below_it() {
    let mut table = Table::new(["NAME", "ACTION", "DETAILS"]).last_below();
    table.row(["bob", "UpdateSecret", "value changed"]);
    table.row(["ann", "Resolve", "A v1, B v2, 日本語 v3, D v4, E v5"]);
    table.row(["ann", "GetSecret", ""]);
    assert_eq!(table.render(None, false).lines().count(), 4);
    assert_eq!(
        table.render(Some(34), false),
        "NAME  ACTION        DETAILS\n\
         bob   UpdateSecret  value changed\n\
         ann   Resolve\n\
         \u{20}   A v1, B v2, 日本語 v3, D v4,\n\
         \u{20}   E v5\n\
         ann   GetSecret\n"
    );
    assert_eq!(
        table.render(Some(24), false),
        "NAME  ACTION\n\
         bob   UpdateSecret\n\
         \u{20}   value changed\n\
         ann   Resolve\n\
         \u{20}   A v1, B v2,\n\
         \u{20}   日本語 v3, D v4,\n\
         \u{20}   E v5\n\
         ann   GetSecret\n"
    );
}

#[test]
fn others_make_room_for_what_is_short_as_long_as_they_can_be_read() {
    let mut table = Table::new(["TIME", "PRINCIPAL", "DETAILS"]).last_below();
    table.row(["noon", "service:sandboxd (platform)'s session", "A v1"]);
    let rendered = |width| table.render(Some(width), false).split_once('\n').unwrap().1.to_owned();
    assert_eq!(rendered(36), "noon  service:sandboxd (pl…  A v1\n");
    assert_eq!(rendered(34), "noon  service:sandboxd (platform)…\n    A v1\n");
}

#[test]
fn what_goes_below_is_no_longer_than_a_few_lines() {
    let mut table = Table::new(["NAME", "DETAILS"]).last_below();
    table.row(["bob".to_owned(), (1..100).map(|n| format!("SECRET_{n} v1")).collect::<Vec<_>>().join(", ")]);
    for width in 20..60 {
        let lines = table.render(Some(width), false);
        assert_eq!(lines.lines().count(), 2 + MAX_LINES_BELOW, "{width}: {lines}");
        assert!(lines.trim_end().ends_with('…'), "{width}: {lines}");
        assert!(lines.lines().all(|line| super::width(line) <= width), "{width}: {lines}");
    }
}

#[test]
fn aligns_what_is_wide() {
    let mut table = Table::new(["NAME", "DESCRIPTION", "SCOPE"]);
    table.row(["A", "日本語", "user"]);
    table.row(["B", "cle\u{301}", "user"]);
    assert_eq!(
        table.render(None, false),
        "NAME  DESCRIPTION  SCOPE\nA     日本語       user\nB     cle\u{301}          user\n"
    );
}

#[test]
fn shows_a_terminal_how_long_ago_something_was() {
    let mut table = Table::new(["NAME", "CREATED"]);
    let now = time::now();
    let time = prost_types::Timestamp { seconds: now.seconds - 3 * 24 * 3600, nanos: 0 };
    table.row([Cell::from("A"), Cell::time(Some(&time))]);
    assert_eq!(table.render(Some(80), false), "NAME  CREATED\nA     3 days ago\n");
    assert!(table.render(None, false).contains('Z'));
}

#[test]
fn shows_a_terminal_what_tells_identifiers_apart() {
    let mut table = Table::new(["ID", "FOR"]).identifiers(&["ID"]);
    table.row(["7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "a"]);
    table.row(["9c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "b"]);
    assert_eq!(table.render(Some(80), false), "ID        FOR\n7c2a51d2  a\n9c2a51d2  b\n");
    assert!(table.render(None, false).contains("7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11"));
}

#[test]
fn colours_a_cell_and_nothing_beside_it() {
    let mut table = Table::new(["NAME", "STATE", "BY"]);
    table.row([Cell::from("A"), Cell::from("revoked").toned(Some(Tone::Bad)), Cell::from("bob")]);
    let lines = table.render(Some(80), true);
    assert_eq!(lines.lines().nth(1).unwrap(), "A     \x1b[31mrevoked\x1b[0m  bob");
    assert_eq!(table.render(Some(80), false).lines().nth(1).unwrap(), "A     revoked  bob");
    for room in 20..40 {
        let line = table.render(Some(room), true).lines().nth(1).unwrap().to_owned();
        assert_eq!(line.matches("\x1b[31m").count(), 1, "{room}");
        assert!(line.contains("\x1b[0m"), "{room}: {line:?}");
    }
}

#[test]
fn keeps_a_cell_on_one_line() {
    let mut table = Table::new(["NAME"]);
    table.row(["a\nb"]);
    assert_eq!(table.render(None, false), "NAME\na\\nb\n");
}
