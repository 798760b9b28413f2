//! The ZIP around Office's XML: one date for everything, entries in the order given, deflate.
use std::io::Write;

use flate2::{Compression, Crc, write::DeflateEncoder};

#[derive(Default)]
pub(crate) struct Package {
    body: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// 1 January 1980, where ZIP's calendar begins.
const DAY: u16 = 0x21;
const DEFLATE: u16 = 8;
/// Names are in UTF-8.
const FLAGS: u16 = 0x800;

impl Package {
    /// Names are ours: short and few.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(6));
        // Writing into memory cannot fail.
        let _ = encoder.write_all(bytes);
        let packed = encoder.finish().unwrap_or_default();

        let offset = self.body.len() as u32;
        let mut common = vec![];
        for n in [20, FLAGS, DEFLATE, 0, DAY] {
            common.extend(u16::to_le_bytes(n));
        }
        for n in [crc.sum(), packed.len() as u32, bytes.len() as u32] {
            common.extend(n.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);

        self.body.extend(b"PK\x03\x04");
        self.body.extend(&common);
        self.body.extend(name.as_bytes());
        self.body.extend(packed);

        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(common);
        // No comment, first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count += 1;
    }

    pub fn finish(mut self) -> Vec<u8> {
        let (size, offset) = (self.directory.len() as u32, self.body.len() as u32);
        self.body.append(&mut self.directory);
        self.body.extend(b"PK\x05\x06\0\0\0\0");
        self.body.extend(self.count.to_le_bytes());
        self.body.extend(self.count.to_le_bytes());
        self.body.extend(size.to_le_bytes());
        self.body.extend(offset.to_le_bytes());
        self.body.extend([0, 0]);
        self.body
    }
}

pub(crate) const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// Text as it may stand in XML, between tags and in attributes; what XML cannot hold is left out.
pub(crate) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// The properties of a file, and the relations of its root.
pub(crate) fn properties(package: &mut Package, main: &str, title: &str, author: &str) {
    let relations = "http://schemas.openxmlformats.org/package/2006/relationships";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument";
    let core = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties";
    package.add(
        "_rels/.rels",
        format!(
            "{XML}<Relationships xmlns=\"{relations}\"><Relationship Id=\"rId1\" Type=\"{office}\" \
             Target=\"{main}\"/><Relationship Id=\"rId2\" Type=\"{core}\" Target=\"docProps/core.xml\"/>\
             </Relationships>"
        )
        .as_bytes(),
    );
    let (title, author) = (xml(title), xml(author));
    package.add(
        "docProps/core.xml",
        format!(
            "{XML}<cp:coreProperties \
             xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{title}</dc:title>\
             <dc:creator>{author}</dc:creator></cp:coreProperties>"
        )
        .as_bytes(),
    );
}
