use proptest::prelude::*;

use super::*;

fn ghana() -> Country {
    "GH".parse().unwrap()
}

fn read(typed: &str, home: Country) -> Result<String, &'static str> {
    E164::parse(typed, home).map(|number| number.to_string()).map_err(PhoneError::code)
}

#[test]
fn every_spelling_of_a_nigerian_number_is_one_number() {
    for typed in [
        "08031234567",
        "0803 123 4567",
        " 0803-123-4567 ",
        "(0803) 123.4567",
        "+2348031234567",
        "+234 803 123 4567",
        "+234 (0) 803 123 4567",
        "002348031234567",
        "2348031234567",
        "0803\u{a0}123\u{2011}4567",
    ] {
        assert_eq!(read(typed, Country::NG), Ok("+2348031234567".into()), "{typed}");
    }
    for foreign in ["+2348031234567", "00234 0803 123 4567"] {
        assert_eq!(read(foreign, Country::GB), Ok("+2348031234567".into()), "{foreign}");
    }
}

#[test]
fn a_nigerian_number_has_eleven_digits_and_a_known_prefix() {
    for prefix in ["070", "071", "080", "081", "090", "091"] {
        assert!(read(&format!("{prefix}12345678"), Country::NG).is_ok(), "{prefix}");
    }
    for wrong in [
        "0803123456",
        "080312345678",
        "06031234567",
        "08231234567",
        "8031234567",
        "0",
        "+234803123456",
        "+23480312345678",
        "+2346031234567",
        "23480312345678",
        "555-708-3258",
    ] {
        assert_eq!(read(wrong, Country::NG), Err("phone-nigerian"), "{wrong}");
    }
}

#[test]
fn every_spelling_of_a_british_number_is_one_number() {
    for typed in ["07700 900123", "+44 7700 900123", "+44 (0)7700 900123", "0044 7700 900123", "447700900123"]
    {
        assert_eq!(read(typed, Country::GB), Ok("+447700900123".into()), "{typed}");
    }
    assert_eq!(read("020 7946 0958", Country::GB), Ok("+442079460958".into()));
    assert_eq!(read("016977 2345", Country::GB), Ok("+44169772345".into()), "nine digits after the zero");
    for wrong in [
        "04700900123",
        "06700900123",
        "0770090012345",
        "07700900",
        "7700900123",
        "+44 770090",
        "+4447700900123",
    ] {
        assert_eq!(read(wrong, Country::GB), Err("phone-british"), "{wrong}");
    }
}

#[test]
fn other_countries_need_their_country_code() {
    assert_eq!(read("+1 555-708-3258", Country::NG), Ok("+15557083258".into()));
    assert_eq!(read("00233 24 123 4567", ghana()), Ok("+233241234567".into()));
    for wrong in ["024 123 4567", "24 123 4567", "233241234567", "+0241234567", "000241234567", "+(0)1234567"]
    {
        assert_eq!(read(wrong, ghana()), Err("phone-country-code"), "{wrong}");
    }
}

#[test]
fn a_number_that_could_mean_two_countries_is_not_guessed() {
    assert_eq!(read("0091 98765 43210", Country::NG), Err("phone-country-code"));
    assert_eq!(read("0091 98765 43210", Country::GB), Ok("+919876543210".into()));
    assert_eq!(read("001 555 708 3258", Country::NG), Ok("+15557083258".into()));
}

#[test]
fn a_number_has_seven_to_fifteen_digits() {
    assert_eq!(read("+123456", ghana()), Err("phone-length"));
    assert_eq!(read("+1234567", ghana()), Ok("+1234567".into()));
    assert_eq!(read("+123456789012345", ghana()), Ok("+123456789012345".into()));
    assert_eq!(read("+1234567890123456", ghana()), Err("phone-length"));
    assert_eq!(read("", Country::NG), Err("phone-length"));
    assert_eq!(read(&"1".repeat(10_000_000), Country::NG), Err("phone-length"));
}

#[test]
fn a_home_number_without_plus_begins_with_the_home_code() {
    assert_eq!(
        read("1555708325800", Country::NG),
        Err("phone-nigerian"),
        "13 digits, as 234…, yet another country's"
    );
    assert_eq!(read("155570832580", Country::GB), Err("phone-british"), "12 digits, as 44…");
}

#[test]
fn forty_characters_are_looked_at() {
    let spaced = |spaces: usize| format!("0803{}1234567", " ".repeat(spaces));
    assert_eq!(read(&spaced(29), Country::NG), Ok("+2348031234567".into()));
    assert_eq!(read(&spaced(30), Country::NG), Err("phone-length"));
}

#[test]
fn the_schema_is_the_stored_form() {
    let schema = serde_json::to_value(schemars::schema_for!(Vec<E164>)).unwrap();
    assert_eq!(schema["items"]["pattern"], r"^\+[1-9][0-9]{6,14}$", "inline, without a reference");
}

#[test]
fn letters_and_control_characters_are_no_number() {
    for wrong in [
        "0803123456O",
        "+234+8031234567",
        "0803\u{0}1234567",
        "\u{202e}08031234567",
        "٠٨٠٣",
        "08031234567 x12",
        "tel:0803",
    ] {
        assert_eq!(read(wrong, Country::NG), Err("phone-characters"), "{wrong:?}");
    }
}

#[test]
fn json_carries_the_stored_form_only() {
    let number = E164::parse("0803 123 4567", Country::NG).unwrap();
    assert_eq!(serde_json::to_string(&number).unwrap(), r#""+2348031234567""#);
    assert_eq!(serde_json::from_str::<E164>(r#""+2348031234567""#).unwrap(), number);
    for (wrong, code) in [
        ("08031234567", "phone-country-code"),
        ("+0803123456", "phone-country-code"),
        ("+234 803", "phone-characters"),
        ("+123456", "phone-length"),
        ("+1234567890123456", "phone-length"),
        ("+", "phone-length"),
    ] {
        assert_eq!(E164::stored(wrong).unwrap_err().code(), code, "{wrong}");
        assert!(serde_json::from_str::<E164>(&format!("\"{wrong}\"")).is_err());
    }
}

#[test]
fn a_log_line_never_shows_the_whole_number() {
    let number = E164::parse("08031234567", Country::NG).unwrap();
    assert_eq!(format!("{number:?}"), "**********4567");
}

proptest! {
    #[test]
    fn what_is_read_reads_again_as_itself(typed in "[+0-9 ().-]{0,24}", home in 0usize..249) {
        let home = Country::all().nth(home).unwrap();
        if let Ok(number) = E164::parse(&typed, home) {
            prop_assert_eq!(E164::parse(number.as_str(), home), Ok(number.clone()));
            prop_assert_eq!(E164::stored(number.as_str()), Ok(number));
        }
    }

    #[test]
    fn separators_never_matter(digits in "[789][01][0-9]{8}", cut in 1usize..9) {
        let plain = E164::parse(&format!("0{digits}"), Country::NG).unwrap();
        let spaced = format!("+234 {}-{}", &digits[..cut], &digits[cut..]);
        prop_assert_eq!(E164::parse(&spaced, Country::GB), Ok(plain));
    }

    #[test]
    fn no_text_makes_the_reader_panic(typed in ".*") {
        let _ = E164::parse(&typed, Country::NG);
        let _ = E164::stored(&typed);
    }
}
