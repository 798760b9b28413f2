//! What a file is, by its bytes and not by its name; what is refused always; and the port of the scanner.

use kernel::{Error, Kind};

kernel::words! {
    /// Types of files that can be kept. A category names those it takes.
    pub enum Type {
        Pdf = "pdf", Jpeg = "jpeg", Png = "png", Webp = "webp", Heic = "heic", Tiff = "tiff", Docx = "docx",
        Xlsx = "xlsx", Pptx = "pptx", Odt = "odt", Txt = "txt", Csv = "csv", Mp3 = "mp3", M4a = "m4a", Ogg = "ogg",
        Wav = "wav", Mp4 = "mp4", Dicom = "dicom",
        /// A course package; the only archive.
        Scorm = "scorm",
    }
}

impl Type {
    pub const fn media(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Tiff => "image/tiff",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Txt => "text/plain",
            Self::Csv => "text/csv",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::Mp4 => "video/mp4",
            Self::Dicom => "application/dicom",
            Self::Scorm => "application/zip",
        }
    }

    pub fn of_media(media: &str) -> Option<Self> {
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self::ALL.iter().copied().find(|t| t.media() == media)
    }

    /// Films and images of radiology: up to 2 GB, of which the beginning is looked at.
    pub const fn is_large(self) -> bool {
        matches!(self, Self::Mp4 | Self::Dicom)
    }

    /// 415 naming what the category takes.
    pub fn allowed(media: &str, among: &[Self]) -> Result<Self, Error> {
        Self::of_media(media).filter(|t| among.contains(t)).ok_or_else(|| {
            let taken: Vec<&str> = among.iter().map(|t| t.media()).collect();
            let detail = format!("{media} is not taken here; allowed: {}", taken.join(", "));
            Error::refuse(Kind::MediaType, "type-not-allowed", detail).with("allowed", taken)
        })
    }
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    ChecksumMismatch,
    ContentMismatch,
    Encrypted,
    Macros,
    Malware,
}

impl Refusal {
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChecksumMismatch => "checksum-mismatch",
            Self::ContentMismatch => "content-mismatch",
            Self::Encrypted => "encrypted",
            Self::Macros => "macros",
            Self::Malware => "malware",
        }
    }
}

/// Whether the bytes are what they are declared to be, and nothing that is refused always. `whole` is the file, or
/// the first megabyte of a large one.
pub fn check(declared: Type, whole: &[u8]) -> Result<(), Refusal> {
    if !begins(declared, whole) {
        return Err(Refusal::ContentMismatch);
    }
    match declared {
        Type::Pdf if has(whole, b"/Encrypt") => Err(Refusal::Encrypted),
        Type::Docx | Type::Xlsx | Type::Pptx
            if has(whole, b"vbaProject.bin") || has(whole, b"macrosheets/") =>
        {
            Err(Refusal::Macros)
        }
        Type::Odt if has(whole, b"Basic/script") || has(whole, b"Scripts/") => Err(Refusal::Macros),
        Type::Odt if has(whole, b"encryption-data") => Err(Refusal::Encrypted),
        _ => Ok(()),
    }
}

/// An encrypted Office file is a compound file (`D0 CF 11 E0`), not a zip, and fails here.
fn begins(declared: Type, bytes: &[u8]) -> bool {
    let at = |from: usize, what: &[u8]| bytes.get(from..from + what.len()) == Some(what);
    let zip = at(0, b"PK\x03\x04");
    match declared {
        Type::Pdf => at(0, b"%PDF-"),
        Type::Jpeg => at(0, b"\xff\xd8\xff"),
        Type::Png => at(0, b"\x89PNG\r\n\x1a\n"),
        Type::Webp => at(0, b"RIFF") && at(8, b"WEBP"),
        Type::Heic => {
            at(4, b"ftyp") && [&b"heic"[..], b"heix", b"mif1", b"msf1", b"heim"].iter().any(|b| at(8, b))
        }
        Type::Tiff => at(0, b"II*\0") || at(0, b"MM\0*"),
        Type::Docx => zip && has(bytes, b"word/"),
        Type::Xlsx => zip && has(bytes, b"xl/"),
        Type::Pptx => zip && has(bytes, b"ppt/"),
        Type::Odt => zip && has(bytes, b"application/vnd.oasis.opendocument.text"),
        Type::Scorm => zip && has(bytes, b"imsmanifest.xml"),
        Type::Mp3 => {
            at(0, b"ID3") || (bytes.first() == Some(&0xff) && bytes.get(1).is_some_and(|b| b & 0xe0 == 0xe0))
        }
        Type::M4a => at(4, b"ftypM4A") || at(4, b"ftypmp42") || at(4, b"ftypisom"),
        Type::Ogg => at(0, b"OggS"),
        Type::Wav => at(0, b"RIFF") && at(8, b"WAVE"),
        Type::Mp4 => at(4, b"ftyp"),
        Type::Dicom => at(128, b"DICM"),
        Type::Txt | Type::Csv => is_text(bytes),
    }
}

