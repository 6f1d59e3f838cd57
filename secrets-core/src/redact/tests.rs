use proptest::prelude::*;

use super::patterns::Builder;
use super::*;

fn masked(value: &[u8]) -> Masked<'_> {
    Masked { name: "A", value, redaction: Redaction::Default }
}

#[test]
fn masks_a_value_across_pieces() {
    let redactor = Redactor::new([masked(b"lin_api_0123")]).unwrap();
    let (mut stream, mut output) = (redactor.stream(), Vec::new());
    for piece in b"key=lin_api_0123, lin_api_012 is none\n".chunks(1) {
        stream.push(piece, &mut output);
    }
    assert_eq!(stream.held_back(), 0);
    assert_eq!(output, b"key=***, lin_api_012 is none\n");
}

/// Whether a pattern of the properties goes on where another ended; any rule does that both sides know.
fn continues(pattern: &[u8]) -> bool {
    pattern.len().is_multiple_of(2)
}

/// What the output is by definition: a mask wherever a pattern stands, found by trying all, and from the place on at which
/// the text ends with what tells of one.
fn model(patterns: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut masked = 0;
    let telling = telling(patterns, text);
    for at in 0..text.len() {
        let here = patterns.iter().filter(|pattern| text[at..].starts_with(pattern));
        let longest = here.max_by_key(|pattern| pattern.len()).map(|pattern| (pattern.len(), continues(pattern)));
        let longest = if at == telling { Some((text.len() - at, true)) } else { longest };
        if let Some((length, continues)) = longest {
            if at > masked || (at == masked && (at == 0 || !continues)) {
                output.extend(b"***");
            }
            masked = masked.max(at + length);
        }
        if at >= masked {
            output.push(text[at]);
        }
    }
    output
}

fn live(patterns: &[Vec<u8>], text: &[u8]) -> usize {
    (0..text.len())
        .find(|&at| patterns.iter().any(|pattern| pattern.len() > text.len() - at && pattern.starts_with(&text[at..])))
        .map_or(0, |at| text.len() - at)
}

/// Whether so much of a pattern of the properties must not be shown.
fn tells(beginning: &[u8]) -> bool {
    beginning.len() >= 6 && beginning.iter().any(|byte| *byte != beginning[0])
}

/// The first place from which on the text is a beginning that tells of a pattern; its end if there is none.
fn telling(patterns: &[Vec<u8>], text: &[u8]) -> usize {
    let is_begun = |rest: &[u8]| patterns.iter().any(|pattern| pattern.len() > rest.len() && pattern.starts_with(rest));
    (0..text.len()).find(|&at| tells(&text[at..]) && is_begun(&text[at..])).unwrap_or(text.len())
}

fn compiled(patterns: &[Vec<u8>]) -> Redactor {
    let mut builder = Builder::new(1 << 20);
    for pattern in patterns {
        builder.add(pattern, continues(pattern)).unwrap();
    }
    Redactor::compile(builder, Vec::new()).unwrap()
}

fn few_letters(lengths: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"ab"[..]), lengths)
}

/// Text in which patterns, their beginnings and their ends are frequent.
fn case() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>, Vec<usize>)> {
    let lengths = prop_oneof![Just(6..8), Just(6..24), Just(10..14), Just(15..40)];
    let patterns = lengths.prop_flat_map(|lengths| prop::collection::vec(few_letters(lengths), 1..20));
    patterns.prop_flat_map(|patterns| {
        let piece = (0..patterns.len(), any::<[prop::sample::Index; 2]>());
        let sample = patterns.clone();
        let from_pattern = piece.prop_map(move |(index, cuts)| {
            let pattern = &sample[index];
            let [a, b] = cuts.map(|cut| cut.index(pattern.len() + 1));
            pattern[a.min(b)..a.max(b)].to_vec()
        });
        let whole = prop::sample::select(patterns.clone());
        let text =
            prop::collection::vec(prop_oneof![from_pattern, whole, few_letters(0..4), Just(b"-".to_vec())], 0..12);
        (Just(patterns), text.prop_map(|pieces| pieces.concat()), prop::collection::vec(0..12usize, 1..20))
    })
}

