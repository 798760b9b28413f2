//! What a module does on messages. Every consumer is idempotent: what it has seen stands in the commit of its
//! effect, so a second delivery changes nothing.

use crate::{App, Ctx, Module};
use events::Envelope;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use kernel::{Error, Result, error::found};
use serde_json::Value;
use std::sync::Arc;
use store::{Commit, Key, Scope};

pub type Running = BoxFuture<'static, Result<()>>;
type Reacts = Arc<dyn Fn(Ctx, Envelope) -> Running + Send + Sync>;
type Does = Arc<dyn Fn(App, Vec<Value>) -> Running + Send + Sync>;

/// What a module does when it hears of an event.
#[derive(Clone)]
pub struct Reaction {
    pub event: &'static str,
    run: Reacts,
}

/// What a module does on a message that is no event; `name` is the message's `type`.
#[derive(Clone)]
pub struct Task {
    pub name: &'static str,
    /// Takes all of its messages of a batch together, not one by one.
    pub gathers: bool,
    run: Does,
}

impl Reaction {
    pub fn on<F>(event: &'static str, run: impl Fn(Ctx, Envelope) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self { event, run: Arc::new(move |ctx, envelope| Box::pin(run(ctx, envelope))) }
    }
}

impl Reaction {
    /// Every event, for modules whose tenants choose what they want to hear of: webhooks, rules, notifications.
    pub const ALL: &'static str = "*";

    fn hears(&self, event: &str) -> bool {
        self.event == Self::ALL || self.event == event
    }
}

impl Task {
    pub fn on<F>(name: &'static str, run: impl Fn(App, Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let one = move |app, mut values: Vec<Value>| -> Running {
            Box::pin(run(app, values.pop().unwrap_or_default()))
        };
        Self { name, gathers: false, run: Arc::new(one) }
    }

    /// What is cheaper done together: all messages of this name in one delivery. If it fails, all of them come again.
    pub fn gathering<F>(
        name: &'static str,
        run: impl Fn(App, Vec<Value>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self { name, gathers: true, run: Arc::new(move |app, values| Box::pin(run(app, values))) }
    }
}

/// A message, read.
#[derive(Clone, Debug)]
pub enum Message {
    Event(Envelope),
    Other(Value),
}

impl Message {
    /// From a queue: an event as the bus delivers it (in `detail`), or something of our own, which has a `type`.
    pub fn read(body: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(body).map_err(Error::internal)?;
        let by_bus = value.get("detail-type").is_some();
        let inner = value.get("detail").cloned().unwrap_or(value);
        match serde_json::from_value::<Envelope>(inner.clone()) {
            Ok(envelope) => Ok(Self::Event(envelope)),
            Err(e) if by_bus => Err(Error::internal(format!("an event that cannot be read: {e}"))),
            Err(_) if inner["type"].is_string() => Ok(Self::Other(inner)),
            Err(_) => Err(Error::internal("a message without a type")),
        }
    }
}

/// Handles one message: every reaction that listens to it, also after one of them has failed; the first failure
/// is answered. What nobody listens to is done.
pub async fn consume(module: &Module, app: &App, message: &Message) -> Result<()> {
    let mut outcome = Ok(());
    match message {
        Message::Event(event) => {
            for reaction in module.reactions.iter().filter(|r| r.hears(&event.kind)) {
                let scope = Scope::from_claim(&event.tenant)
                    .ok_or_else(|| Error::internal(format!("event {} of no tenant", event.id)))?;
                let ctx = Ctx::caused(app, scope, module.name, &event.id, event.cause.clone()).await;
                // Erased meanwhile, with its key: nothing can follow from it any more.
                let Some(ctx) = found(ctx)? else { return Ok(()) };
                outcome = outcome.and(done((reaction.run)(ctx, event.clone()).await));
            }
        }
        Message::Other(value) => {
            for task in module.tasks.iter().filter(|t| value["type"] == t.name) {
                outcome = outcome.and(done((task.run)(app.clone(), vec![value.clone()]).await));
            }
        }
    }
    outcome
}

impl Module {
    /// Whether a message of this name (an event's, or a task's) is for it.
    pub fn hears(&self, name: &str) -> bool {
        self.reactions.iter().any(|r| r.hears(name)) || self.tasks.iter().any(|t| t.name == name)
    }
}

/// The task that takes all messages of this one's kind together, if there is one.
pub(crate) fn gatherer<'a>(module: &'a Module, value: &Value) -> Option<&'a Task> {
    module.tasks.iter().find(|t| t.gathers && value["type"] == t.name)
}

/// Hands a gathering task its messages.
pub(crate) async fn gather(task: &Task, app: &App, messages: Vec<Value>) -> Result<()> {
    done((task.run)(app.clone(), messages).await)
}

/// An effect that was there already, or a newer one in its place, is success.
pub fn done(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::Refused(r)) if r.code == SEEN || r.code == store::SUPERSEDED => Ok(()),
        other => other,
    }
}

const SEEN: &str = "seen-already";

/// Whether it was done now; false if the change was handled before.
pub fn done_now(done: Result<()>) -> Result<bool> {
    match done {
        Err(Error::Refused(r)) if r.code == SEEN => Ok(false),
        other => other.map(|()| true),
    }
}

fn seen(consumer: &str, change: &str) -> Key {
    Key::item("seen", consumer, store::segment(change))
}

/// How long a delivery is remembered; queues keep a message for 14 days at most.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Ctx {
    /// For a consumer that needs every step of a record, in order: the events after the version that it knows, up to
    /// this one, read from the change records. Nothing has to be waited for: a version is written after those
    /// before it, so whoever hears of it can read them all.
    pub async fn steps(&self, event: &Envelope, known: u64) -> Result<Vec<Envelope>> {
        let Some((kind, _)) = event.id.split_once('#') else { return Ok(vec![]) };
        let steps = self.store().steps(kind, &event.record, known, event.version).await?;
        Ok(steps.iter().filter_map(|step| Envelope::from_change(step["pk"].as_str()?, step)).collect())
    }

    /// The commit happens only if this consumer has not handled this change before.
    pub fn once_for(&self, commit: Commit, consumer: &str, change: &str) -> Commit {
        let key = seen(consumer, change);
        let ttl = self.now() + REMEMBERED;
        let note = serde_json::json!({"at": self.now()});
        commit.first_time(&key, &note, ttl, || Error::conflict(SEEN, "handled before"))
    }

    /// For what no commit can hold, such as a letter: does it unless this consumer has done it for this change, and
    /// notes it afterwards. Rather twice than never.
    pub async fn tell_once(
        &self,
        consumer: &str,
        change: &str,
        work: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        if self.store().read::<Value>(&seen(consumer, change)).await?.is_some() {
            return Ok(());
        }
        work.await?;
        done(self.once_for(self.store().commit(), consumer, change).run().await)
    }
}
