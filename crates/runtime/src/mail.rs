//! Letters by SES.

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use kernel::{Error, Result};
use web::{Letter, Mail, access::Posted};

pub struct Ses {
    client: aws_sdk_sesv2::Client,
    sender: String,
}

impl Ses {
    pub fn new(client: aws_sdk_sesv2::Client, sender: &str) -> Self {
        Self { client, sender: sender.into() }
    }
}

impl Mail for Ses {
    fn send<'a>(&'a self, letter: Letter) -> Posted<'a> {
        Box::pin(async move {
            let message = Message::builder()
                .subject(utf8(&letter.subject)?)
                .body(Body::builder().text(utf8(&letter.text)?).build());
            let content = EmailContent::builder().simple(message.build()).build();
            let to = Destination::builder().to_addresses(&letter.to).build();
            let request =
                self.client.send_email().from_email_address(&self.sender).destination(to).content(content);
            request.send().await.map(drop).map_err(|e| Error::internal(format!("mail: {e}")))
        })
    }
}

fn utf8(text: &str) -> Result<Content> {
    Content::builder().data(text).charset("UTF-8").build().map_err(Error::internal)
}
