use proptest::prelude::*;

use super::*;

#[test]
fn names_of_many_scripts_are_names() {
    for name in [
        "Ada",
        "Okonkwo-Bello",
        "O'Neill",
        "St. John",
        "Ọláṣubọ̀mí",
        "Ɗanjuma",
        "Nguyễn",
        "محمد",
        "李",
        "अनिल",
        "Δ",
        "می\u{200c}نا",
        "van der Berg",
    ] {
        let kept = person_name(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(kept.nfc().eq(name.nfc()), "{name}");
    }
}

#[test]
fn a_name_is_kept_in_one_spelling() {
    assert_eq!(person_name("  Ada   Lovelace "), Ok("Ada Lovelace".into()));
    assert_eq!(person_name("O\u{2019}Neill\u{2011}Ade"), Ok("O'Neill-Ade".into()));
    assert_eq!(person_name("Ade\u{a0}\u{202f}Bola"), Ok("Ade Bola".into()));
    assert_eq!(person_name("Zoe\u{308}"), Ok("Zoë".into()));
}

#[test]
fn digits_signs_and_stray_marks_are_no_name() {
    for (wrong, c) in [
        ("Ada2", '2'),
        ("ada@home", '@'),
        ("Ada/Bola", '/'),
        ("<b>", '<'),
        ("Ada_", '_'),
        ("٣", '٣'),
        ("A\u{1f600}", '\u{1f600}'),
        ("\u{301}Ada", '\u{301}'),
        ("A-\u{301}", '\u{301}'),
        ("A \u{200d}", '\u{200d}'),
    ] {
        assert_eq!(person_name(wrong), Err(TextError::NotInName(c)), "{wrong:?}");
        assert_eq!(person_name(wrong).unwrap_err().code(), "invalid-name");
    }
    for wrong in ["-", "'", ". .", "--"] {
        assert_eq!(person_name(wrong), Err(TextError::NoLetter), "{wrong}");
    }
    assert_eq!(person_name(" \t "), Err(TextError::Empty));
    assert_eq!(person_name("").unwrap_err().code(), "empty");
}

#[test]
fn a_name_has_at_most_sixty_characters_not_bytes() {
    assert_eq!(person_name(&"ọ".repeat(60)).map(|n| n.chars().count()), Ok(60));
    assert_eq!(person_name(&"ọ".repeat(61)), Err(TextError::TooLong(60)));
    assert_eq!(person_name(&"a".repeat(10_000_000)).unwrap_err().code(), "too-long");
}

#[test]
fn hidden_characters_are_refused_everywhere() {
    for hidden in [
        '\0',
        '\u{7}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{200b}',
        '\u{200e}',
        '\u{200f}',
        '\u{202a}',
        '\u{202e}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{feff}',
        '\u{fffb}',
        '\u{fffe}',
        '\u{ffff}',
        '\u{1fffe}',
        '\u{e0041}',
        '\u{fdd0}',
    ] {
        let text = format!("Ada{hidden}Bola");
        for answer in [line(&text, 100), lines(&text, 100), person_name(&text)] {
            assert_eq!(answer, Err(TextError::Hidden(hidden)), "{hidden:?}");
            assert_eq!(answer.unwrap_err().code(), "hidden-character");
        }
    }
    assert!(TextError::Hidden('\u{202e}').to_string().contains("U+202E"));
}

#[test]
fn joiners_emoji_and_every_script_are_welcome_in_text() {
    for text in [
        "می\u{200c}روم",
        "👩\u{200d}⚕\u{fe0f} ok",
        "ما 5 mg",
        "½ – “quoted”",
        "\u{fffd}",
        "\u{fffc}",
        "\u{fdcf}x",
        "\u{fdf0}",
    ] {
        assert_eq!(line(text, 100), Ok(text.into()));
    }
}

#[test]
fn only_a_note_has_several_lines() {
    assert_eq!(lines("one\r\ntwo\n\tthree ", 100), Ok("one\ntwo\n\tthree".into()));
    assert_eq!(lines("one\rtwo", 100), Err(TextError::Hidden('\r')));
    assert_eq!(line("one\ntwo", 100), Err(TextError::Hidden('\n')));
    assert_eq!(line("one\ttwo", 100), Err(TextError::Hidden('\t')));
}

#[test]
fn text_is_counted_in_characters_after_composing() {
    assert_eq!(line("e\u{301}e\u{301}", 2), Ok("éé".into()));
    assert_eq!(line("abc", 3), Ok("abc".into()));
    assert_eq!(line("abcd", 3), Err(TextError::TooLong(3)));
    assert_eq!(lines(&"a".repeat(10_000_000), 2000), Err(TextError::TooLong(2000)));
    assert_eq!(line(&"a".repeat(36), 3), Err(TextError::TooLong(3)));
    // U+1D15E takes four bytes and U+0F73 three; composing keeps both apart, so they count as they are.
    assert_eq!(line("\u{1f600}\u{1f600}\u{1f600}", 3).map(|t| t.len()), Ok(12));
    assert_eq!(line("  ", 3), Err(TextError::Empty));
}

#[test]
fn a_slug_is_three_to_thirty_small_letters_digits_and_hyphens() {
    let longest = "a".repeat(30);
    for good in ["abc", "grace", "st-mary-2", &longest] {
        assert_eq!(slug(good), Ok(good));
    }
    let long = "a".repeat(31);
    for wrong in ["", "ab", "Grace", "2grace", "-grace", "gr ace", "gr_ace", "gräce", "grace\n", &long] {
        assert_eq!(slug(wrong).unwrap_err().code(), "invalid-slug", "{wrong}");
    }
    for kept in ["api", "www", "auth", "admin", "platform", "docs", "status", "mail"] {
        assert_eq!(slug(kept).unwrap_err().code(), "slug-reserved", "{kept}");
    }
    assert_eq!(RESERVED_SLUGS.len(), 8);
}

#[test]
fn a_slug_is_proposed_from_the_name() {
    let proposed = |name: &str| propose_slug(name);
    assert_eq!(proposed("Grâce & Mercy  Hospital, Ọyọ"), Some("grace-mercy-hospital-oyo".into()));
    assert_eq!(proposed("St. Mary's"), Some("st-marys".into()));
    assert_eq!(proposed("3rd Ƙofar Clinic!"), Some("rd-kofar-clinic".into()));
    assert_eq!(
        proposed("The University Teaching Hospital of Lagos"),
        Some("the-university-teaching-hospit".into())
    );
    assert_eq!(proposed("ɓɗƙƴ ƁƊƘƳ"), Some("bdky-bdky".into()));
    for hopeless in ["", "AB", "Admin", "医院", "123", "!!!"] {
        assert_eq!(proposed(hopeless), None, "{hopeless}");
    }
}

#[test]
fn an_address_is_kept_in_small_letters() {
    assert_eq!(email(" Ada.Obi+ward@Mail.Example.ORG "), Ok("ada.obi+ward@mail.example.org".into()));
    assert_eq!(email("x@xn--bcher-kva.example"), Ok("x@xn--bcher-kva.example".into()));
    let long = format!("{}@example.org", "a".repeat(65));
    let label = format!("a@{}.org", "b".repeat(64));
    for wrong in [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "ada@@example.org",
        "a b@example.org",
        ".a@example.org",
        "a.@example.org",
        "a..b@example.org",
        "a@-example.org",
        "a@example-.org",
        "a@example..org",
        "a@.org",
        "a@10.0.0.1",
        "a@example.o",
        "a@exämple.org",
        "ä@example.org",
        "a@example.org\u{0}",
        "\"a\"@example.org",
        "a@[::1]",
        "a,b@example.org",
        "a@b.org;c@d.org",
        &long,
        &label,
    ] {
        assert_eq!(email(wrong), Err(TextError::Email), "{wrong}");
    }
    assert_eq!(email("a@b.ng"), Ok("a@b.ng".into()));
    assert_eq!(email("a@b.xn--p1ai"), Ok("a@b.xn--p1ai".into()));
    let host = |last: usize| format!("{}.{}.{}.ng", "b".repeat(63), "c".repeat(63), "d".repeat(last));
    let longest = format!("{}@{}", "a".repeat(64), host(58));
    assert_eq!(longest.len(), 254);
    assert_eq!(email(&longest), Ok(longest));
    assert_eq!(email(&format!("{}@{}", "a".repeat(64), host(59))), Err(TextError::TooLong(254)));
    assert_eq!(email(&format!("a@{}org", "b.".repeat(200))).unwrap_err().code(), "too-long");
    assert!(email(&format!("{}@example.org", "a".repeat(64))).is_ok());
    assert!(email(&format!("a@{}.org", "b".repeat(63))).is_ok());
}

proptest! {
    #[test]
    fn what_is_kept_is_kept_again_unchanged(typed in "\\PC{0,80}") {
        for keep in [person_name as fn(&str) -> Result<String, TextError>, |t| line(t, 40), |t| lines(t, 40), email] {
            if let Ok(kept) = keep(&typed) {
                prop_assert_eq!(keep(&kept), Ok(kept));
            }
        }
    }

    #[test]
    fn nothing_hidden_is_ever_kept(typed in any::<String>()) {
        for kept in [person_name(&typed), line(&typed, 1000), email(&typed)].into_iter().flatten() {
            prop_assert!(!kept.chars().any(is_hidden));
        }
    }

    #[test]
    fn a_proposed_slug_is_a_slug(name in "\\PC{0,60}") {
        if let Some(proposed) = propose_slug(&name) {
            prop_assert_eq!(slug(&proposed), Ok(proposed.as_str()));
            prop_assert!(!proposed.ends_with('-') && !proposed.contains("--"));
        }
    }
}
