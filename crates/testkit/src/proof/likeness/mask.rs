//! Texts without what chance and the clock choose in them: ids, times, references, secrets, large numbers.

/// A text without what chance and the clock have put into it.
pub(crate) fn masked(text: &str) -> String {
    let (mut out, bytes, mut at) = (String::with_capacity(text.len()), text.as_bytes(), 0);
    while at < bytes.len() {
        if let Some(end) = time(bytes, at) {
            out.push('T');
            at = end;
            continue;
        }
        // An encoded `#` in a key.
        if text[at..].starts_with("%23") {
            out.push('#');
            at += 3;
            continue;
        }
        // A secret in Base64.
        if text[at..].starts_with("whsec_") {
            let secret = bytes[at..].iter().take_while(|b| b.is_ascii_graphic() && !b"\"',".contains(b));
            at += secret.count();
            out.push_str("whsec_*");
            continue;
        }
        let run =
            bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        if run == 0 {
            let next = text[at..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&text[at..at + next]);
            at += next;
            continue;
        }
        word(&text[at..at + run], &mut out);
        at += run;
    }
    out
}

/// Where an RFC 3339 time that begins here ends.
fn time(bytes: &[u8], at: usize) -> Option<usize> {
    let form = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(n, want): (usize, &u8)| match (bytes.get(at + n), want) {
        (Some(b), b'd') => b.is_ascii_digit(),
        (Some(b), want) => b == want,
        (None, _) => false,
    };
    form.iter().enumerate().all(fits).then_some(())?;
    let rest = bytes[at + form.len()..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let end = at + form.len() + rest;
    Some(end + usize::from(bytes.get(end) == Some(&b'Z')))
}

/// What is read out on the telephone, or written down: `Q5P7-R23J`, `7FAXY-ZXHJE`.
fn is_reference(run: &str) -> bool {
    let part = |word: &str| {
        (4..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    run.split_once('-')
        .is_some_and(|(a, b)| part(a) && part(b) && run.bytes().any(|b| b.is_ascii_uppercase()))
}

/// The series of a record's number: `PT` of `PT-2026-00017`.
fn series(run: &str) -> Option<&str> {
    let mut words = run.split('-');
    let (Some(series), Some(year), Some(number), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let capital = series.bytes().all(|b| b.is_ascii_uppercase()) && !series.is_empty();
    (capital && year.len() == 4 && digits(year) && digits(number)).then_some(series)
}

/// Letters, digits, `_` and `-`.
fn word(run: &str, out: &mut String) {
    let has = |of: fn(&u8) -> bool| run.bytes().any(|b| of(&b));
    let (digits, capitals) = (has(u8::is_ascii_digit), has(u8::is_ascii_uppercase));
    if run.len() >= 16 && digits && (capitals || run.bytes().all(|b| b.is_ascii_hexdigit()))
        || run.len() >= 20 && capitals
    {
        // `pat_` and a ULID.
        let is_id = run.len() == 30 && run.as_bytes()[3] == b'_';
        out.push_str(if is_id { &run[..3] } else { "" });
        out.push('*');
        return;
    }
    if is_reference(run) {
        out.push_str("*-*");
        return;
    }
    if let Some(series) = series(run) {
        out.push_str(series);
        out.push_str("-9");
        return;
    }
    for part in run.split_inclusive(['_', '-']) {
        let (bare, end) = match part.chars().last() {
            Some(c @ ('_' | '-')) => (&part[..part.len() - 1], Some(c)),
            _ => (part, None),
        };
        match bare {
            _ if bare.len() >= 3 && bare.bytes().all(|b| b.is_ascii_digit()) => out.push('9'),
            // Blind indexes in keys.
            _ if bare.len() >= 8 && bare.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) => {
                out.push('*')
            }
            _ => out.push_str(bare),
        }
        out.extend(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chance_chooses_is_masked_and_words_stay() {
        for (text, wanted) in [
            ("01M8KB8T6Q8FHRJEYWSS6XJS5P#pat#pat_01M8KB8T6Q8FHRJEYWSS6XJS5P", "*#pat#pat*"),
            ("2026-11-29T13:08:57.123Z#x", "T#x"),
            ("PT-2026-00017", "PT-9"),
            ("HOLD-2026-1 of 2026-11-29", "HOLD-9 of 9-11-29"),
            ("version 12 of in_review", "version 12 of in_review"),
            ("possible-duplicate-of-something-long", "possible-duplicate-of-something-long"),
            ("9f86d081884c7d659a2feaa0c55ad015", "*"),
            ("https://app.test/l/Zk3-xQ_9aBcDeFgHiJkLmN", "https://app.test/l/*"),
            ("Ọmọ 2", "Ọmọ 2"),
            ("x%23a%232026-11-23T08:00:05.041Z", "x#a#T"),
            ("whsec_Ab+/c==", "whsec_*"),
            ("reference Q5P7-R23J of 2026-1130", "reference *-* of 9-9"),
        ] {
            assert_eq!(masked(text), wanted, "{text}");
        }
    }
}
