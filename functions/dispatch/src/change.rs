//! A record of the stream, read: a new change record, or something of its place that cannot be read.

use crate::{Envelope, Scope, bus::LARGEST};
use serde_json::{Value, json};

pub mod image;

/// A new change record, with its place in the stream.
pub(crate) struct Change {
    pub sequence: String,
    pk: String,
    sk: String,
    /// What it says openly; none if the stream did not bring it.
    pub image: Option<Value>,
}

impl Change {
    /// None for what is no new change record.
    pub fn read(record: &Value) -> Option<Self> {
        let about = &record["dynamodb"];
        let image = image::plain(&about["NewImage"]);
        let key = |name: &str| {
            let own = about["Keys"][name]["S"].as_str();
            own.or(image.as_ref().and_then(|image| image[name].as_str())).map(String::from)
        };
        let (pk, sk) = (key("pk")?, key("sk").unwrap_or_default());
        let fresh = record["eventName"] == "INSERT" && pk.contains("#chg#");
        let sequence = about["SequenceNumber"].as_str().unwrap_or_default().to_string();
        fresh.then_some(Self { sequence, pk, sk, image })
    }

    /// The event that it carries, if any; or why it can never be sent.
    pub fn event(&self) -> Result<Option<Envelope>, String> {
        let image = self.image.as_ref().ok_or("the stream brought no image of it")?;
        if image.get("event").is_none() {
            return Ok(None);
        }
        let envelope = Envelope::from_change(&self.pk, image).ok_or("its event cannot be read")?;
        if Scope::from_claim(&envelope.tenant).is_none() {
            return Err("it is of no tenant".into());
        }
        let bytes = serde_json::to_string(&envelope).map_or(usize::MAX, |text| text.len());
        if bytes > LARGEST {
            return Err(format!("its event has {bytes} bytes and the bus takes {LARGEST}"));
        }
        Ok(Some(envelope))
    }

    /// For the dead letters: where it lies, and why it was given up.
    pub fn described(&self, reason: &str) -> Value {
        let event = self.image.as_ref().map(|image| &image["event"]["type"]);
        let id = format!("{}#{}", self.pk, self.sk);
        let tenant = self.pk.split('#').next();
        json!({"reason": reason, "type": event, "tenant": tenant, "id": id, "sequence": self.sequence})
    }
}
