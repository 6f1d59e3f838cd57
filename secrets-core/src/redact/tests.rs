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
    assert_eq!(stream.held(), 0);
    assert_eq!(output, b"key=***, lin_api_012 is none\n");
}

/// What the output is by definition: a mask wherever a pattern stands, found by trying all.
fn model(patterns: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut masked = 0;
    for at in 0..text.len() {
        let longest = patterns.iter().filter(|pattern| text[at..].starts_with(pattern)).map(Vec::len).max();
        if let Some(length) = longest {
            if at >= masked {
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

fn compiled(patterns: &[Vec<u8>]) -> Redactor {
    let mut builder = Builder::new(1 << 20);
    for pattern in patterns {
        builder.add(pattern, false).unwrap();
    }
    Redactor::compile(builder, Vec::new()).unwrap()
}

fn few_letters(lengths: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"ab"[..]), lengths)
}

/// Text in which patterns, their beginnings and their ends are frequent.
fn case() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>, Vec<usize>)> {
    let lengths = prop_oneof![6..9usize, 6..24usize];
    let patterns = lengths.prop_flat_map(|most| prop::collection::vec(few_letters(6..most.max(7)), 1..8));
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
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn masks_what_the_model_masks_however_the_text_comes((patterns, text, lengths) in case()) {
        let redactor = compiled(&patterns);
        let expected = model(&patterns, &text);
        prop_assert_eq!(redactor.redact(&text).escape_ascii().to_string(), expected.escape_ascii().to_string());
        let (mut stream, mut output, mut seen) = (redactor.stream(), Vec::new(), 0);
        for piece in pieces(&text, &lengths) {
            stream.push(piece, &mut output);
            seen += piece.len();
            prop_assert!(stream.held() <= live(&patterns, &text[..seen]));
        }
        stream.finish(&mut output);
        prop_assert_eq!(stream.held(), 0);
        prop_assert_eq!(output.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn lets_no_pattern_through_whenever_it_is_flushed((patterns, text, lengths) in case()) {
        let redactor = compiled(&patterns);
        let (mut stream, mut output) = (redactor.stream(), Vec::new());
        for piece in pieces(&text, &lengths) {
            stream.push(piece, &mut output);
            if piece.len() % 2 == 0 {
                stream.finish(&mut output);
                prop_assert_eq!(stream.held(), 0);
            }
        }
        stream.finish(&mut output);
        for pattern in &patterns {
            prop_assert!(!output.windows(pattern.len()).any(|window| window == pattern));
        }
    }
}
