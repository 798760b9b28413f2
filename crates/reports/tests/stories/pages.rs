use reports::{
    Align, Block, Brand, Cell, Chart, ChartKind, Colour, Document, Image, Language, Page, Run, Series, Table,
    docx, markup, pdf,
};

use crate::reader::{docx_text, entries, pdf_pages};

fn png() -> Image {
    let mut bytes = vec![];
    let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
    encoder.set_color(png::ColorType::Rgba);
    let pixels = [255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 0, 9, 9, 9, 255];
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    Image::new(bytes).unwrap()
}

fn offer(value: &str) -> Document {
    let text = "# Offer\n\nDear **NAME**, *welcome* to [us](https://example.org).\n\n- one, then\n- two – three\n\n\
                | Item | Sum |\n|:--|--:|\n| Salary | ₦1,250.00 |\n\n---\n\n[[sign:hr_manager]]\n";
    let mut blocks = markup::parse(&text.replace("NAME", &markup::escape(value))).unwrap();
    blocks.push(Block::pairs([("Bank", "Sort code 20-00-00"), ("Start", "1 December 2026")]));
    Document { title: "Offer".into(), blocks, ..Document::default() }
}

fn branded() -> Document {
    Document {
        brand: Brand {
            name: "Grace & Mercy".into(),
            logo: Some(png()),
            address: vec!["14 Bode Thomas".into()],
            accent: Colour::parse("#0f766e").unwrap(),
        },
        header: Some("Confidential".into()),
        footer: Some("RC 123456".into()),
        id: Some("doc_01JDR8Z3QF7M2X9K4T5V6W7Y8Z".into()),
        ..offer("Ọlá")
    }
}

/// Without what only one of the two writes: bullets are drawn in one and counted in the other.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '•').collect()
}

#[test]
fn the_same_document_is_the_same_bytes() {
    let document = branded();
    assert_eq!(pdf(&document).unwrap(), pdf(&document.clone()).unwrap());
    assert_eq!(docx(&document).unwrap(), docx(&document.clone()).unwrap());
    let mut other = branded();
    other.id = Some("doc_2".into());
    assert_ne!(pdf(&document).unwrap(), pdf(&other).unwrap());
}

#[test]
fn pdf_and_docx_hold_the_same_words_and_a_value_prints_as_it_is() {
    for value in ["**x**", "<b>y</b> & z", "Ẹ̀bùn Ńwosu", "[[sign:boss]]"] {
        let document = offer(value);
        let page = &pdf_pages(&pdf(&document).unwrap())[0];
        let page = plain(page).replace("Page1of1", "");
        let word = plain(&docx_text(&docx(&document).unwrap()));
        assert_eq!(page, word);
        assert!(page.contains(&plain(value)), "{value} in {page}");
        assert!(page.contains("HRmanager") && page.contains("Signature") && page.contains("₦1,250.00"));
    }
}

#[test]
fn every_page_says_whose_it_is_and_which_of_how_many() {
    let mut document = branded();
    document.language = Language::Cy;
    document.blocks.extend((0..60).map(|n| Block::paragraph(format!("Paragraff {n}"))));
    let pages = pdf_pages(&pdf(&document).unwrap());
    assert!(pages.len() > 1);
    for (n, page) in pages.iter().enumerate() {
        let number = Language::Cy.page(n + 1, pages.len());
        for wanted in
            ["Grace & Mercy", "Confidential", "RC 123456", "doc_01JDR8Z3QF7M2X9K4T5V6W7Y8Z", &number]
        {
            assert!(page.contains(wanted), "{wanted} on page {}: {page}", n + 1);
        }
    }
    assert!(pages[0].contains("14 Bode Thomas") && !pages[1].contains("14 Bode Thomas"));
    let word = entries(&docx(&document).unwrap());
    for (part, wanted) in
        [("header1", "14 Bode Thomas"), ("header2", "Confidential"), ("footer1", "Tudalen ")]
    {
        let xml = String::from_utf8(word[&format!("word/{part}.xml")].clone()).unwrap();
        assert!(xml.contains(wanted), "{wanted} in {xml}");
    }
    assert!(word.contains_key("word/media/image1.png"));
}

#[test]
fn a_table_goes_over_pages_with_its_head_and_every_row_once() {
    let mut table = Table::new(["Number", "Name"]).aligned([Align::Right]);
    (0..200).for_each(|n| table.push([format!("row{n:03}"), "Ada".to_owned()]));
    let document = Document { blocks: vec![Block::Table(table)], ..Document::default() };
    let pages = pdf_pages(&pdf(&document).unwrap());
    assert!(pages.len() > 3);
    assert!(pages.iter().all(|page| page.matches("Number").count() == 1), "{pages:?}");
    let all = pages.concat();
    assert!((0..200).all(|n| all.matches(&format!("row{n:03}")).count() == 1));
}

