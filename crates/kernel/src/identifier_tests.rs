use proptest::prelude::*;
use serde::Deserialize;

use super::*;

fn check(scheme: Scheme, typed: &str) -> Result<String, &'static str> {
    scheme.check(typed).map_err(IdentifierError::code)
}

#[test]
fn a_nin_has_eleven_digits_however_it_is_spaced() {
    assert_eq!(check(Scheme::Nin, "12345678901"), Ok("12345678901".into()));
    assert_eq!(check(Scheme::Nin, " 1234-567 8901 "), Ok("12345678901".into()));
    for wrong in ["1234567890", "123456789012", "1234567890A", "", "١٢٣٤٥٦٧٨٩٠١"] {
        assert_eq!(check(Scheme::Nin, wrong), Err("invalid-nin"), "{wrong}");
    }
}

#[test]
fn a_virtual_nin_is_recognised_under_any_name_and_never_kept() {
    for scheme in Scheme::ALL {
        for typed in ["AB123456789012CD", "ab 1234 5678 9012 cd"] {
            assert_eq!(check(*scheme, typed), Err("vnin-not-storable"), "{scheme}");
        }
    }
    assert_eq!(nhia_member_number("AB12345-6789012CD"), Err(IdentifierError::VirtualNin));
    for other in
        ["AB12345678901CD", "A1123456789012CD", "AB123456789012C1", "AB12345678901XCD", "AB1234567890123CD"]
    {
        assert!(!is_virtual_nin(other), "{other}");
        assert_eq!(check(Scheme::Passport, other), Ok(other.into()));
    }
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
    stems_with_no_valid_check_digit: Vec<String>,
}

#[derive(Deserialize)]
struct Vector {
    n: String,
    check_ok: bool,
}

#[test]
fn nhs_numbers_agree_with_the_published_vectors() {
    let known: Vectors = serde_json::from_str(include_str!("../data/nhs_number_vectors.json")).unwrap();
    assert_eq!(known.vectors.len(), 9);
    for vector in known.vectors {
        // The bare sum lets ten zeros pass; nobody has that number.
        let good = vector.check_ok && vector.n != "0000000000";
        assert_eq!(is_nhs_number(&vector.n), good, "{}", vector.n);
        assert_eq!(check(Scheme::Nhs, &vector.n).is_ok(), good, "{}", vector.n);
    }
    for stem in known.stems_with_no_valid_check_digit {
        for last in '0'..='9' {
            assert!(!is_nhs_number(&format!("{stem}{last}")), "{stem}{last}");
        }
    }
}

#[test]
fn an_nhs_number_is_shown_in_three_groups() {
    assert_eq!(check(Scheme::Nhs, "943 476 5919"), Ok("9434765919".into()));
    assert_eq!(show_nhs_number("9434765919"), "943 476 5919");
    assert_eq!(show_nhs_number("943"), "943");
    assert_eq!(show_nhs_number("9é"), "9é");
    for wrong in ["943476591", "94347659190", "943476591X", "0000000000", "9434765918"] {
        assert_eq!(check(Scheme::Nhs, wrong), Err("invalid-nhs-number"), "{wrong}");
    }
    assert_eq!(Scheme::Nhs.check("94347"), Err(IdentifierError::Nhs));
    assert_eq!(Scheme::Nhs.check("9434765918"), Err(IdentifierError::NhsCheckDigit));
}

#[test]
fn other_documents_are_letters_and_digits() {
    assert_eq!(check(Scheme::Passport, "a0123-4567/b"), Ok("A01234567B".into()));
    assert_eq!(check(Scheme::Other, "abc"), Ok("ABC".into()));
    assert_eq!(check(Scheme::Other, &"9".repeat(30)), Ok("9".repeat(30)));
    let endless = "9".repeat(10_000_000);
    for wrong in ["", "ab", "- /", "A_123", "A\u{202e}123", "ÀB123", &"9".repeat(31), &endless] {
        assert_eq!(check(Scheme::NationalId, wrong), Err("invalid-identifier"));
    }
    assert_eq!(check(Scheme::Nin, &endless), Err("invalid-nin"));
    assert_eq!(check(Scheme::Nhs, &endless), Err("invalid-nhs-number"));
}

