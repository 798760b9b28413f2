//! What a password has to be (`spec/identity.md` §5.6). The user pool asks the same again, and keeps the last five.

use kernel::{Error, Fault, Result};

pub struct Rule {
    pub code: &'static str,
    pub says: &'static str,
    fits: fn(&str) -> bool,
}

pub const RULES: &[Rule] = &[
    Rule { code: "too-short", says: "at least 12 characters", fits: |p| p.chars().count() >= 12 },
    Rule { code: "no-upper", says: "a capital letter", fits: |p| p.chars().any(|c| c.is_ascii_uppercase()) },
    Rule { code: "no-lower", says: "a small letter", fits: |p| p.chars().any(|c| c.is_ascii_lowercase()) },
    Rule { code: "no-digit", says: "a digit", fits: |p| p.chars().any(|c| c.is_ascii_digit()) },
    Rule {
        code: "no-symbol",
        says: "a symbol, such as ! or -",
        fits: |p| p.chars().any(|c| c.is_ascii_punctuation()),
    },
];

/// 422 `weak-password` with every rule that is missed.
pub fn judge(password: &str) -> Result<()> {
    let missed = RULES.iter().filter(|rule| !(rule.fits)(password));
    let faults: Vec<Fault> =
        missed.map(|r| Fault::new("/password", r.code, format!("needs {}", r.says))).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let weak = Error::unprocessable("weak-password", "choose a stronger password");
    Err(faults.into_iter().fold(weak, Error::at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_misses_each_rule_by_name() {
        let missed = |p: &str| match judge(p) {
            Err(Error::Refused(r)) => r.errors.iter().map(|f| f.code.to_string()).collect(),
            _ => vec![],
        };
        assert_eq!(missed("Correct-Horse-7"), Vec::<String>::new());
        assert_eq!(missed("Sh0rt-one"), ["too-short"]);
        assert_eq!(missed("correct-horse-7"), ["no-upper"]);
        assert_eq!(missed("CORRECT-HORSE-7"), ["no-lower"]);
        assert_eq!(missed("Correct-Horse-x"), ["no-digit"]);
        assert_eq!(missed("CorrectHorse77"), ["no-symbol"]);
    }
}
