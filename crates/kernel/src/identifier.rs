//! Identity numbers of people: which are well formed, which may be kept, how they are compared and
//! shown. Formats as collected in November 2026; the NHS check is `data/nhs_number_vectors.json`.
use crate::Fault;

crate::words! {
    /// The scheme or document that a number belongs to.
    pub enum Scheme {
        /// National Identification Number of Nigeria.
        Nin = "nin",
        /// NHS number of England, Wales and the Isle of Man.
        Nhs = "nhs",
        Passport = "passport",
        DriversLicence = "drivers_licence",
        VotersCard = "voters_card",
        /// An identity card or register of any other state.
        NationalId = "national_id",
        Other = "other",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    #[error("a NIN has 11 digits")]
    Nin,
    #[error("this is a virtual NIN, which must not be stored: give the NIN itself, or have it verified")]
    VirtualNin,
    #[error("an NHS number has 10 digits")]
    Nhs,
    #[error("this is no NHS number: its check digit does not fit, so a digit is mistyped")]
    NhsCheckDigit,
    #[error("a number has 3 to 30 letters and digits")]
    Form,
    #[error("an NHIA member number has 4 to 25 letters, digits, hyphens and slashes")]
    Nhia,
}

impl IdentifierError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nin => "invalid-nin",
            Self::VirtualNin => "vnin-not-storable",
            Self::Nhs | Self::NhsCheckDigit => "invalid-nhs-number",
            Self::Form => "invalid-identifier",
            Self::Nhia => "invalid-member-number",
        }
    }

    pub fn fault(self, pointer: impl Into<String>) -> Fault {
        Fault::new(pointer, self.code(), self.to_string())
    }
}

/// Longer than any document number with its separators; more is not looked at.
const TYPED_MAX: usize = 60;

impl Scheme {
    /// The number as it is stored and compared, if it is well formed and may be kept. A virtual NIN is
    /// recognised in every scheme, because it may be kept in none.
    pub fn check(self, typed: &str) -> Result<String, IdentifierError> {
        if typed.len() > TYPED_MAX {
            return Err(self.malformed());
        }
        let value = comparable(typed);
        if is_virtual_nin(&value) {
            return Err(IdentifierError::VirtualNin);
        }
        match self {
            Self::Nin if value.len() != 11 || !all_digits(&value) => Err(IdentifierError::Nin),
            Self::Nhs if value.len() != 10 || !all_digits(&value) => Err(IdentifierError::Nhs),
            Self::Nhs if !is_nhs_number(&value) => Err(IdentifierError::NhsCheckDigit),
            _ if !(3..=30).contains(&value.len()) || !value.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Err(IdentifierError::Form)
            }
            _ => Ok(value),
        }
    }

    /// Given to one person for life, so that two people with one number are one person or a mistake.
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::Nin | Self::Nhs)
    }

    /// Unique only together with the authority that issued it.
    pub const fn needs_issuer(self) -> bool {
        matches!(self, Self::Passport | Self::DriversLicence | Self::VotersCard | Self::NationalId)
    }

    const fn malformed(self) -> IdentifierError {
        match self {
            Self::Nin => IdentifierError::Nin,
            Self::Nhs => IdentifierError::Nhs,
            _ => IdentifierError::Form,
        }
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// What two spellings of one number have in common: capitals, without space, `-` and `/`.
pub fn comparable(typed: &str) -> String {
    let kept = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '/'));
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

/// Two letters, twelve digits, two letters: valid for 72 hours, and never to be stored.
pub fn is_virtual_nin(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() == 16
        && bytes.iter().enumerate().all(|(at, b)| match at {
            2..=13 => b.is_ascii_digit(),
            _ => b.is_ascii_alphabetic(),
        })
}

/// The last digit that makes nine digits an NHS number, or `None` where no digit does: weights 10 to 2,
/// eleven less the sum modulo 11, with 11 for 0 and 10 for never issued.
pub fn nhs_check_digit(nine: &[u8; 9]) -> Option<u8> {
    let sum: u32 = nine.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => Some(digit as u8),
    }
}

/// Whether ten digits without separators are an NHS number. 0000000000 passes the sum and is refused.
pub fn is_nhs_number(value: &str) -> bool {
    let digits: Vec<u8> = value.bytes().map(|b| b.wrapping_sub(b'0')).collect();
    let Ok([nine @ .., last]) = <[u8; 10]>::try_from(digits) else { return false };
    all_digits(value) && value != "0000000000" && nhs_check_digit(&nine) == Some(last)
}

/// As it is printed: `943 476 5919`.
pub fn show_nhs_number(value: &str) -> String {
    match (value.get(..3), value.get(3..6), value.get(6..)) {
        (Some(a), Some(b), Some(c)) if !c.is_empty() => format!("{a} {b} {c}"),
        _ => value.to_owned(),
    }
}

/// A member number of Nigeria's National Health Insurance Authority, in capitals. No authority has
/// published its form (looked for in November 2026), hence the width; compare with `comparable`.
pub fn nhia_member_number(typed: &str) -> Result<String, IdentifierError> {
    let value = typed.trim().to_ascii_uppercase();
    if is_virtual_nin(&comparable(&value)) {
        return Err(IdentifierError::VirtualNin);
    }
    let (first, rest) = value.split_at_checked(1).ok_or(IdentifierError::Nhia)?;
    let fits = (3..=24).contains(&rest.len())
        && first.starts_with(|c: char| c.is_ascii_alphanumeric())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-'));
    if fits { Ok(value) } else { Err(IdentifierError::Nhia) }
}

/// For roles that may not see the whole number: `*******8901`. The last four characters are shown only
/// where at least as many stay hidden.
pub fn mask(value: &str) -> String {
    let length = value.chars().count();
    let hidden = if length < 8 { length } else { length - 4 };
    "*".repeat(hidden).chars().chain(value.chars().skip(hidden)).collect()
}

#[cfg(test)]
#[path = "identifier_tests.rs"]
mod tests;
