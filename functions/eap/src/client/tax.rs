//! Tax numbers, as far as their form is known.

/// What is wrong with a tax number in an organisation of this country (ISO 3166), if anything. What looks like
/// another country's is taken as it is.
pub fn fault(country: &str, typed: &str) -> Option<&'static str> {
    let value: String =
        typed.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect::<String>().to_uppercase();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match country {
        // The tax number of the Joint Tax Board has 10 digits, that of the Federal Inland Revenue Service 12 (8 and
        // the branch's 4), the one of the Nigeria Tax Administration Act 2025 has 13.
        "NG" if digits(&value) && !matches!(value.len(), 10 | 12 | 13) => {
            Some("a Nigerian tax number has 10, 12 (12345678-0001) or 13 digits")
        }
        "GB" => british(&value, digits),
        _ => None,
    }
}

/// Company numbers are 8 digits or two letters and 6; VAT numbers are GB and 9 or 12 digits whose check digits fit.
fn british(value: &str, digits: impl Fn(&str) -> bool) -> Option<&'static str> {
    let bare = value.strip_prefix("GB").filter(|rest| digits(rest) && matches!(rest.len(), 9 | 12));
    let vat = bare.or(Some(value).filter(|v| digits(v) && v.len() == 9));
    if let Some(vat) = vat {
        return (!vat_fits(vat)).then_some("the check digits of this VAT number do not fit");
    }
    let company = value.len() == 8
        && (digits(value)
            || (value.is_char_boundary(2)
                && digits(&value[2..])
                && value.bytes().take(2).all(|b| b.is_ascii_uppercase())));
    let domestic = value.starts_with("GB") || digits(value);
    (domestic && !company).then_some("a UK company number has 8 characters, a VAT number GB and 9 digits")
}

/// HMRC's two weightings, modulus 97 and the same less 55 (VAT notice V1-33).
fn vat_fits(digits: &str) -> bool {
    let d: Vec<u32> = digits.bytes().map(|b| u32::from(b - b'0')).collect();
    let sum: u32 = d.iter().take(7).zip([8, 7, 6, 5, 4, 3, 2]).map(|(a, b)| a * b).sum();
    let sum = sum + d[7] * 10 + d[8];
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn numbers_of_the_own_country_have_its_form_and_foreign_ones_are_free() {
        for good in ["1234567890", "12345678-0001", "1234567890123", "GB 123", "US-77"] {
            assert_eq!(fault("NG", good), None, "{good}");
        }
        assert!(fault("NG", "12345").is_some());
        for good in ["01234567", "SC123456", "GB980780684", "980780684", "FR 83 404833048"] {
            assert_eq!(fault("GB", good), None, "{good}");
        }
        for bad in ["GB980780685", "1234", "GB12"] {
            assert!(fault("GB", bad).is_some(), "{bad}");
        }
        assert_eq!(fault("ZZ", "anything"), None);
    }
}
