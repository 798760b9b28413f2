//! What signers without a login are told, by letter or, more shortly, by SMS.

use super::Signer;
use jiff::SignedDuration;
use kernel::Result;
use store::Store;
use web::{App, Letter, Sms};

/// How long an SMS that tells of something is still of use.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// The same for both ways; an SMS names no document.
pub struct Said {
    subject: String,
    text: String,
    short: String,
}

/// Where a signer is reached.
pub enum Reached {
    Mailbox(String),
    Telephone(String),
}

impl Reached {
    pub fn of(signer: &Signer) -> Option<Self> {
        let mailbox = signer.email.as_ref().map(|a| Self::Mailbox(a.0.clone()));
        mailbox.or_else(|| signer.phone.as_ref().map(|p| Self::Telephone(p.0.clone())))
    }

    pub async fn tell(self, app: &App, store: &Store, said: Said, good_for: SignedDuration) -> Result<()> {
        match self {
            Self::Mailbox(to) => app.mail().send(Letter { to, subject: said.subject, text: said.text }).await,
            Self::Telephone(to) => Sms::new(store, &to, said.short, good_for).send(app, store).await,
        }
    }
}

pub fn asked(name: &str, organisation: &str, link: &str, message: Option<&str>, until: &str) -> Said {
    let message = message.map(|m| format!("They write:\n\n{m}\n\n")).unwrap_or_default();
    let text = format!(
        "Dear {name},\n\n{organisation} asks you to sign a document:\n\n{link}\n\n{message}\
         The link is yours alone and works until {until}. You will get a code by e-mail before the document is shown.\n\n\
         If you do not know {organisation}, ignore this letter.\n"
    );
    let short = format!("{organisation} asks you to sign a document until {until}: {link}");
    Said { subject: format!("{organisation} asks for your signature"), text, short }
}

pub fn code(organisation: &str, code: &str) -> Said {
    let text = format!(
        "Your code for the document of {organisation} is\n\n    {code}\n\nIt works for 10 minutes. We never ask for it \
         by telephone.\n"
    );
    let short =
        format!("{code} is your code for the document of {organisation}. We never ask for it by telephone.");
    Said { subject: format!("Your code: {organisation}"), text, short }
}

pub fn completed(name: &str, organisation: &str, title: &str, sha256: &str) -> Said {
    let text = format!(
        "Dear {name},\n\n{title} has been signed by everybody. {organisation} keeps it with the certificate of its \
         signatures. The certificate's fingerprint (SHA-256) is\n\n    {sha256}\n\nand can be verified with {organisation}.\n"
    );
    let short = format!(
        "The document of {organisation} has been signed by everybody. Fingerprint of the certificate: {sha256}"
    );
    Said { subject: format!("Signed: a document of {organisation}"), text, short }
}
