//! Letters to signers without a login.

use web::Letter;

pub fn asked(
    to: &str,
    name: &str,
    organisation: &str,
    link: &str,
    message: Option<&str>,
    until: &str,
) -> Letter {
    let message = message.map(|m| format!("They write:\n\n{m}\n\n")).unwrap_or_default();
    let text = format!(
        "Dear {name},\n\n{organisation} asks you to sign a document:\n\n{link}\n\n{message}\
         The link is yours alone and works until {until}. You will get a code by e-mail before the document is shown.\n\n\
         If you do not know {organisation}, ignore this letter.\n"
    );
    Letter { to: to.into(), subject: format!("{organisation} asks for your signature"), text }
}

pub fn code(to: &str, organisation: &str, code: &str) -> Letter {
    let text = format!(
        "Your code for the document of {organisation} is\n\n    {code}\n\nIt works for 10 minutes. We never ask for it \
         by telephone.\n"
    );
    Letter { to: to.into(), subject: format!("Your code: {organisation}"), text }
}

pub fn completed(to: &str, name: &str, organisation: &str, title: &str, sha256: &str) -> Letter {
    let text = format!(
        "Dear {name},\n\n{title} has been signed by everybody. {organisation} keeps it with the certificate of its \
         signatures. The certificate's fingerprint (SHA-256) is\n\n    {sha256}\n\nand can be verified with {organisation}.\n"
    );
    Letter { to: to.into(), subject: format!("Signed: a document of {organisation}"), text }
}
