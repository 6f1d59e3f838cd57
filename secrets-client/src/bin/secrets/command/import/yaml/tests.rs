use super::*;

fn read(document: &str) -> Vec<(usize, String, String, Kind)> {
    let members = parse(document.as_bytes()).unwrap_or_else(|error| panic!("{document:?}: {error}"));
    members.into_iter().map(|m| (m.line, m.name, m.value.to_string(), m.kind)).collect()
}

#[track_caller]
fn reads(document: &str, value: &str) {
    assert_eq!(read(document), [(1, "A".to_owned(), value.to_owned(), Kind::Text)], "{document:?}");
}

#[test]
fn reads_one_value() {
    for (document, value) in [
        ("A: b", "b"),
        ("A: b\n", "b"),
        ("\u{feff}A: b\r\n", "b"),
        ("A:   b c  ", "b c"),
        ("A: b # comment", "b"),
        ("A: b#c", "b#c"),
        ("A : b", "b"),
        ("'A': b", "b"),
        ("\"\\x41\": b", "b"),
        ("A: postgres://u:p@db:5432/x?y=[1]&z={2}", "postgres://u:p@db:5432/x?y=[1]&z={2}"),
        ("A: -b", "-b"),
        ("A: ?b", "?b"),
        ("A: :b", ":b"),
        ("A: it's \"b\"", "it's \"b\""),
        ("A: ключ 🔑", "ключ 🔑"),
        ("A: 1.2.3", "1.2.3"),
        ("A: 10.0.0.1", "10.0.0.1"),
        ("A: 5432:5432", "5432:5432"),
        ("A: 123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("A: yEs", "yEs"),
        ("A: 0xZZ", "0xZZ"),
        ("A: 2026-1", "2026-1"),
        ("A: ''", ""),
        ("A: 'it''s # b: c' # comment", "it's # b: c"),
        ("A: '5432'", "5432"),
        ("A: \"\"", ""),
        (
            "A: \"a\\n\\r\\t\\\"\\\\\\/\\e\\x41\\u00e9\\U0001F511\\N\\_\\L\\P\\0\"",
            "a\n\r\t\"\\/\u{1b}Aé🔑\u{85}\u{a0}\u{2028}\u{2029}\0",
        ),
        ("A: \"tab\there\"", "tab\there"),
    ] {
        reads(document, value);
    }
}

#[test]
fn reads_blocks() {
    for (document, value) in [
        ("A: |\n  one\n  two\n", "one\ntwo\n"),
        ("A: |\n  one", "one"),
        ("A: |+\n  one", "one"),
        ("A: |-\n  one", "one"),
        ("A: >\n  one\n  two", "one two"),
        ("A: |\n  one\r", "one\n"),
        ("A: |\n  one\n ", "one\n"),
        ("A: |+\n  one\n\n ", "one\n\n"),
        ("A: |\n  one\n# comment", "one\n"),
        ("A: |+", ""),
        ("A: |-\n  one\n\n  two\n\n", "one\n\ntwo"),
        ("A: |+\n  one\n\n\n", "one\n\n\n"),
        ("A: | # comment\n\n  one\n   two\n", "\none\n two\n"),
        ("A: |1\n   one\n", "  one\n"),
        ("A: |-2\n   one\n", " one"),
        ("A: |\r\n  one\r\n  two\r\n", "one\ntwo\n"),
        ("A: |\n  a: b # no comment\n  - '\"\n\n# comment\n", "a: b # no comment\n- '\"\n"),
        ("A: |\n  \tone\n", "\tone\n"),
        ("A: |\n", ""),
        ("A: >\n  one\n  two\n\n  three\n\n\n  four\n", "one two\nthree\n\nfour\n"),
        ("A: >-\n  one\n    two\n  three\n", "one\n  two\nthree"),
        ("A: >\n\n  one\n\n   two\n\n  three\n", "\none\n\n two\n\nthree\n"),
    ] {
        reads(document, value);
    }
}

#[test]
fn tells_apart_what_one_of_the_versions_takes_for_no_text() {
    use Kind::*;
    for (kind, values) in [
        (Nothing, &["", "~", "null", "Null", "NULL", "# comment"][..]),
        (Boolean, &["true", "True", "FALSE", "yes", "NO", "On", "off", "y", "N"]),
        (
            Number,
            &[
                "0",
                "-1",
                "+1",
                "5432",
                "0123",
                "0o17",
                "0b101",
                "0xFF",
                "1_000",
                "1.5",
                ".5",
                "-.5",
                "1.",
                "1e5",
                "1.5E-3",
                ".inf",
                "-.INF",
                ".nan",
                "1:30",
                "1:30:59.5",
            ],
        ),
        (Date, &["2026-01-31", "2026-1-3", "2026-01-31T10:00:00Z", "2026-01-31 10:00:00"]),
    ] {
        for value in values {
            let spelled = if kind == Nothing && (value.is_empty() || value.starts_with('#')) { "" } else { value };
            assert_eq!(read(&format!("A: {value}\n")), [(1, "A".to_owned(), spelled.to_owned(), kind)], "{value}");
        }
    }
}

#[test]
fn counts_lines_across_comments_and_blocks() {
    let document = "# first\n---\n\nA: |\n  x\n\n  y\n  # c\nB: 1\n \n  # c\n\"C\": 'z'\n...\n# end\n";
    let lines: Vec<_> = read(document).into_iter().map(|(line, name, ..)| (line, name)).collect();
    assert_eq!(lines, [(4, "A".to_owned()), (9, "B".to_owned()), (12, "C".to_owned())]);
    for document in ["", "\n", "# nothing\n", "---\n", "---\n...\n"] {
        assert_eq!(read(document), [], "{document:?}");
    }
}

#[test]
fn refuses_the_rest_by_its_line() {
    use Problem::*;
    for (document, line, problem) in [
        (&b"A: 1\nB: &x 2\n"[..], 2, Anchor),
        (b"A: *x\n", 1, Anchor),
        (b"&x A: 1\n", 1, Anchor),
        (b"A: !!binary aGVsbG8=\n", 1, Tag),
        (b"A: !env B\n", 1, Tag),
        (b"!!map\nA: 1\n", 1, Tag),
        (b"A:\n  B: 1\n", 1, Nested),
        (b"A:\n- 1\n", 1, Nested),
        (b"A:\n  text below\n", 1, Nested),
        (b"A: [1, 2]\n", 1, Nested),
        (b"A: {b: 1}\n", 1, Nested),
        (b"- A\n", 1, Nested),
        (b"{A: 1}\n", 1, Nested),
        (b"A: - b\n", 1, Plain),
        (b"A: b: c\n", 1, Plain),
        (b"A: b:\n", 1, Plain),
        (b"A: @b\n", 1, Plain),
        (b"A: `b`\n", 1, Plain),
        (b"A: %b\n", 1, Plain),
        (b"A: ? b\n", 1, Plain),
        (b"A: one\n  two\n", 2, Indented),
        (b" A: 1\n", 1, Indented),
        (b"A: |\n    one\n  two\n", 3, Indented),
        (b"A: 'one\n  two'\n", 1, OpenQuote),
        (b"A: \"one\n", 1, OpenQuote),
        (b"A: \"\\", 1, OpenQuote),
        (b"A: \"\\q\"\n", 1, Escape),
        (b"A: \"\\ud83d\\udd11\"\n", 1, Escape),
        (b"A: \"\\x4\"\n", 1, Escape),
        (b"A: 'b' c\n", 1, Behind),
        (b"A: 'b'# c\n", 1, Behind),
        (b"A: |x\n  b\n", 1, Block),
        (b"A: |0\n  b\n", 1, Block),
        (b"A: |--\n  b\n", 1, Block),
        (b"A: ||\n  b\n", 1, Block),
        (b"A: | text\n", 1, Block),
        (b"A: |\n   \n  b\n", 1, Block),
        (b"A\n", 1, NoMember),
        (b"A:b\n", 1, NoMember),
        (b"A b: c\n", 1, NoMember),
        (b": b\n", 1, NoMember),
        (b"'': b\n", 1, NoMember),
        (b"? A\n: b\n", 1, NoMember),
        (b"<<: b\n", 1, NoMember),
        (b"A: 1\nB: 2\n'A': 3\n", 3, Repeated),
        (b"A:\tb\n", 1, Tab),
        (b"A: b\tc\n", 1, Tab),
        (b"\tA: b\n", 1, Tab),
        (b"A: 1\n---\nB: 2\n", 2, Document),
        (b"--- A: 1\n", 1, Document),
        (b"A: 1\n...\nB: 2\n", 3, Document),
        (b"...\n", 1, Document),
        (b"%YAML 1.2\n---\nA: 1\n", 1, Document),
        (b"A: 1\rB: 2\n", 1, CarriageReturn),
        (b"A: 1\nB: \x07\n", 2, Character),
        ("A: a\u{2028}b\n".as_bytes(), 1, Character),
        ("A: a\u{85}b\n".as_bytes(), 1, Character),
        (b"A: 1\nB: \xff\n", 2, NotUtf8),
    ] {
        let error = parse(document).err().unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(document)));
        assert_eq!(error, YamlError { line, problem }, "{:?}", String::from_utf8_lossy(document));
    }
}

#[test]
fn reads_any_document_without_panic_and_within_its_lines() {
    const PIECES: &[&str] = &[
        "A", "B", ": ", ":", " ", "  ", "\n", "\r\n", "'", "''", "\"", "\\", "\\n", "\\x4", "|", ">", "|-", ">+", "2",
        "#", " #", "- ", "-", "---", "...", "&", "*", "!", "{", "[", "é", "\u{2028}", "\t", "%", "?", "~", "1.5",
    ];
    bolero::check!().with_test_time(std::time::Duration::from_millis(500)).with_type::<Vec<u8>>().for_each(|picks| {
        let document: String =
            picks.iter().filter_map(|pick| PIECES.get(usize::from(*pick) % PIECES.len())).copied().collect();
        let lines = 1 + document.matches('\n').count();
        for document in [document.as_bytes(), picks] {
            match parse(document) {
                Ok(members) => {
                    assert!(members.is_sorted_by(|a, b| a.line < b.line));
                    assert!(members.iter().all(|member| member.value.len() <= 4 * document.len()));
                }
                Err(error) => assert!(error.line >= 1 && (error.line <= lines || document == picks.as_slice())),
            }
        }
    });
}
