//! Bytes of an item, as DynamoDB counts them.
//! https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (2026-11)

use std::collections::HashMap;
use store::sdk::types::AttributeValue as Av;

pub type Item = HashMap<String, Av>;

/// Names and values in UTF-8.
pub fn item(item: &Item) -> u64 {
    item.iter().map(|(name, held)| name.len() as u64 + value(held)).sum()
}

fn value(value: &Av) -> u64 {
    match value {
        Av::S(text) => text.len() as u64,
        Av::N(digits) => number(digits),
        Av::B(bytes) => bytes.as_ref().len() as u64,
        Av::Ss(all) => all.iter().map(|text| text.len() as u64).sum(),
        Av::Ns(all) => all.iter().map(|digits| number(digits)).sum(),
        Av::Bs(all) => all.iter().map(|bytes| bytes.as_ref().len() as u64).sum(),
        // Three bytes of the list or map, one of each member.
        Av::L(all) => 3 + all.iter().map(|member| 1 + self::value(member)).sum::<u64>(),
        Av::M(all) => {
            3 + all.iter().map(|(name, member)| 1 + name.len() as u64 + self::value(member)).sum::<u64>()
        }
        // True, false and null.
        _ => 1,
    }
}

/// A byte for two significant digits, one more, and one for a minus.
fn number(text: &str) -> u64 {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    // Without a point, zeros at the end are trimmed all the same: 1000 is 1e3.
    let significant = digits.trim_start_matches('0').trim_end_matches('0').len() as u64;
    significant.div_ceil(2) + 1 + u64::from(text.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::sdk::primitives::Blob;

    fn held(v: Av) -> u64 {
        item(&Item::from([("ab".into(), v)])) - 2
    }

    #[test]
    fn each_type_counts_as_documented() {
        assert_eq!(held(Av::S("naïve".into())), 6, "UTF-8");
        assert_eq!(held(Av::B(Blob::new([0; 7]))), 7);
        assert_eq!(held(Av::Bool(true)), 1);
        assert_eq!(held(Av::L(vec![])), 3);
        assert_eq!(held(Av::L(vec![Av::S("abc".into()), Av::Null(true)])), 3 + 1 + 3 + 1 + 1);
        assert_eq!(held(Av::M([("k".into(), Av::S("v".into()))].into())), 3 + 1 + 1 + 1);
    }

    #[test]
    fn numbers_count_by_significant_digits() {
        for (text, bytes) in [
            ("0", 1),
            ("7", 2),
            ("27", 2),
            ("-27", 3),
            ("1000", 2),
            ("1795168800", 5),
            ("0.0050", 2),
            ("1e125", 2),
        ] {
            assert_eq!(held(Av::N(text.into())), bytes, "{text}");
        }
    }
}
