//! Fuzz targets of what the client reads: three seconds each in a test run. `BOLERO_RANDOM_TEST_TIME_MS` makes it longer, and
//! `cargo bolero test NAME` runs one under a fuzzer that follows the code's branches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use bolero::generator::{ValueGenerator, produce_with};
use secrets_client::Repository;

const TEST_TIME: Duration = Duration::from_secs(3);

#[test]
fn secrets_toml() {
    const VALUE: &str = "\"hunter2 value\"";
    const PIECES: &[&str] = &[
        "organization",
        "project",
        "workspace",
        " = ",
        "\"acme\"",
        "\n",
        "[secrets.",
        "[secrets.NAME]\n",
        "NAME",
        "]",
        "description",
        "required",
        "= \"hunter2 value\"\n",
        "true",
        "\"",
        "\"\"\"",
        "'",
        "#",
        ".",
        "{",
        "}",
        "[[",
        "1",
        "1979-05-27",
        "\0",
        "é",
        "\u{feff}",
    ];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(Repository::FILE);
    let documents = produce_with::<Vec<u8>>().len(0_usize..24).map_gen(|choices: Vec<u8>| {
        choices.iter().map(|choice| PIECES[usize::from(*choice) % PIECES.len()]).collect::<String>()
    });
    bolero::check!().with_test_time(TEST_TIME).with_generator(documents).for_each(|document: &String| {
        std::fs::write(&path, document).unwrap();
        match Repository::find(directory.path()) {
            Ok(found) => assert_eq!(found.unwrap().0, path),
            Err(error) => {
                let message = error.to_string();
                assert!(message.len() <= 4_096 && !message.contains(VALUE.trim_matches('"')), "{message}\n{document}");
            }
        }
    });
}
