//! Two organisations on one platform, and everything that leaves them kept.

use journeys::{
    Senders,
    house::{House, MORNING, is_personal},
    probe::{Position, Resources, bodies, paths, queries},
    with_ways_out,
    words::Words,
};
use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};
use testkit::{Actor, Judge, Reply, World};
use web::{Door, Queue, Route};

/// Everything that was logged by this process, at whatever level, by code of ours.
pub fn logs() -> &'static Logs {
    static LOGS: OnceLock<Logs> = OnceLock::new();
    LOGS.get_or_init(|| {
        let logs = Logs::default();
        let writer = logs.clone();
        let quiet = "trace,aws_config=off,aws_smithy_runtime=off,aws_smithy_runtime_api=off,aws_sdk_dynamodb=off,\
                     aws_sigv4=off,aws_runtime=off,hyper=off,hyper_util=off,h2=off,dynoxide=off";
        let _ = tracing_subscriber::fmt()
            .with_env_filter(quiet)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .try_init();
        logs
    })
}

#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub struct Street {
    pub world: World,
    pub senders: Arc<Senders>,
    pub routes: Vec<Route>,
    /// Who asks.
    pub grace: House,
    /// Who is asked for.
    pub mercy: House,
}

impl Street {
    pub async fn built() -> Self {
        Self::judged(None).await
    }
    pub async fn judged(judge: Option<Judge>) -> Self {
        logs();
        let senders = Arc::<Senders>::default();
        let modules = with_ways_out(senders.channels(), senders.clone());
        let routes = modules.iter().flat_map(|m| m.routes.clone()).collect();
        let world = match judge {
            Some(judge) => World::judged(modules, judge).await,
            None => World::with(modules).await,
        };
        world.clock.set(MORNING.parse().unwrap());
        let grace = House::furnish(&world, "grace", "Quibrello", "4417731").await;
        let mercy = House::furnish(&world, "mercy", "Zanthrope", "8829964").await;
        let street = Self { world, senders, routes, grace, mercy };
        street.settles().await;
        street
    }

    /// Events find their way, queues are emptied, until nothing follows any more.
    pub async fn settles(&self) {
        loop {
            let mut quiet = self.world.deliver().await.is_empty();
            for queue in [Queue::Notifications, Queue::Integrations, Queue::Documents, Queue::Audit] {
                for letter in self.world.letters.take(queue) {
                    quiet = false;
                    self.world.hand_over_other(&letter).await;
                }
            }
            if quiet {
                return;
            }
        }
    }

    pub fn private(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|r| r.door != Door::Public)
    }

    /// Everybody of the asking organisation: one who may all that anybody there may, and each role by itself.
    pub fn askers(&self) -> Vec<(String, Actor)> {
        let each = testkit::roles().filter(|r| is_personal(r));
        let each = each.map(|role| (role.to_string(), self.grace.tenant.staff(role)));
        [("everybody".to_string(), self.grace.everybody())].into_iter().chain(each).collect()
    }

    pub async fn positions(&self) -> (Vec<Position>, Resources, Resources) {
        let theirs = Resources::of(&self.mercy, &self.routes).await;
        let ours = Resources::of(&self.grace, &self.routes).await;
        let reading = |r| [paths(r, &theirs, &ours), queries(r, &theirs, &ours)];
        let mut all: Vec<Position> = self.private().flat_map(reading).flatten().collect();
        // Last, since what they make in one's own house names the other's ids.
        all.extend(self.private().flat_map(|r| bodies(r, &theirs, &ours, &self.grace)));
        (all, theirs, ours)
    }
}

/// Nothing of an answer holds such a word.
pub fn silent(reply: &Reply, words: &Words, asked: &str) {
    let heads: String = reply.headers.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
    let found = words.found(&reply.bytes).or(words.found(heads.as_bytes()));
    assert!(found.is_none(), "{asked} tells {found:?}: {:#}", reply.body);
}