#[test]
fn sixty_characters_are_looked_at() {
    let spaced = |spaces: usize| format!("123456{}78901", " ".repeat(spaces));
    assert_eq!(check(Scheme::Nin, &spaced(49)), Ok("12345678901".into()));
    assert_eq!(check(Scheme::Nin, &spaced(50)), Err("invalid-nin"));
}

#[test]
fn only_numbers_for_life_are_strong_and_only_documents_need_an_issuer() {
    let strong: Vec<_> = Scheme::ALL.iter().filter(|s| s.is_strong()).map(|s| s.as_str()).collect();
    assert_eq!(strong, ["nin", "nhs"]);
    let issued: Vec<_> = Scheme::ALL.iter().filter(|s| s.needs_issuer()).map(|s| s.as_str()).collect();
    assert_eq!(issued, ["passport", "drivers_licence", "voters_card", "national_id"]);
}

#[test]
fn a_member_number_keeps_its_hyphens_and_slashes() {
    assert_eq!(nhia_member_number(" nhia-0011223344 "), Ok("NHIA-0011223344".into()));
    assert_eq!(nhia_member_number("A/12"), Ok("A/12".into()));
    assert_eq!(nhia_member_number(&"A".repeat(25)), Ok("A".repeat(25)));
    for wrong in ["", "A12", "-A123", "/A123", "A 123", "A123_", "éA123", &"A".repeat(26)] {
        assert_eq!(nhia_member_number(wrong), Err(IdentifierError::Nhia), "{wrong}");
    }
    assert_eq!(comparable("NHIA-0011/22"), "NHIA001122");
}

#[test]
fn a_masked_number_shows_its_last_four() {
    assert_eq!(mask("12345678901"), "*******8901");
    assert_eq!(mask("12345678"), "****5678");
    assert_eq!(mask("1234567"), "*******");
    assert_eq!(mask(""), "");
}

proptest! {
    #[test]
    fn one_mistyped_digit_or_two_swapped_never_pass(stem in 100_000_000u32..1_000_000_000, at in 0usize..10, by in 1u8..10) {
        let nine: [u8; 9] = stem.to_string().bytes().map(|b| b - b'0').collect::<Vec<_>>().try_into().unwrap();
        let Some(last) = nhs_check_digit(&nine) else { return Ok(()) };
        let mut digits: Vec<u8> = nine.into_iter().chain([last]).collect();
        let text = |digits: &[u8]| digits.iter().map(|d| char::from(b'0' + d)).collect::<String>();
        prop_assert!(is_nhs_number(&text(&digits)));
        let next = (at + 1) % 10;
        if digits[at] != digits[next] && next > 0 {
            digits.swap(at, next);
            prop_assert!(!is_nhs_number(&text(&digits)));
            digits.swap(at, next);
        }
        digits[at] = (digits[at] + by) % 10;
        prop_assert!(!is_nhs_number(&text(&digits)));
    }

    #[test]
    fn a_mask_never_shows_more_than_four_characters(value in "\\PC{0,40}") {
        let masked = mask(&value);
        prop_assert_eq!(masked.chars().count(), value.chars().count());
        prop_assert!(masked.chars().filter(|c| *c != '*').count() <= 4);
    }

    #[test]
    fn what_was_checked_checks_again_as_itself(typed in "[A-Za-z0-9 /-]{0,40}") {
        for scheme in Scheme::ALL {
            if let Ok(value) = scheme.check(&typed) {
                prop_assert_eq!(scheme.check(&value), Ok(value));
            }
        }
    }
}