/// Text is text: no control characters, and no page that a browser or a shell would run.
fn is_text(bytes: &[u8]) -> bool {
    let plain = bytes.iter().all(|b| *b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c));
    let begin: Vec<u8> = bytes.iter().take(1024).map(u8::to_ascii_lowercase).collect();
    let begin = String::from_utf8_lossy(&begin);
    let begin = begin.trim_start_matches('\u{feff}').trim_start();
    let runs = ["<!doctype", "<html", "<script", "<svg", "<?xml", "<?php", "#!"];
    plain && !runs.iter().any(|r| begin.starts_with(r)) && !begin.contains("<script")
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|w| w == what)
}

/// Looks for malware in the bytes of a file. The product's own rules are used everywhere; a deployment with a scanning
/// service puts that behind the same port.
pub trait Scanner: Send + Sync {
    /// The engine's name, and what it found.
    fn scan(&self, bytes: &[u8]) -> Finding;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub engine: &'static str,
    /// The threat's name; none if clean.
    pub threat: Option<&'static str>,
}

/// The EICAR test file, programs hidden in documents, and scripts that PDF readers would run.
pub struct Rules;

const EICAR: &[u8] = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!";

impl Scanner for Rules {
    fn scan(&self, bytes: &[u8]) -> Finding {
        let pdf = bytes.starts_with(b"%PDF-");
        let launches = pdf && has(bytes, b"/Launch") && (has(bytes, b"cmd.exe") || has(bytes, b"powershell"));
        let threat = if has(bytes, EICAR) {
            Some("EICAR-Test-File")
        } else if launches {
            Some("PDF.Launch")
        } else if pdf && has(bytes, b"This program cannot be run in DOS mode") {
            Some("PDF.Embedded.PE")
        } else {
            None
        };
        Finding { engine: "rules-1", threat }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(name: &str) -> Vec<u8> {
        [b"PK\x03\x04..........................", name.as_bytes()].concat()
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        assert_eq!(check(Type::Pdf, b"%PDF-1.7\n%%EOF"), Ok(()));
        for other in [&b"MZ\x90\0 PE"[..], b"\x7fELF", b"<html><body>", b"<svg xmlns=", b"Rar!\x1a\x07", b""]
        {
            assert_eq!(check(Type::Pdf, other), Err(Refusal::ContentMismatch));
            assert_eq!(check(Type::Docx, other), Err(Refusal::ContentMismatch));
        }
        assert_eq!(check(Type::Docx, &zip("word/document.xml")), Ok(()));
        assert_eq!(check(Type::Xlsx, &zip("word/document.xml")), Err(Refusal::ContentMismatch));
        assert_eq!(check(Type::Scorm, &zip("readme.txt")), Err(Refusal::ContentMismatch), "any archive");
    }

    #[test]
    fn what_cannot_be_looked_into_is_refused() {
        assert_eq!(check(Type::Pdf, b"%PDF-1.7 trailer << /Encrypt 5 0 R >>"), Err(Refusal::Encrypted));
        let office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1EncryptedPackage";
        assert_eq!(check(Type::Docx, office), Err(Refusal::ContentMismatch));
        let macros = [zip("word/document.xml"), b"word/vbaProject.bin".to_vec()].concat();
        assert_eq!(check(Type::Docx, &macros), Err(Refusal::Macros));
    }

    #[test]
    fn text_that_a_browser_would_run_is_no_text() {
        assert_eq!(check(Type::Txt, "Grüße\tan alle\r\n".as_bytes()), Ok(()));
        for page in ["<!DOCTYPE html>", "\u{feff} <HTML>", "<svg/>", "#!/bin/sh", "a <SCRIPT>", "a\u{0}b"] {
            assert_eq!(check(Type::Csv, page.as_bytes()), Err(Refusal::ContentMismatch), "{page}");
        }
    }

    #[test]
    fn html_svg_and_archives_are_no_type_at_all() {
        for media in
            ["text/html", "image/svg+xml", "application/x-msdownload", "application/x-rar", "", "pdf"]
        {
            assert!(Type::of_media(media).is_none(), "{media}");
        }
        assert_eq!(Type::of_media("Application/PDF; charset=x"), Some(Type::Pdf));
    }

    #[test]
    fn the_test_virus_is_found_wherever_it_lies() {
        let eicar = br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
        assert_eq!(Rules.scan(eicar).threat, Some("EICAR-Test-File"));
        assert_eq!(Rules.scan(&[&b"%PDF-1.4\n"[..], eicar].concat()).threat, Some("EICAR-Test-File"));
        assert_eq!(Rules.scan(b"%PDF-1.4 hello").threat, None);
    }
}
