//! Web Push: to the push service that a browser chose (RFC 8030), readable by that browser alone (RFC 8291), and signed
//! by the organisation that the browser subscribed to (RFC 8292). The push service learns no more than that there is a
//! message; the message holds ids and codes, and the app reads the rest through the API.

pub mod encrypt;
pub mod vapid;

use super::{Admission, Carrier, Outgoing, Receipt, Sending, Trouble};
use crate::push_endpoint::Platform;
use encrypt::Keys;
use jiff::SignedDuration;
use kernel::Clock;
use outgoing::{Answered, Call, Failed, Wire};
use serde_json::{Map, Value, json};
use url::Url;
use vapid::Identity;

const PROVIDER: &str = "web_push";
/// Seconds that a push service keeps it for a browser that is not there: what is older is in the inbox anyway.
const KEPT: u32 = 3600;

pub struct WebPush {
    wire: Wire,
    clock: Clock,
    /// Where a push service asks about us: an address of ours.
    contact: String,
}

/// What a browser has given, and whose message it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub keys: Keys,
    pub identity: Identity,
}

impl WebPush {
    pub fn new(wire: Wire, clock: Clock, contact: &str) -> Self {
        Self { wire, clock, contact: contact.into() }
    }

    fn call(&self, message: &Outgoing) -> Result<Call, &'static str> {
        let to = message.subscription.as_ref().ok_or("not-a-browser")?;
        let url: Url = message.to.parse().map_err(|_| "unsafe-url")?;
        let signed = to.identity.authorization(&url, &self.contact, self.clock.now()).ok_or("no-identity")?;
        let body =
            encrypt::sealed(&to.keys, payload(message).to_string().as_bytes()).ok_or("unusable-keys")?;
        let headers = [
            ("authorization", signed),
            ("content-encoding", "aes128gcm".into()),
            ("content-type", "application/octet-stream".into()),
            ("ttl", KEPT.to_string()),
            ("urgency", urgency(message).into()),
            ("topic", topic(&message.key)),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Ok(Call { url, headers, body })
    }
}

impl Carrier for WebPush {
    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(async move {
            let never = |code: &str| Trouble::Never { provider: PROVIDER.into(), code: code.into() };
            let call = self.call(message).map_err(never)?;
            settled(&message.key, self.wire.post(&call).await)
        })
    }
    fn admits(&self, platform: Platform, token: &str) -> Admission {
        match platform {
            Platform::Webpush if token.parse().is_ok_and(|url| self.wire.accepts(&url)) => Admission::Yes,
            Platform::Webpush => Admission::Unsafe,
            Platform::Fcm | Platform::Apns => Admission::NoProvider,
        }
    }
}

/// Ids and codes only.
fn payload(message: &Outgoing) -> Value {
    let data: Map<String, Value> = message.data.iter().map(|(n, v)| (n.clone(), v.clone().into())).collect();
    json!({"type": "notification", "key": message.key, "data": data})
}

/// RFC 8030 §5.3, from our own word for it.
fn urgency(message: &Outgoing) -> &'static str {
    let priority = message.data.iter().find(|(name, _)| name == "priority").map(|(_, value)| value.as_str());
    match priority {
        Some("critical" | "high") => "high",
        Some("low") => "low",
        _ => "normal",
    }
}

/// The same message again takes the place of the one before, while that waits (RFC 8030 §5.4: 32 characters).
fn topic(key: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&seal::sha256(key.as_bytes())[..24])
}

fn settled(key: &str, answer: Result<Answered, Failed>) -> Result<Receipt, Trouble> {
    let provider = PROVIDER.to_string();
    let answer = match answer {
        Ok(answer) => answer,
        Err(failed) => {
            let code = failed.to_string();
            return Err(match failed {
                Failed::Unsafe => Trouble::Never { provider, code },
                Failed::Unresolved | Failed::Unreachable | Failed::Tls => {
                    Trouble::Later { provider, code, after: None }
                }
                Failed::TimedOut | Failed::Broken => Trouble::Unclear { provider, code },
            });
        }
    };
    let code = format!("answered-{}", answer.status);
    match answer.status {
        200..300 => Ok(Receipt { provider, id: key.into() }),
        404 | 410 => Err(Trouble::Gone { provider, code }),
        429 | 500..600 => {
            let after = answer.retry_after.and_then(|s| i64::try_from(s).ok()).map(SignedDuration::from_secs);
            Err(Trouble::Later { provider, code, after })
        }
        _ => Err(Trouble::Never { provider, code }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outgoing::{Https, Permit};
    use std::sync::Arc;

    fn answered(status: u16, retry_after: Option<u64>) -> Result<Receipt, Trouble> {
        settled("dlv_1", Ok(Answered { status, retry_after, body: vec![] }))
    }

    #[test]
    fn what_a_push_service_says_means_sent_gone_later_or_never() {
        assert_eq!(answered(201, None).unwrap().id, "dlv_1");
        for gone in [404, 410] {
            assert!(matches!(answered(gone, None), Err(Trouble::Gone { .. })), "{gone}");
        }
        let Err(Trouble::Later { after, .. }) = answered(429, Some(90)) else { panic!("429 is for later") };
        assert_eq!(after, Some(SignedDuration::from_secs(90)));
        assert!(matches!(answered(503, None), Err(Trouble::Later { after: None, .. })));
        for never in [301, 400, 401, 403, 413] {
            assert!(matches!(answered(never, None), Err(Trouble::Never { .. })), "{never}");
        }
        assert!(matches!(settled("k", Err(Failed::TimedOut)), Err(Trouble::Unclear { .. })));
        assert!(matches!(settled("k", Err(Failed::Unsafe)), Err(Trouble::Never { .. })));
    }

    #[test]
    fn only_browsers_at_public_addresses_are_admitted() {
        let carrier =
            WebPush::new(Arc::new(Https::new(Permit::Public)), Clock::default(), "https://app.test");
        let is = |platform, token| carrier.admits(platform, token);
        assert_eq!(
            is(Platform::Webpush, "https://updates.push.services.mozilla.com/wpush/v2/x"),
            Admission::Yes
        );
        for token in ["https://169.254.169.254/", "http://push.example.org/", "https://localhost/x", "x"] {
            assert_eq!(is(Platform::Webpush, token), Admission::Unsafe, "{token}");
        }
        assert_eq!(is(Platform::Fcm, "token-of-a-phone"), Admission::NoProvider);
    }

    #[test]
    fn nothing_of_the_text_is_in_what_is_sent() {
        let message = Outgoing {
            key: "dlv_1".into(),
            subject: "Potassium 6.9".into(),
            text: "Ngozi Okafor".into(),
            data: vec![("priority".into(), "critical".into()), ("record".into(), "res_1".into())],
            ..Outgoing::default()
        };
        assert_eq!(
            payload(&message),
            json!({"type": "notification", "key": "dlv_1", "data": {"priority": "critical", "record": "res_1"}})
        );
        assert_eq!((urgency(&message), topic("dlv_1").len()), ("high", 32));
    }
}
