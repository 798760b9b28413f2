//! Which events an endpoint hears: `noun.participle`, or `noun.*`.

/// Whether this names events at all.
pub fn is_one(pattern: &str) -> bool {
    let word = |w: &str| {
        !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    pattern.split_once('.').is_some_and(|(noun, rest)| word(noun) && (rest == "*" || word(rest)))
}

/// The noun whose events it names.
pub fn noun(pattern: &str) -> &str {
    pattern.split('.').next().unwrap_or_default()
}

pub fn hears(pattern: &str, event: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => event.starts_with(prefix),
        None => pattern == event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_an_event_or_all_of_a_noun() {
        for good in ["invoice.issued", "invoice.*", "patient_visit.checked_in"] {
            assert!(is_one(good), "{good}");
        }
        for bad in [
            "*",
            "invoice",
            "invoice.",
            ".issued",
            "*.issued",
            "invoice.iss*",
            "Invoice.issued",
            "a.b.c",
            "a.**",
        ] {
            assert!(!is_one(bad), "{bad}");
        }
    }

    #[test]
    fn a_noun_is_not_the_beginning_of_another() {
        assert!(hears("patient.*", "patient.registered") && hears("patient.merged", "patient.merged"));
        assert!(
            !hears("patient.*", "patient_visit.checked_in")
                && !hears("patient.merged", "patient.merged_back")
        );
    }
}
