//! Addresses that nobody can be reached at.

use kernel::Error;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct Mailboxes {
    never: Vec<String>,
    reserved: Vec<String>,
    disposable: Vec<String>,
}

static MAILBOXES: LazyLock<Mailboxes> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/mailboxes.json")).expect("read by this crate's tests")
});

/// 422 for one-time mailboxes and names that never resolve; the names reserved for examples are refused in
/// production alone.
pub fn deliverable(email: &str, stage: &str) -> Result<(), Error> {
    let host = email.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let top = host.rsplit('.').next().unwrap_or_default();
    let within = |all: &[String]| all.iter().any(|d| host == *d || host.ends_with(&format!(".{d}")));
    let reserved = stage == "prod" && MAILBOXES.reserved.iter().any(|t| t == top);
    if within(&MAILBOXES.disposable) || MAILBOXES.never.iter().any(|t| t == top) || reserved {
        let detail = "we cannot reach anybody at this address: give one that you read";
        return Err(Error::field("email-undeliverable", "/admin_email", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_mailboxes_and_names_that_never_resolve_are_refused() {
        for (email, stage, fine) in [
            ("ada@grace.com.ng", "prod", true),
            ("ada@mailinator.com", "local", false),
            ("ada@eu.mailinator.com", "prod", false),
            ("ada@notmailinator.com", "prod", true),
            ("ada@grace.invalid", "local", false),
            ("ada@grace.example", "local", true),
            ("ada@grace.example", "prod", false),
        ] {
            assert_eq!(deliverable(email, stage).is_ok(), fine, "{email} in {stage}");
        }
    }
}
