//! What the rooms of this module share: due rows, persons, names.

use jiff::civil::Date;
use kernel::{DocumentId, Id, Result, text};
use serde_json::Value;
use store::{Entity, Record};
use web::{App, Ctx};

pub use web::live;

/// The tenant's context and the record of a due row; none if it names nothing of ours (any more).
pub async fn due<E: Entity>(app: &App, row: &Value) -> Result<Option<(Ctx, Record<E>)>> {
    web::rung(app, "documents", row).await
}

/// Whether the caller is this person, or may see to their documents; `own`: only the person.
pub async fn linked(ctx: &Ctx, person: &str, own: bool) -> Result<bool> {
    let link = ctx.linked(person).await?;
    Ok(link.is_some_and(|link| if own { link.is_oneself() } else { link.gives("documents") }))
}

/// `<kind>_<ulid>` of any kind: of records that other modules keep.
pub fn is_id(word: &str) -> bool {
    let ulid = word.split_once('_').filter(|(kind, _)| kind.len() == 3).map(|(_, ulid)| ulid);
    ulid.is_some_and(|u| format!("{}_{u}", DocumentId::KIND).parse::<DocumentId>().is_ok())
        && word.bytes().take(3).all(|b| b.is_ascii_lowercase())
}

/// Months later, as calendars count.
pub fn months(from: Date, months: u16) -> Option<Date> {
    from.checked_add(jiff::Span::new().months(i64::from(months))).ok()
}

/// A file's name as it is kept: its last part, without what a path or a header could be made of.
pub fn file_name(typed: &str) -> std::result::Result<String, text::TextError> {
    let last = typed.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|c| !text::is_hidden(*c)).collect();
    text::line(shown.trim_matches(['.', ' ']), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_its_last_part_alone() {
        for (typed, kept) in [
            ("licence.pdf", "licence.pdf"),
            ("C:\\Users\\ada\\licence.pdf", "licence.pdf"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nb\u{202e}fdp.exe", "abfdp.exe"),
            ("  .hidden.pdf ", "hidden.pdf"),
        ] {
            assert_eq!(file_name(typed).unwrap(), kept);
        }
        assert!(file_name("a/").is_err());
        assert!(file_name(&"x".repeat(201)).is_err());
    }

    #[test]
    fn ids_of_other_modules_are_known_by_their_form() {
        assert!(is_id("pat_01ARZ3NDEKTSV4RRFFQ69G5FAV"));
        for other in
            ["pat_1", "patient", "PAT_01ARZ3NDEKTSV4RRFFQ69G5FAV", "pat#01ARZ3NDEKTSV4RRFFQ69G5FAV", ""]
        {
            assert!(!is_id(other), "{other}");
        }
    }
}