fn pieces<'a>(text: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = text;
    let mut pieces = Vec::new();
    for &length in lengths {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn masks_what_the_model_masks_however_the_text_comes((patterns, text, lengths) in case()) {
        let redactor = compiled(&patterns);
        let expected = model(&patterns, &text);
        prop_assert_eq!(redactor.redact(&text).escape_ascii().to_string(), expected.escape_ascii().to_string());
        let (mut stream, mut output, mut seen) = (redactor.stream(), Vec::new(), 0);
        for piece in pieces(&text, &lengths) {
            stream.push(piece, &mut output);
            seen += piece.len();
            prop_assert!(stream.held_back() <= live(&patterns, &text[..seen]));
        }
        stream.finish(&mut output);
        prop_assert_eq!(stream.held_back(), 0);
        prop_assert_eq!(output.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    /// Whatever stands in their place, it completes none of them.
    #[test]
    fn lets_no_pattern_through_that_has_asterisks(
        values in prop::collection::vec("[ab*]{6,12}", 1..4),
        words in prop::collection::vec("[ab*]{0,5}", 0..20),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let text: String = words.iter().zip(&picks).flat_map(|(word, pick)| [word, pick.get(&values)]).map(String::as_str).collect();
        let redactor = Redactor::new(values.iter().map(|value| masked(value.as_bytes()))).unwrap();
        let output = String::from_utf8(redactor.redact(text.as_bytes())).unwrap();
        for value in &values {
            prop_assert!(!output.contains(value.as_str()), "{value} in {output}");
        }
    }

    #[test]
    fn lets_no_pattern_through_whenever_it_pauses((patterns, text, lengths) in case()) {
        let redactor = compiled(&patterns);
        let (mut stream, mut output, mut seen) = (redactor.stream(), Vec::new(), 0);
        for piece in pieces(&text, &lengths) {
            stream.push(piece, &mut output);
            seen += piece.len();
            let held_back = match piece.len() % 3 {
                0 => {
                    stream.finish(&mut output);
                    0
                }
                1 => {
                    stream.pause(&mut output);
                    seen - telling(&patterns, &text[..seen])
                }
                _ => continue,
            };
            prop_assert!(stream.held_back() <= held_back);
            // Where nothing is held back, what is shown last tells of no pattern.
            let shows = |pattern: &Vec<u8>| {
                (6..pattern.len()).any(|length| tells(&pattern[..length]) && output.ends_with(&pattern[..length]))
            };
            prop_assert!(stream.held_back() > 0 || !patterns.iter().any(shows));
        }
        stream.finish(&mut output);
        for pattern in &patterns {
            prop_assert!(!output.windows(pattern.len()).any(|window| window == pattern));
        }
    }

    /// A program writes what its buffer holds, and the rest much later.
    #[test]
    fn shows_no_more_than_5_bytes_of_a_value_that_comes_slowly((patterns, text, lengths) in case()) {
        let redactor = compiled(&patterns);
        for pattern in &patterns {
            let (mut stream, mut output) = (redactor.stream(), Vec::new());
            for piece in pieces(&[&text[..], b"-", pattern].concat(), &lengths) {
                stream.push(piece, &mut output);
                stream.pause(&mut output);
            }
            let behind = output.iter().rposition(|&byte| byte == b'-').unwrap();
            let shown = output[behind + 1..].split(|&byte| byte == b'*').map(<[u8]>::len).max();
            let same = pattern.iter().take_while(|byte| **byte == pattern[0]).count();
            prop_assert!(shown.unwrap() <= same.max(5), "{}", output.escape_ascii());
        }
    }
}

#[test]
fn masks_what_overlaps_as_one_and_what_touches_as_two() {
    let redactor = Redactor::new([masked(b"abcdefgh"), masked(b"efghijkl"), masked(b"cdefgh")]).unwrap();
    for (text, output) in [
        ("abcdefghijkl.", "***."),
        ("cdefghijkl.", "***."),
        (".efghijk.", ".efghijk."),
        ("abcdefghefghijkl.", "******."),
        ("abcdefgefghijkl.", "abcdefg***."),
    ] {
        assert_eq!(String::from_utf8(redactor.redact(text.as_bytes())).unwrap(), output, "{text}");
    }
}

#[test]
fn tells_what_it_leaves_unmasked() {
    let secrets = [
        Masked { name: "WORD", value: b"production", redaction: Redaction::Off },
        Masked { name: "PIN", value: b"12345", redaction: Redaction::Default },
        Masked { name: "LOGIN", value: b"bob\nhunter22!", redaction: Redaction::Default },
        Masked { name: "TOKEN", value: b"lin_api_0123", redaction: Redaction::Default },
    ];
    let redactor = Redactor::new(secrets).unwrap();
    let unmasked: Vec<_> =
        redactor.unmasked().iter().map(|unmasked| (unmasked.name.as_str(), unmasked.reason)).collect();
    use UnmaskedReason::*;
    assert_eq!(unmasked, [("WORD", Off), ("PIN", TooShort), ("LOGIN", ShortLines)]);
    assert_eq!(redactor.redact(b"production 12345 bob hunter22! lin_api_0123"), b"production 12345 bob *** ***");
    assert!(Redactor::new(secrets.into_iter().take(2)).unwrap().is_empty());
    assert!(!redactor.is_empty());
}

#[test]
fn shows_at_a_pause_what_may_be_a_prompt_and_masks_the_rest_of_it() {
    let redactor = Redactor::new([masked(b"lin_api_0123"), masked(b"api_01"), masked(b"https://bob:pw@db")]).unwrap();
    let (mut stream, mut output) = (redactor.stream(), Vec::new());
    let mut step = |text: &str, expected: &str| {
        output.clear();
        stream.push(text.as_bytes(), &mut output);
        stream.pause(&mut output);
        assert_eq!(String::from_utf8(output.clone()).unwrap(), expected, "{text}");
    };
    step("key: lin_", "key: lin_");
    step("api_01", "");
    step("2", "");
    step("3.", "***.");
    step("lin_api_0", "");
    step("!", "lin_api_0!");
    step("lin_api_0123", "***");
    step("api_01", "***");
    step(" https://", " https://");
    step("bob", "");
    step(":pw@db", "***");
}

/// What is masked already is shown as such, however much more may follow.
#[test]
fn masks_at_a_pause_a_value_that_may_become_a_longer_one() {
    let redactor = Redactor::new([masked(b"hunter22"), masked(b"hunter22 and more")]).unwrap();
    let (mut stream, mut output) = (redactor.stream(), Vec::new());
    for (text, expected) in
        [("is it hunter22", "is it ***"), (" and", ""), ("?", " and?"), ("hunter22 and more", "***")]
    {
        output.clear();
        stream.push(text.as_bytes(), &mut output);
        stream.pause(&mut output);
        assert_eq!(String::from_utf8(output.clone()).unwrap(), expected, "{text}");
    }
}

#[test]
fn masks_at_the_end_what_tells_of_a_value() {
    let redactor = Redactor::new([masked(b"lin_api_0123"), masked(b"api_01"), masked(b"https://bob:pw@db")]).unwrap();
    for (text, expected) in [
        ("key: lin_a", "key: lin_a"),
        ("key: lin_ap", "key: ***"),
        ("key: lin_api_012", "key: ***"),
        ("key: lin_api_012\n", "key: lin_***2\n"),
        ("lin_api_0123lin_api", "***"),
        ("see https://", "see https://"),
        ("see https://b", "see ***"),
        ("bGluX2FwaV", "***"),
    ] {
        assert_eq!(String::from_utf8(redactor.redact(text.as_bytes())).unwrap(), expected, "{text}");
    }
    let (mut stream, mut output) = (redactor.stream(), Vec::new());
    stream.push(b"lin_api_", &mut output);
    stream.finish(&mut output);
    stream.push(b"0123.", &mut output);
    assert_eq!(String::from_utf8(output).unwrap(), "***.");
}

#[test]
fn masks_the_strings_of_json() {
    let key = r#"{"type":"service_account","private_key":"-----BEGIN KEY-----\nMC4CAQAw\n-----END KEY-----\n","pin":"1234","path":"a\/bcdef"}"#;
    let redactor = Redactor::new([masked(key.as_bytes())]).unwrap();
    for (text, expected) in [
        ("<-----BEGIN KEY-----\nMC4CAQAw\n-----END KEY-----\n>", "<***\n>"),
        (r#"{"it":"-----BEGIN KEY-----\nMC4CAQAw\n-----END KEY-----\n"}"#, r#"{"it":"***\n"}"#),
        ("MC4CAQAw", "***"),
        ("a/bcdef", "***"),
        ("the type is service_account, not 1234", "the type is service_account, not 1234"),
    ] {
        assert_eq!(String::from_utf8(redactor.redact(text.as_bytes())).unwrap(), expected, "{text}");
    }
}

/// Strings within values are left out before values are.
#[test]
fn looks_for_so_much_of_json_and_not_more() {
    let string = |number: usize| format!("key-{number:04}-{}", "0123456789".repeat(25));
    let value = |first: usize| {
        let strings: Vec<String> = (first..first + 250).map(|number| format!("\"{}\"", string(number))).collect();
        format!("[{}]", strings.join(","))
    };
    let values: Vec<String> = (0..5).map(|index| value(250 * index)).collect();
    let redactor = Redactor::new(values.iter().map(|value| masked(value.as_bytes()))).unwrap();
    assert_eq!(redactor.redact(string(0).as_bytes()), b"***");
    let last = format!("{}.", string(1249));
    assert_eq!(String::from_utf8(redactor.redact(last.as_bytes())).unwrap(), last);
    assert_eq!(redactor.redact(values[4].as_bytes()), b"***");
}

/// A key of several KiB, as it stands and with another part of it gone.
#[test]
fn masks_a_long_value_as_one_and_its_parts_too() {
    let value: Vec<u8> =
        (0u32..3000).flat_map(|index| (index.wrapping_mul(2_654_435_761) >> 16).to_be_bytes()).collect();
    let redactor = Redactor::new([masked(&value)]).unwrap();
    for size in [1, 100, 4096, value.len()] {
        let (mut stream, mut output) = (redactor.stream(), b"<".to_vec());
        for piece in value.chunks(size) {
            stream.push(piece, &mut output);
            assert!(stream.held_back() < 2 * 512);
        }
        stream.finish(&mut output);
        assert_eq!(output, b"<***", "{size}");
    }
    let most = redactor.redact(&value[..11_000]);
    assert!(most.starts_with(b"***") && most.len() < 600);
}

#[test]
fn never_shows_values_in_debug_output() {
    let secret = masked(b"lin_api_0123");
    let redactor = Redactor::new([secret]).unwrap();
    let mut stream = redactor.stream();
    stream.push(b"lin_api", &mut Vec::new());
    let shown = format!("{secret:?} {redactor:?} {stream:?}");
    assert!(!shown.contains("lin") && !shown.contains(&format!("{:?}", &secret.value[..3])[1..8]), "{shown}");
}

#[test]
fn refuses_what_takes_too_much_memory() {
    let mut builder = Builder::new(10);
    assert_eq!(builder.add(b"abcdef", false), Ok(()));
    assert_eq!(builder.add(b"ghijk", false), Err(RedactorError::TooLarge { limit: 10 }));
}

/// Text that is the beginning of a value again and again would be compared with it at every byte.
#[test]
fn stays_quick_where_text_repeats_itself() {
    let values = [vec![b'a'; 40], [vec![0; 60_000], b"end of zeros".to_vec()].concat()];
    let redactor = Redactor::new(values.iter().map(|value| masked(value))).unwrap();
    assert_eq!(redactor.redact(&vec![b'a'; 1 << 20]), b"***");
    assert_eq!(redactor.redact(&vec![0; 1 << 20]), vec![0; 1 << 20]);
}
