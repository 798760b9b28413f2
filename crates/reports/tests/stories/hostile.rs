use proptest::prelude::*;
use reports::{Block, Brand, Document, Image, Run, Table, docx, markup, pdf};

use crate::reader::pdf_pages;

fn of(blocks: Vec<Block>) -> Document {
    Document { blocks, ..Document::default() }
}

#[test]
fn two_hundred_nested_lists_are_refused_and_sixty_are_printed() {
    let nested = |depth| {
        (0..depth).fold(Block::paragraph("core"), |inner, _| Block::List {
            start: Some(1),
            items: vec![vec![inner]],
        })
    };
    for print in [pdf, docx] {
        assert_eq!(print(&of(vec![nested(200)])).unwrap_err().code(), "nested-too-deep");
        assert!(print(&of(vec![nested(60)])).is_ok());
    }
    assert!(pdf_pages(&pdf(&of(vec![nested(60)])).unwrap()).concat().contains("core"));
}

#[test]
fn ten_thousand_rows_are_printed() {
    let mut table = Table::new(["Id", "Name"]);
    (0..10_000).for_each(|n| table.push([format!("r{n}."), "Adéọlá Ńwosu".to_owned()]));
    let document = of(vec![Block::Table(table)]);
    let pages = pdf_pages(&pdf(&document).unwrap());
    assert!(pages.len() > 100 && pages.last().unwrap().contains("r9999."));
    assert!(docx(&document).is_ok());
}

#[test]
fn a_word_of_a_hundred_kilobytes_is_cut() {
    let word = "x".repeat(100_000);
    let table = Table::new(["a", "b"]).row([word.as_str(), "y"]);
    let document =
        of(vec![Block::paragraph(word.as_str()), Block::heading(1, word.as_str()), Block::Table(table)]);
    let pages = pdf_pages(&pdf(&document).unwrap());
    assert_eq!(pages.concat().matches('x').count(), 300_000);
    let mut furniture = of(vec![]);
    furniture.brand = Brand { name: word.clone(), address: vec![word.clone()], ..Brand::default() };
    (furniture.title, furniture.footer, furniture.id) = (word.clone(), Some(word.clone()), Some(word));
    assert!(pdf(&furniture).is_ok());
}

#[test]
fn what_no_face_has_is_a_box_and_what_cannot_be_seen_is_nothing() {
    let text = "漢字 😀 \u{202e}abc\u{0}\u{7} \u{301} \u{10ffff} ع\u{200d}";
    let document = of(vec![Block::paragraph(text), Block::heading(1, ""), Block::bullets([""])]);
    let page = pdf_pages(&pdf(&document).unwrap()).concat();
    assert!(page.contains("\u{fffd}\u{fffd} \u{fffd} abc"), "{page:?}");
    assert!(docx(&document).is_ok());
}

#[test]
fn tables_of_odd_shapes_are_printed_or_refused() {
    let odd =
        Table { rows: vec![vec![], vec!["a".into()], vec!["b".into(), "c".into()]], ..Table::default() };
    assert!(pdf(&of(vec![Block::Table(odd), Block::Table(Table::default()), Block::Pairs(vec![])])).is_ok());
    let wide = |count: usize| of(vec![Block::Table(Table::new((0..count).map(|n| n.to_string())))]);
    assert!(pdf(&wide(50)).is_ok());
    assert_eq!(pdf(&wide(51)).unwrap_err().code(), "table-too-wide");
    assert_eq!(docx(&wide(51)).unwrap_err().code(), "table-too-wide");
}

#[test]
fn a_million_lines_are_refused_before_they_fill_the_memory() {
    let blocks = vec![Block::paragraph("x\n".repeat(200_000))];
    assert_eq!(pdf(&of(blocks)).unwrap_err().code(), "document-too-long");
}

#[test]
fn pictures_that_are_none_are_refused() {
    let mut bomb = vec![];
    let mut encoder = png::Encoder::new(&mut bomb, 1, 1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&[1, 2, 3]).unwrap();
    assert!(Image::new(bomb.clone()).is_ok());
    assert!(Image::new(bomb[..bomb.len() - 20].to_vec()).is_err());
    // Says that it is 60,000 pixels wide and high.
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    assert!(Image::new(bomb).is_err());
    for bytes in [
        &b""[..],
        b"GIF89a",
        b"<svg/>",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc0\0\x02",
        b"\xff\xd8\xff\xff\xff\xff\xff",
    ] {
        assert_eq!(Image::new(bytes.to_vec()).unwrap_err().code(), "image-unusable");
    }
}

#[test]
fn a_jpeg_tells_its_size() {
    let mut jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x20\0\x40\x03".to_vec();
    jpeg.extend([0; 20]);
    let image = Image::new(jpeg).unwrap();
    assert_eq!((image.width, image.height), (64, 32));
    let document = of(vec![Block::Image { image, width: 500.0, alt: String::new() }]);
    assert!(pdf(&document).is_ok() && docx(&document).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_text_is_parsed_or_refused_and_what_is_parsed_is_printed(
        text in prop::collection::vec(
            prop::sample::select(vec![
                "# ", "- ", "1. ", "**", "*", "_", "|", "|--|", "\n", "\n\n", "    ", "a", "word ", "ẹ\u{301}", "<", "[", "](", ")",
                "https://a.b", "[[page]]", "[[sign:x]]", "[[", "`", "> ", "---", "\\", "&amp;", "漢", "\u{2028}",
            ]),
            0..60,
        )
    ) {
        if let Ok(blocks) = markup::parse(&text.concat()) {
            let document = of(blocks);
            prop_assert!(pdf(&document).is_ok() && docx(&document).is_ok());
        }
    }

    #[test]
    fn any_value_comes_back_from_any_place(value in "\\PC{0,40}") {
        let kept: String = value.chars().filter(|c| !matches!(c, '\u{2060}' | '\u{e000}'..='\u{e002}')).collect();
        let kept = kept.replace(['\u{2028}', '\u{2029}'], "\n");
        let blocks = markup::parse(&format!("x**{}**y", markup::escape(&value))).unwrap();
        let Block::Paragraph { runs, .. } = &blocks[0] else { panic!("{blocks:?}") };
        prop_assert_eq!(&runs[1], &Run::bold(kept));
    }
}
