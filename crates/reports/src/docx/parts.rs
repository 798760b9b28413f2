//! The parts of a DOCX around its text: styles, numbering, relations, pictures.
use std::fmt::Write;

use super::{LEVELS, STEP, XML, twips};
use crate::{Document, Image, document::MM, package::xml};

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub(super) const TYPES: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n",
    "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">",
    "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>",
    "<Default Extension=\"xml\" ContentType=\"application/xml\"/>",
    "<Default Extension=\"png\" ContentType=\"image/png\"/><Default Extension=\"jpeg\" ContentType=\"image/jpeg\"/>",
    "<Override PartName=\"/word/document.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>",
    "<Override PartName=\"/word/styles.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>",
    "<Override PartName=\"/word/numbering.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml\"/>",
    "<Override PartName=\"/word/header1.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml\"/>",
    "<Override PartName=\"/word/header2.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml\"/>",
    "<Override PartName=\"/word/footer1.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml\"/>",
    "<Override PartName=\"/word/settings.xml\" ",
    "ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml\"/>",
    "<Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>",
    "</Types>"
);

/// Word 2013 and later, which place tables by their edges.
pub(super) fn settings() -> String {
    format!(
        "{XML}<w:settings {}><w:compat><w:compatSetting w:name=\"compatibilityMode\" \
         w:uri=\"http://schemas.microsoft.com/office/word\" w:val=\"15\"/></w:compat></w:settings>",
        namespaces()
    )
}

pub(super) fn namespaces() -> String {
    format!(
        "xmlns:w=\"{WORD}\" xmlns:r=\"{OFFICE}\" \
         xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\""
    )
}

pub(super) fn body(text: &str, document: &Document) -> String {
    let page = &document.page;
    let ((width, height), mm) = (page.size(), |millimetres: f32| twips(millimetres * MM));
    let turned = if page.landscape { " w:orient=\"landscape\"" } else { "" };
    format!(
        "{XML}<w:document {}><w:body>{text}<w:sectPr><w:headerReference w:type=\"first\" r:id=\"rId3\"/>\
         <w:headerReference w:type=\"default\" r:id=\"rId4\"/><w:footerReference w:type=\"first\" r:id=\"rId5\"/>\
         <w:footerReference w:type=\"default\" r:id=\"rId5\"/><w:pgSz w:w=\"{}\" w:h=\"{}\"{turned}/><w:pgMar \
         w:top=\"{}\" w:right=\"{}\" w:bottom=\"{}\" w:left=\"{}\" w:header=\"{}\" w:footer=\"{}\" w:gutter=\"0\"/>\
         <w:titlePg/></w:sectPr></w:body></w:document>",
        namespaces(),
        twips(width),
        twips(height),
        mm(page.top) + 480,
        mm(page.right),
        mm(page.bottom) + 600,
        mm(page.left),
        mm(page.top),
        mm(page.bottom),
    )
}

pub(super) fn styles(document: &Document) -> String {
    let accent = document.brand.accent.legible().hex();
    let tag = document.language.tag();
    let mut all = String::new();
    // Name, base, paragraph, run.
    let mut style = |id: &str, name: &str, paragraph: &str, run: &str| {
        let base = if id == "Normal" { " w:default=\"1\"" } else { "" };
        let based = if id == "Normal" { "" } else { "<w:basedOn w:val=\"Normal\"/>" };
        let _ = write!(
            all,
            "<w:style w:type=\"paragraph\"{base} w:styleId=\"{id}\"><w:name w:val=\"{name}\"/>{based}<w:qFormat/>\
             <w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
        );
    };
    style(
        "Normal",
        "Normal",
        "<w:spacing w:before=\"0\" w:after=\"100\" w:line=\"276\" w:lineRule=\"auto\"/>",
        "",
    );
    for (level, size) in [(1, 38), (2, 28), (3, 23), (4, 20), (5, 20), (6, 20)] {
        let colour = if level <= 2 { accent.as_str() } else { "1C1C1C" };
        let before = 360 - 50 * level;
        style(
            &format!("Heading{level}"),
            &format!("heading {level}"),
            &format!(
                "<w:keepNext/><w:keepLines/><w:spacing w:before=\"{before}\" w:after=\"80\"/><w:outlineLvl w:val=\"{}\"/>",
                level - 1
            ),
            &format!("<w:b/><w:color w:val=\"{colour}\"/><w:sz w:val=\"{size}\"/>"),
        );
    }
    style("Item", "List item", "<w:spacing w:before=\"0\" w:after=\"50\"/>", "");
    let tight = "<w:spacing w:before=\"0\" w:after=\"0\"/>";
    style("Cell", "Table cell", tight, "<w:sz w:val=\"18\"/>");
    style("CellHead", "Table head", tight, "<w:b/><w:sz w:val=\"18\"/>");
    style("CellLabel", "Table label", tight, "<w:b/><w:color w:val=\"5F6368\"/><w:sz w:val=\"18\"/>");
    style("Small", "Small print", tight, "<w:color w:val=\"5F6368\"/><w:sz w:val=\"15\"/>");
    style(
        "Gap",
        "Gap",
        "<w:spacing w:before=\"0\" w:after=\"0\" w:line=\"160\" w:lineRule=\"exact\"/>",
        "<w:sz w:val=\"8\"/>",
    );
    style(
        "Signer",
        "Signer",
        "<w:keepNext/><w:spacing w:before=\"120\" w:after=\"0\"/>",
        "<w:b/><w:sz w:val=\"18\"/>",
    );
    style(
        "Rule",
        "Rule",
        "<w:pBdr><w:bottom w:val=\"single\" w:sz=\"4\" w:space=\"1\" w:color=\"C4C7CB\"/></w:pBdr><w:spacing \
         w:before=\"0\" w:after=\"160\" w:line=\"120\" w:lineRule=\"exact\"/>",
        "",
    );
    style("Brand", "Brand", tight, &format!("<w:b/><w:color w:val=\"{accent}\"/><w:sz w:val=\"28\"/>"));
    format!(
        "{XML}<w:styles {}><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\"Calibri\" w:hAnsi=\"Calibri\" \
         w:cs=\"Calibri\"/><w:color w:val=\"1C1C1C\"/><w:sz w:val=\"21\"/><w:lang w:val=\"{tag}\"/></w:rPr>\
         </w:rPrDefault></w:docDefaults>{all}<w:style w:type=\"character\" w:styleId=\"Link\"><w:name \
         w:val=\"Hyperlink\"/><w:rPr><w:color w:val=\"{accent}\"/><w:u w:val=\"single\"/></w:rPr></w:style></w:styles>",
        namespaces()
    )
}