#[test]
fn a_row_higher_than_the_page_is_cut_between_lines() {
    let long: String = (0..2_000).map(|n| format!("word{n:04} ")).collect();
    let table = Table::new(["A", "B"]).row(["short".to_owned(), long]);
    let pages =
        pdf_pages(&pdf(&Document { blocks: vec![Block::Table(table)], ..Document::default() }).unwrap());
    assert!(pages.len() > 2);
    let all = pages.concat();
    assert!((0..2_000).all(|n| all.matches(&format!("word{n:04}")).count() == 1));
}

#[test]
fn a_heading_is_never_the_last_on_its_page() {
    for lines in 30..60 {
        let mut blocks = vec![Block::paragraph("x\n".repeat(lines))];
        blocks.push(Block::heading(2, "Heading"));
        blocks.push(Block::paragraph("Follower begins and goes on.\nand on\nand on\nto its end"));
        let pages = pdf_pages(&pdf(&Document { blocks, ..Document::default() }).unwrap());
        let with = |what: &str| pages.iter().position(|page| page.contains(what)).unwrap();
        assert_eq!(with("Heading"), with("Follower begins"), "behind {lines} lines");
        // Nor is a single line left alone on either side.
        let on = |page: &String| {
            page.matches("and on").count()
                + page.matches("Follower").count()
                + page.matches("to its end").count()
        };
        assert!(pages.iter().map(on).all(|lines| lines != 1), "behind {lines} lines: {pages:?}");
    }
}

#[test]
fn a_page_break_begins_a_page_and_two_begin_one() {
    let blocks = vec![Block::paragraph("a"), Block::PageBreak, Block::PageBreak, Block::paragraph("b")];
    let pages = pdf_pages(&pdf(&Document { blocks, ..Document::default() }).unwrap());
    assert_eq!(pages.len(), 2);
}

#[test]
fn a_chart_is_drawn_told_and_tabled() {
    let chart = Chart {
        kind: ChartKind::Bars,
        title: "Seen".into(),
        labels: vec!["May".into(), "June".into(), "July".into()],
        series: vec![Series { name: "Clinic".into(), values: vec![Some(12.5), None, Some(f64::NAN)] }],
    };
    let document = Document { blocks: vec![Block::Chart(chart)], ..Document::default() };
    let bytes = pdf(&document).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("(Seen. Clinic: May 12.5)"));
    assert!(docx_text(&docx(&document).unwrap()).contains("12.5"));
}

#[test]
fn the_tree_for_screen_readers_names_language_heads_and_pictures() {
    let image = Block::Image { image: png(), width: 20.0, alt: "A red corner".into() };
    let mut document = branded();
    document.blocks.push(image);
    document.language = Language::Yo;
    let bytes = String::from_utf8_lossy(&pdf(&document).unwrap()).into_owned();
    for wanted in ["/Lang(yo)", "/Marked true", "/S/H1", "/S/TH", "/S/LBody", "/Alt(A red corner)"] {
        assert!(bytes.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_link_leads_where_it_says_in_both() {
    let url = "https://example.org/a?b=1&c=(2)";
    let runs = vec![Run::link("there", url)];
    let document =
        Document { blocks: vec![Block::Paragraph { align: Align::Left, runs }], ..Document::default() };
    assert!(
        String::from_utf8_lossy(&pdf(&document).unwrap()).contains("/S/URI/URI(https://example.org/a?b=1&c=")
    );
    let relations = entries(&docx(&document).unwrap())["word/_rels/document.xml.rels"].clone();
    assert!(String::from_utf8(relations).unwrap().contains("https://example.org/a?b=1&amp;c=(2)"));
}

#[test]
fn places_to_sign_may_stand_side_by_side() {
    let table = Table {
        header: vec![Cell::Sign("employee".into()), Cell::Sign("witness".into())],
        ..Table::default()
    };
    let document = Document { blocks: vec![Block::Table(table)], ..Document::default() };
    let page = &pdf_pages(&pdf(&document).unwrap())[0];
    assert!(page.contains("Employee") && page.contains("Witness"), "{page}");
    assert_eq!(page.matches("Signature").count(), 2);
}

#[test]
fn margins_without_room_are_refused() {
    for left in [200.0, -5.0, f32::NAN] {
        let document = Document { page: Page { left, ..Page::default() }, ..offer("x") };
        assert_eq!(pdf(&document).unwrap_err().code(), "margins-too-wide");
    }
}
