//! SMS by SNS (AWS End User Messaging): the United Kingdom and wherever no local provider is connected. Termii and
//! Africa's Talking come with the connectors (INT-4).

use super::{Carrier, Outgoing, Receipt, Sending, Trouble, code_of};
use aws_sdk_sns::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::MessageAttributeValue,
};

const PROVIDER: &str = "sns";

pub struct Sns {
    client: Client,
}

impl Sns {
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Carrier for Sns {
    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(async move {
            let kind =
                MessageAttributeValue::builder().data_type("String").string_value("Transactional").build();
            let kind =
                kind.map_err(|_| Trouble::Never { provider: PROVIDER.into(), code: "unbuildable".into() })?;
            let request = self
                .client
                .publish()
                .phone_number(&message.to)
                .message(&message.text)
                .message_attributes("AWS.SNS.SMS.SMSType", kind);
            let sent = request.send().await.map_err(|e| trouble(&e))?;
            Ok(Receipt { provider: PROVIDER.into(), id: sent.message_id().unwrap_or_default().into() })
        })
    }
}

fn trouble<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Trouble {
    let provider = PROVIDER.to_string();
    let Some(code) = code_of(error) else { return Trouble::Unclear { provider, code: "timeout".into() } };
    match code.as_str() {
        "InvalidParameter" | "InvalidParameterException" | "ValidationException" => {
            Trouble::Gone { provider, code }
        }
        "OptedOut" | "OptedOutException" => Trouble::Gone { provider, code },
        "AuthorizationError" | "AuthorizationErrorException" => Trouble::Never { provider, code },
        _ => Trouble::Later { provider, code, after: None },
    }
}
