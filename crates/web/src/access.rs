//! Messages that a request leaves behind: who looked at whom, and that a session is alive.

use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{AccessId, Error, Id, Result, Ulid};
use serde::{Deserialize, Serialize};
use std::{future::Future, pin::Pin, time::Duration};
use store::{Caller, Store, chain::Entry, trail};

/// What a port answers.
pub type Replying<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;
pub type Posted<'a> = Replying<'a, ()>;

kernel::words! {
    /// Queues that are written to directly, not by the bus: by requests and by the clock.
    pub enum Queue {
        /// Access records; kept by the audit module.
        Access = "access",
        Identity = "identity",
        Patients = "patients",
        Scheduling = "scheduling",
        Audit = "audit",
        Documents = "documents",
        Notifications = "notifications",
        Integrations = "integrations",
        Workflow = "workflow",
        Eap = "eap",
        Tenants = "tenants",
        /// Changes that can never be put on the bus; read by operators alone.
        DispatchDead = "dispatch-dead",
    }
}

/// Where messages go: SQS in the cloud and locally, memory in tests.
pub trait Post: Send + Sync {
    fn send<'a>(&'a self, queue: Queue, body: String) -> Posted<'a>;
    /// Several to one queue. If it fails, some may have been accepted.
    fn send_all<'a>(&'a self, queue: Queue, bodies: Vec<String>) -> Posted<'a> {
        Box::pin(async move {
            for body in bodies {
                self.send(queue, body).await?;
            }
            Ok(())
        })
    }

    /// Not before so long, at most 15 minutes, where the queue can wait; else at once, so whoever hears it looks at
    /// the time again.
    fn send_after<'a>(&'a self, queue: Queue, body: String, wait: Duration) -> Posted<'a> {
        let _ = wait;
        self.send(queue, body)
    }
}

/// One access entry. It is accepted by the queue before anything of the record is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// `access.looked`
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(flatten)]
    pub entry: Entry,
    /// Over the entry, computed by its sender.
    pub hash: String,
}

kernel::words! {
    /// What is known when the entry is made: of one record, that it was asked for (the entry goes out beside the
    /// read, so that a failed or refused read leaves one too); of a list, what was shown; of a request that was
    /// turned away, that it was refused, or that its write failed.
    pub enum Outcome { Asked = "asked", Shown = "shown", Refused = "refused", Failed = "failed" }
}

/// What an access entry tells beside who called: which route, what was shown, how it ended.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    pub action: String,
    pub of: String,
    pub ids: Vec<String>,
    /// The persons whom the records are about, as far as they are known.
    pub subjects: Vec<String>,
    pub outcome: Option<Outcome>,
    pub status: Option<u16>,
    pub problem: Option<String>,
    pub reach: Option<String>,
    pub purpose: Option<String>,
}

impl Looked {
    /// The entry of a caller whose tenant is open: what is personal of it is sealed with the tenant's key.
    pub fn by(store: &Store, sight: Sight) -> Self {
        let Caller { by, roles, elevated, request, ip, agent, .. } = store.caller();
        let Sight { action, of, mut ids, mut subjects, outcome, status, problem, reach, purpose } = sight;
        let now = store.now();
        let id = AccessId::at(now).to_string();
        ids.truncate(MOST);
        subjects.sort();
        subjects.dedup();
        let context = trail::Context { ip: ip.clone(), agent: agent.clone(), purpose };
        let plain = serde_json::to_vec(&context).unwrap_or_default();
        let context = STANDARD.encode(store.seal(&trail::context_place(&id), plain));
        let entry = Entry {
            id,
            tenant: store.scope().to_string(),
            by: by.clone(),
            roles: roles.clone(),
            at: store::stamp(now),
            request: request.clone(),
            action,
            of,
            ids,
            subjects,
            outcome: outcome.unwrap_or(Outcome::Shown).to_string(),
            status,
            problem,
            reach,
            elevated: elevated.clone(),
            context: Some(context),
        };
        let hash = entry.hash();
        Self { kind: Self::TYPE.into(), entry, hash }
    }

    /// The message's `type`.
    pub const TYPE: &'static str = "access.looked";

    /// Hands the entry to its queue: once more if the first try takes too long, and no third time, since somebody
    /// waits for the answer.
    pub async fn send(&self, post: &dyn Post) -> Result<()> {
        let body = serde_json::to_string(self).map_err(Error::internal)?;
        let mut last = Error::Busy;
        for patience in PATIENCE {
            match tokio::time::timeout(patience, post.send(Queue::Access, body.clone())).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => last = error,
                Err(_) => last = Error::internal("the access queue did not answer in time"),
            }
        }
        tracing::error!(hash = self.hash, cause = ?last, "an access entry was not accepted");
        Err(last)
    }
}

/// Ids that one entry names.
const MOST: usize = 100;
/// For the first try and the second.
const PATIENCE: [Duration; 2] = [Duration::from_millis(700), Duration::from_millis(500)];

/// The first id of the product's own in a path, with its kind: never text that a caller made up.
pub(crate) fn named_in(path: &str) -> Option<(&'static str, String)> {
    path.split('/').find_map(|word| {
        let (kind, ulid) = word.split_once('_')?;
        let (kind, _) = kernel::KINDS.iter().find(|(known, _)| *known == kind)?;
        let canonical = Ulid::from_string(ulid).is_ok_and(|u| u.to_string() == ulid);
        canonical.then(|| (*kind, word.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::named_in;

    #[test]
    fn a_path_names_a_record_only_by_an_id_of_ours() {
        let id = "pat_01J00000000000000000000000";
        assert_eq!(named_in(&format!("/v1/patients/{id}/flags/x")), Some(("pat", id.to_string())));
        for odd in [
            "/v1/patients/pat_1",
            "/v1/x/zzz_01J00000000000000000000000",
            "/v1/pat_01j00000000000000000000000",
        ] {
            assert_eq!(named_in(odd), None, "{odd}");
        }
    }
}
