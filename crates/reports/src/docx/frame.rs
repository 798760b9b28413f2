//! What stands above and under the text: letterhead, running head, foot.
use super::{Writer, XML, parts::namespaces, run, twips};
use crate::{Document, Run};

fn paragraph(style: &str, manner: &str, runs: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/>{manner}</w:pPr>{runs}</w:p>")
}

fn words(text: &str) -> String {
    run(&Run::plain(text))
}

fn line(side: &str, size: u8, colour: &str) -> String {
    format!(
        "<w:pBdr><w:{side} w:val=\"single\" w:sz=\"{size}\" w:space=\"4\" w:color=\"{colour}\"/></w:pBdr>"
    )
}

/// Logo, name and address over a line in the brand's colour.
pub(super) fn letterhead(writer: &mut Writer<'_>) -> String {
    let (document, column) = (writer.document, writer.column);
    let brand = &document.brand;
    let mut cells = vec![];
    if let Some(logo) = &brand.logo {
        let ratio = logo.width as f32 / logo.height as f32;
        let wide = (46.0 * ratio).min(column * 0.4);
        let drawing = writer.drawing(logo, wide, &brand.name);
        cells.push((wide + 10.0, paragraph("Cell", "", &drawing)));
    }
    let small: Vec<_> =
        brand.address.iter().chain(&document.header).filter(|line| !line.is_empty()).collect();
    let right = if small.is_empty() { 0.0 } else { column * 0.36 };
    let left: f32 = cells.iter().map(|(wide, _)| wide).sum();
    if !brand.name.is_empty() || !small.is_empty() {
        cells.push(((column - left - right).max(40.0), paragraph("Brand", "", &words(&brand.name))));
    }
    if !small.is_empty() {
        let lines =
            small.iter().map(|text| paragraph("Small", "<w:jc w:val=\"right\"/>", &words(text))).collect();
        cells.push((right, lines));
    }
    let table = if cells.is_empty() { String::new() } else { row(&cells) };
    let accent = brand.accent.legible().hex();
    let under = if cells.is_empty() { String::new() } else { line("top", 12, &accent) };
    format!("{XML}<w:hdr {}>{table}{}</w:hdr>", namespaces(), paragraph("Small", &under, ""))
}

fn row(cells: &[(f32, String)]) -> String {
    let grid: String =
        cells.iter().map(|(wide, _)| format!("<w:gridCol w:w=\"{}\"/>", twips(*wide))).collect();
    let cells: String = cells
        .iter()
        .map(|(wide, content)| {
            let wide = twips(*wide);
            format!("<w:tc><w:tcPr><w:tcW w:w=\"{wide}\" w:type=\"dxa\"/><w:vAlign w:val=\"center\"/></w:tcPr>{content}</w:tc>")
        })
        .collect();
    format!(
        "<w:tbl><w:tblPr><w:tblW w:w=\"0\" w:type=\"auto\"/><w:tblLayout w:type=\"fixed\"/><w:tblCellMar><w:left \
         w:w=\"0\" w:type=\"dxa\"/><w:right w:w=\"0\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr><w:tblGrid>{grid}\
         </w:tblGrid><w:tr>{cells}</w:tr></w:tbl>"
    )
}

/// A stop at the right edge.
fn edge(column: f32) -> String {
    format!("<w:tabs><w:tab w:val=\"right\" w:pos=\"{}\"/></w:tabs>", twips(column))
}

/// Name at the left, header or title at the right.
pub(super) fn running(document: &Document, column: f32) -> String {
    let right = document.header.as_deref().filter(|text| !text.is_empty()).unwrap_or(&document.title);
    let name = run(&Run::bold(&document.brand.name));
    let runs = format!("{name}<w:r><w:tab/></w:r>{}", words(right));
    let manner = line("bottom", 4, "C4C7CB") + &edge(column);
    format!("{XML}<w:hdr {}>{}</w:hdr>", namespaces(), paragraph("Small", &manner, &runs))
}

/// Small print and id at the left, the page at the right.
pub(super) fn foot(document: &Document, column: f32) -> String {
    let mut small = document.footer.iter().chain(&document.id).filter(|text| !text.is_empty());
    let first = small.next().map(|text| words(text)).unwrap_or_default();
    let manner = line("top", 4, "C4C7CB") + &edge(column);
    let page = format!("{first}<w:r><w:tab/></w:r>{}", page(document));
    let mut all = paragraph("Small", &manner, &page);
    for text in small {
        all.push_str(&paragraph("Small", "", &words(text)));
    }
    format!("{XML}<w:ftr {}>{all}</w:ftr>", namespaces())
}

/// `Page 2 of 7`, counted by Word.
fn page(document: &Document) -> String {
    let (before, between, after) = document.language.page_words();
    let field = |name: &str| format!("<w:fldSimple w:instr=\"{name}\"><w:r><w:t>1</w:t></w:r></w:fldSimple>");
    [words(before), field("PAGE"), words(between), field("NUMPAGES"), words(after)].concat()
}
