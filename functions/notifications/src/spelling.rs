//! The nearest valid word, for refusals.

/// `; nearest: total`, or nothing where none is near.
pub fn nearest(given: &str, known: &[&str]) -> String {
    near(given, known).map(|word| format!("; nearest: {word}")).unwrap_or_default()
}

pub fn near<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|word| (strsim::jaro_winkler(given, word), *word));
    scored.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named_and_nothing_where_none_is_near() {
        assert_eq!(near("totl", &["total", "currency"]), Some("total"));
        assert_eq!(nearest("xyzzy", &["total", "currency"]), "");
    }
}
