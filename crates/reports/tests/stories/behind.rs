use pdf_writer::{Finish, Name, Pdf, Rect, Ref};
use proptest::prelude::*;
use reports::{Block, Document, Error, append, pdf};

fn of(text: &str) -> Document {
    Document { blocks: vec![Block::paragraph(text)], ..Document::default() }
}

/// A page by somebody else, with places in a stream, turned on its side.
fn foreign() -> Vec<u8> {
    let mut file = Pdf::new();
    let [catalog, tree, page, places] = [2, 5, 7, 9].map(Ref::new);
    file.catalog(catalog).pages(tree);
    let mut pages = file.pages(tree);
    pages.kids([page]).count(1).pair(Name(b"Rotate"), 90);
    pages.finish();
    file.page(page).parent(tree).media_box(Rect::new(0.0, 0.0, 300.0, 200.0));
    file.finish_with_xref_stream(places)
}

#[test]
fn a_certificate_stands_behind_the_original_whose_bytes_stay() {
    let original = pdf(&of("The contract.")).unwrap();
    let whole = append(&original, &of("Signed by Ọlá.")).unwrap();
    assert!(whole.starts_with(&original));
    let text = String::from_utf8_lossy(&whole[original.len()..]).into_owned();
    assert!(text.contains("/Count 2") && text.contains("/Prev "), "{text}");
    assert_eq!(whole, append(&original, &of("Signed by Ọlá.")).unwrap());
    // And once more behind both.
    let twice = append(&whole, &of("Countersigned.")).unwrap();
    assert!(twice.starts_with(&whole));
    assert!(String::from_utf8_lossy(&twice[whole.len()..]).contains("/Count 3"));
}

#[test]
fn files_whose_places_are_a_stream_are_continued_in_one() {
    let original = foreign();
    let whole = append(&original, &of("Signed.")).unwrap();
    let new = String::from_utf8_lossy(&whole[original.len()..]).into_owned();
    assert!(new.contains("/Type /XRef") && !new.contains("trailer"), "{new}");
    assert!(new.contains("/Kids [7 0 R ") && new.contains("/Count 2"), "{new}");
    let twice = append(&whole, &of("Once more.")).unwrap();
    assert!(String::from_utf8_lossy(&twice[whole.len()..]).contains("/Count 3"));
}

#[test]
fn what_is_no_whole_pdf_is_refused() {
    let original = pdf(&of("x")).unwrap();
    for bytes in [&b""[..], b"%PDF-1.7", b"PK\x03\x04", &original[..original.len() - 40], &original[1..]] {
        assert!(matches!(append(bytes, &of("y")), Err(Error::Append(_))));
    }
    let text = String::from_utf8_lossy(&foreign()).replace("/Type /XRef", "/Encrypt 3 0 R /Type /XRef");
    assert!(matches!(append(text.as_bytes(), &of("y")), Err(Error::Append(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_file_is_refused_or_continued_but_never_the_end_of_us(
        streamed in any::<bool>(),
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = if streamed { foreign() } else { pdf(&of("x")).unwrap() };
        // Most damage where the places are.
        let begin = bytes.len().saturating_sub(700);
        for (spot, byte) in spots {
            let at = begin + spot.index(bytes.len() - begin);
            bytes[at] = byte;
        }
        let _ = append(&bytes, &of("y"));
    }
}
