//! E-mail by SES v2. The configuration set sends what becomes of a message to our queue, with the tags that name
//! the organisation and the delivery.

use super::{Carrier, Outgoing, Receipt, Sending, Trouble, code_of};
use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag},
};

const PROVIDER: &str = "ses";

pub struct Ses {
    client: Client,
    /// The verified address of this deployment.
    sender: String,
    configuration_set: Option<String>,
}

impl Ses {
    pub fn new(client: Client, sender: &str, configuration_set: Option<&str>) -> Self {
        let configuration_set = configuration_set.filter(|s| !s.is_empty()).map(String::from);
        Self { client, sender: sender.into(), configuration_set }
    }
}

impl Carrier for Ses {
    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(async move {
            let never = |_| Trouble::Never { provider: PROVIDER.into(), code: "unbuildable".into() };
            let request = self
                .client
                .send_email()
                .from_email_address(sender(&message.from, &self.sender))
                .destination(Destination::builder().to_addresses(&message.to).build())
                .content(EmailContent::builder().simple(letter(message).map_err(never)?).build())
                .set_configuration_set_name(self.configuration_set.clone())
                .email_tags(tag("tenant", &message.tenant).map_err(never)?)
                .email_tags(tag("delivery", &message.key).map_err(never)?);
            let sent = request.send().await.map_err(|e| trouble(&e))?;
            let id = sent.message_id().unwrap_or_default().to_string();
            Ok(Receipt { provider: PROVIDER.into(), id })
        })
    }
}

type Built<T> = Result<T, aws_sdk_sesv2::error::BuildError>;

fn letter(message: &Outgoing) -> Built<Message> {
    let body = Body::builder().text(utf8(&message.text)?);
    let body = match &message.html {
        Some(html) => body.html(utf8(html)?),
        None => body,
    };
    let mut letter = Message::builder().subject(utf8(&message.subject)?).body(body.build());
    if let Some(url) = &message.unsubscribe {
        letter = letter
            .headers(header("List-Unsubscribe", &format!("<{url}>"))?)
            .headers(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?);
    }
    Ok(letter.build())
}

fn header(name: &str, value: &str) -> Built<MessageHeader> {
    MessageHeader::builder().name(name).value(value).build()
}

fn tag(name: &str, value: &str) -> Built<MessageTag> {
    MessageTag::builder().name(name).value(value).build()
}

fn utf8(text: &str) -> Built<Content> {
    Content::builder().data(text).charset("UTF-8").build()
}

/// `"Grace Hospital" <no-reply@…>`: the name is quoted, and holds nothing that could begin another header.
fn sender(name: &str, address: &str) -> String {
    let name: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\' | '<' | '>')).collect();
    match name.trim() {
        "" => address.into(),
        // Outside of ASCII a display name has to be encoded (RFC 2047).
        name if name.is_ascii() => format!("\"{name}\" <{address}>"),
        name => format!("=?UTF-8?B?{}?= <{address}>", data_encoding::BASE64.encode(name.as_bytes())),
    }
}

fn trouble<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Trouble {
    let provider = PROVIDER.to_string();
    let Some(code) = code_of(error) else { return Trouble::Unclear { provider, code: "timeout".into() } };
    match code.as_str() {
        "MessageRejected"
        | "BadRequestException"
        | "MailFromDomainNotVerifiedException"
        | "NotFoundException" => Trouble::Never { provider, code },
        _ => Trouble::Later { provider, code, after: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senders_name_begins_no_header_of_its_own() {
        assert_eq!(sender("Grace Hospital", "a@b.c"), "\"Grace Hospital\" <a@b.c>");
        assert_eq!(sender("Grace\r\nBcc: x\" <y@z>", "a@b.c"), "\"GraceBcc: x y@z\" <a@b.c>");
        assert_eq!(sender("", "a@b.c"), "a@b.c");
        assert!(sender("Ọ̀ṣun Clinic", "a@b.c").starts_with("=?UTF-8?B?"));
    }
}
