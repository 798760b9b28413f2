//! How many parts an SMS takes: 160 characters of the GSM alphabet (153 each where there are several), 70 (67) as
//! soon as one character is outside of it.

/// GSM 03.38, basic set.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those of its extension take two places.
const EXTENDED: &str = "^{}\\[~]|€";

pub fn segments(text: &str) -> u32 {
    let places = |c: char| match c {
        c if BASIC.contains(c) => Some(1),
        c if EXTENDED.contains(c) => Some(2),
        _ => None,
    };
    let gsm: Option<u32> = text.chars().map(places).sum();
    let (length, alone, each) = match gsm {
        Some(length) => (length, 160, 153),
        None => (u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX), 70, 67),
    };
    if length <= alone { 1 } else { length.div_ceil(each) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_networks_count_them() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"a".repeat(306)), 2);
        assert_eq!(segments(&"a".repeat(307)), 3);
        assert_eq!(segments(&"€".repeat(80)), 1);
        assert_eq!(segments(&"€".repeat(81)), 2);
    }

    #[test]
    fn one_letter_of_yoruba_or_hausa_makes_it_unicode() {
        assert_eq!(segments(&"ẹ".repeat(70)), 1);
        assert_eq!(segments(&"ɗ".repeat(71)), 2);
        assert_eq!(segments(&format!("{}ɗ", "a".repeat(134))), 3);
    }
}
