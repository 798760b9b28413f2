//! Names as they are compared: one spelling for all spellings of one name, and one sound for similar ones.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Forms of address that are typed before names and are no part of them.
const TITLES: &[&str] = &[
    "mr", "mrs", "miss", "ms", "dr", "prof", "chief", "alhaji", "alhaja", "mallam", "hajia", "engr", "barr",
    "pastor", "rev",
];

/// What two spellings of one name have in common: small letters without marks, `'`, `.`, `-` and titles. Hausa's
/// hooked letters have no decomposition in Unicode and are written plainly.
pub fn name(typed: &str) -> String {
    let letters = typed.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).map(plain);
    let kept: String = letters.filter(|c| !matches!(c, '\'' | '\u{2019}' | '.' | '-')).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    let untitled: Vec<&str> = words.iter().copied().filter(|w| !TITLES.contains(w)).collect();
    // Somebody may be called Prince Chief: a name of titles alone stays.
    if untitled.is_empty() { words.join(" ") } else { untitled.join(" ") }
}

fn plain(c: char) -> char {
    match c {
        'ɓ' => 'b',
        'ɗ' => 'd',
        'ƙ' => 'k',
        'ƴ' => 'y',
        other => other,
    }
}

/// The first word of a normalised name.
pub fn first(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

/// Letters that sound alike in the order in which they are replaced.
const SOUNDS: &[(&str, &str)] = &[
    ("ph", "f"),
    ("ck", "k"),
    ("kp", "p"),
    ("gb", "b"),
    ("sh", "s"),
    ("ch", "c"),
    ("th", "t"),
    ("dh", "d"),
    ("oo", "u"),
    ("ou", "u"),
    ("ee", "i"),
    ("y", "i"),
];

/// How a normalised word sounds, at most six letters.
pub fn sound(word: &str) -> String {
    let mut heard = first(word).to_string();
    for (letters, sound) in SOUNDS {
        heard = heard.replace(letters, sound);
    }
    let mut single: Vec<char> = heard.chars().collect();
    single.dedup();
    let silent = |c: &char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'h' | 'w');
    single.into_iter().enumerate().filter(|(at, c)| *at == 0 || !silent(c)).map(|(_, c)| c).take(6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_become_one() {
        for typed in ["Adé-Olá O'Brien", "ade-ola o’brien", "Mrs. Adeola  OBrien", "ADEOLA O.BRIEN"] {
            assert_eq!(name(typed), "adeola obrien", "{typed}");
        }
        assert_eq!(name("Ɗanjuma Ƙwairanga"), "danjuma kwairanga");
        assert_eq!(name("Ọláyíwọlá"), "olayiwola");
        assert_eq!(name("Alhaji Musa"), "musa");
        assert_eq!(name("Chief"), "chief");
    }

    #[test]
    fn similar_names_sound_alike_and_different_ones_do_not() {
        for (a, b) in [
            ("stephen", "stefen"),
            ("chukwu", "cukwu"),
            ("okafor", "okaphor"),
            ("yusuf", "iusuf"),
            ("bello", "belo"),
        ] {
            assert_eq!(sound(a), sound(b), "{a} {b}");
        }
        for (a, b) in [("okafor", "okonkwo"), ("musa", "bello"), ("ade", "ife")] {
            assert_ne!(sound(a), sound(b), "{a} {b}");
        }
        assert_eq!(sound("adebayo"), "adb");
        assert!(sound("oluwaseunfunmilayo").chars().count() <= 6);
    }
}