/// One numbering a list, so that each begins at its own number.
pub(super) fn numbering(lists: &[(Option<u64>, usize)]) -> String {
    let mut out = format!("{XML}<w:numbering {}>", namespaces());
    for (id, numbered) in [(0, false), (1, true)] {
        let _ = write!(
            out,
            "<w:abstractNum w:abstractNumId=\"{id}\"><w:multiLevelType w:val=\"hybridMultilevel\"/>"
        );
        for level in 0..LEVELS {
            let (format, text) = match (numbered, level % 2) {
                (true, _) => ("decimal", format!("%{}.", level + 1)),
                (false, 0) => ("bullet", "•".into()),
                (false, _) => ("bullet", "–".into()),
            };
            let left = (level + 1) * STEP;
            let _ = write!(
                out,
                "<w:lvl w:ilvl=\"{level}\"><w:start w:val=\"1\"/><w:numFmt w:val=\"{format}\"/><w:lvlText \
                 w:val=\"{text}\"/><w:lvlJc w:val=\"left\"/><w:pPr><w:spacing w:after=\"60\"/><w:ind w:left=\"{left}\" \
                 w:hanging=\"{STEP}\"/></w:pPr></w:lvl>"
            );
        }
        out.push_str("</w:abstractNum>");
    }
    for (n, (start, level)) in lists.iter().enumerate() {
        let (id, kind) = (n + 1, usize::from(start.is_some()));
        let _ = write!(out, "<w:num w:numId=\"{id}\"><w:abstractNumId w:val=\"{kind}\"/>");
        if let Some(start) = start {
            let start = (*start).min(32_767);
            let _ = write!(
                out,
                "<w:lvlOverride w:ilvl=\"{level}\"><w:startOverride w:val=\"{start}\"/></w:lvlOverride>"
            );
        }
        out.push_str("</w:num>");
    }
    out + "</w:numbering>"
}

/// Of the text with its links, or of the letterhead, which has pictures only.
pub(super) fn relations(links: &[String], pictures: &[Image], main: bool) -> String {
    let mut out = format!(
        "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
    );
    if main {
        for (n, (kind, target)) in [
            ("styles", "styles"),
            ("numbering", "numbering"),
            ("header", "header1"),
            ("header", "header2"),
            ("footer", "footer1"),
            ("settings", "settings"),
        ]
        .into_iter()
        .enumerate()
        {
            let _ = write!(
                out,
                "<Relationship Id=\"rId{}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}.xml\"/>",
                n + 1
            );
        }
    }
    for (n, url) in links.iter().enumerate() {
        let (id, url) = (n + 1, xml(url).replace(' ', "%20"));
        let _ = write!(
            out,
            "<Relationship Id=\"rIdL{id}\" Type=\"{OFFICE}/hyperlink\" Target=\"{url}\" TargetMode=\"External\"/>"
        );
    }
    for (n, image) in pictures.iter().enumerate() {
        let (id, extension) = (n + 1, image.extension());
        let _ = write!(
            out,
            "<Relationship Id=\"rIdI{id}\" Type=\"{OFFICE}/image\" Target=\"media/image{id}.{extension}\"/>"
        );
    }
    out + "</Relationships>"
}

/// A picture in the line, `points` wide.
pub(super) fn drawing(image: &Image, points: f32, alt: &str, relation: &str, number: usize) -> String {
    let wide = (points * 12_700.0).round() as i64;
    let tall = (wide as f64 * f64::from(image.height) / f64::from(image.width)).round().max(1.0) as i64;
    let alt = xml(alt);
    let main = "http://schemas.openxmlformats.org/drawingml/2006/main";
    let picture = "http://schemas.openxmlformats.org/drawingml/2006/picture";
    format!(
        "<w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\"><wp:extent cx=\"{wide}\" \
         cy=\"{tall}\"/><wp:docPr id=\"{number}\" name=\"Picture {number}\" descr=\"{alt}\"/><a:graphic \
         xmlns:a=\"{main}\"><a:graphicData uri=\"{picture}\"><pic:pic xmlns:pic=\"{picture}\"><pic:nvPicPr><pic:cNvPr \
         id=\"{number}\" name=\"Picture {number}\"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip \
         r:embed=\"{relation}\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x=\"0\" \
         y=\"0\"/><a:ext cx=\"{wide}\" cy=\"{tall}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom>\
         </pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
}
