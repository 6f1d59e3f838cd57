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

/// What the output is by definition: a mask wherever a pattern stands, found by trying all.
fn model(patterns: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut masked = 0;
    for at in 0..text.len() {
        let here = patterns.iter().filter(|pattern| text[at..].starts_with(pattern));
        if let Some(longest) = here.max_by_key(|pattern| pattern.len()) {
            if at > masked || (at == masked && (at == 0 || !continues(longest))) {
                output.extend(b"***");
            }
            masked = masked.max(at + longest.len());
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
    fn lets_no_pattern_through_whenever_it_is_flushed((patterns, text, lengths) in case()) {
        let redactor = compiled(&patterns);
        let (mut stream, mut output) = (redactor.stream(), Vec::new());
        for piece in pieces(&text, &lengths) {
            stream.push(piece, &mut output);
            if piece.len() % 2 == 0 {
                stream.finish(&mut output);
                prop_assert_eq!(stream.held_back(), 0);
            }
        }
        stream.finish(&mut output);
        for pattern in &patterns {
            prop_assert!(!output.windows(pattern.len()).any(|window| window == pattern));
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
fn masks_the_rest_of_what_was_flushed() {
    let redactor = Redactor::new([masked(b"lin_api_0123"), masked(b"api_01")]).unwrap();
    let (mut stream, mut output) = (redactor.stream(), Vec::new());
    let mut step = |text: &str, flush: bool, expected: &str| {
        output.clear();
        stream.push(text.as_bytes(), &mut output);
        if flush {
            stream.finish(&mut output);
        }
        assert_eq!(String::from_utf8(output.clone()).unwrap(), expected, "{text}");
    };
    step("key: lin_", false, "key: ");
    step("", true, "lin_");
    step("api_01", true, "***");
    step("2", true, "2");
    step("3.", true, "***.");
    step("lin_api_0", true, "lin_api_0");
    step("!", true, "!");
    step("lin_api_0123", true, "***");
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
