//! Every write that a story makes, with the table failing at each of its calls in each of the ways there are. With
//! `FAULTS=quick` the first success of every operation and every consumed message in a test binary is tried so, with
//! `FAULTS=every` each of them, with `FAULTS='<operation> <fault>'` that one.
//!
//! What is done once without a fault says what has to come of it. Then the table is put back, the same is begun with
//! the fault, and done again as a client or a queue would, until an answer stands; table and answer have to be alike,
//! and the table whole. At last the table is put to where the first run had left it, and the story goes on.
//!
//! Some work is left to others when it is interrupted: a lease has to end, a row is due, an event is heard. Where the
//! two are not alike at once, both are waited for (see `rest`): then they have to be alike in what they are and what
//! they told, however often it was tried (`likeness::of_end`).
//!
//! A run that is had again is the same run: time ticks by looks, ids follow from the story's name and the number of the
//! write, whatever was tried before it. Which story is the first is a matter of their order: `--test-threads=1` makes it
//! that of their names.

mod at_rest;
mod told;
mod trial;

pub use told::WAITS;
pub(crate) use {
    at_rest::AtRest,
    told::{Stands, Told, answered, consumed},
};

use crate::{
    chance,
    proof::{
        ledger, likeness, rest, simulation,
        state::{Keeper, State},
    },
    table::{
        layer::{Fault, Layer, Watched},
        trips::Trips,
    },
};
use jiff::Timestamp;
use kernel::Clock;
use std::{
    collections::BTreeSet,
    env,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
};
use trial::Trial;
use web::{App, Module};

/// Puts a double back to what it was.
pub type Back = Box<dyn Fn() + Send + Sync>;

/// Boxed, so that no story's future grows by it.
pub(crate) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What lies beside the table and is part of a story's world: another system's double.
pub trait Keeps: Send + Sync {
    /// Keeps what it holds now; the answer brings it back.
    fn keep(self: Arc<Self>) -> Back;
}

impl<T: Clone + Send + Sync + 'static> Keeps for Mutex<T> {
    fn keep(self: Arc<Self>) -> Back {
        let kept = self.lock().expect("never poisoned").clone();
        Box::new(move || *self.lock().expect("never poisoned") = kept.clone())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Quick,
    Every,
    Only(String, Fault),
    /// Nothing by itself: deliveries are simulated.
    Never,
}

/// Said once per process.
static FORM: LazyLock<Option<Form>> = LazyLock::new(|| {
    let Ok(said) = env::var("FAULTS") else { return simulation::is_on().then_some(Form::Never) };
    Some(match &*said {
        "quick" => Form::Quick,
        "every" => Form::Every,
        one => {
            let (name, fault) =
                one.rsplit_once(' ').expect("FAULTS is quick, every or '<operation> <fault>'");
            Form::Only(name.into(), fault.parse().unwrap_or_else(|e| panic!("{e}")))
        }
    })
});

pub(crate) fn is_on() -> bool {
    FORM.is_some()
}

/// When stories begin under faults and in simulation.
const BEGINNING: Timestamp = Timestamp::constant(1_795_942_800, 0);

/// The clock of a world that begins. Under faults and in simulation it ticks, and ids follow from the story's name: a run
/// that is had again is the same in everything that sorts by time or by id.
pub(crate) fn clock() -> Clock {
    if !is_on() {
        return Clock::default();
    }
    chance::begins();
    Clock::ticking(BEGINNING)
}

/// What was tried in this process.
static TRIED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[derive(Clone)]
pub(crate) struct Proving(Arc<Inner>);

struct Inner {
    form: Form,
    pub keeper: Keeper,
    layer: Layer,
    trips: Trips,
    app: App,
    /// Method, path in its segments, and the name of every route that writes.
    writes: Vec<(String, Vec<String>, String)>,
    modules: Arc<Vec<Module>>,
    /// Whoever holds it is alone in this world.
    turn: tokio::sync::Mutex<()>,
    beside: Mutex<Vec<Arc<dyn Keeps>>>,
    ended: AtomicBool,
}

/// Table, doubles and the story's time at one moment.
pub(crate) struct Moment {
    pub table: State,
    beside: Vec<Back>,
    at: Timestamp,
}

/// What environments keep of the table.
const CACHED: [&str; 4] = ["#fact#", "#key#", "#closers#", "#dig#"];

impl Proving {
    /// If the environment asks for it.
    pub fn of(
        keeper: &Keeper,
        layer: &Layer,
        trips: &Trips,
        app: &App,
        modules: &Arc<Vec<Module>>,
    ) -> Option<Self> {
        let form = FORM.clone()?;
        let routes = modules.iter().flat_map(|m| &m.routes).filter(|r| r.method != "GET");
        let writes = routes
            .map(|r| {
                let segments = r.path.split('/').map(String::from).collect();
                (r.method.to_string(), segments, format!("{} {}", r.method, r.path))
            })
            .collect();
        Some(Self(Arc::new(Inner {
            form,
            keeper: keeper.clone(),
            layer: layer.clone(),
            trips: trips.clone(),
            app: app.clone(),
            writes,
            modules: modules.clone(),
            turn: tokio::sync::Mutex::default(),
            beside: Mutex::default(),
            ended: AtomicBool::new(false),
        })))
    }

    /// From now on nothing fails in this world any more.
    pub fn end(&self) {
        self.0.ended.store(true, SeqCst);
    }
    pub fn beside(&self, double: Arc<dyn Keeps>) {
        self.0.beside.lock().expect("never poisoned").push(double);
    }

    async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if self.0.ended.load(SeqCst) { None } else { Some(self.0.turn.lock().await) }
    }

    /// The route of a request, if it writes: `POST /v1/patients/{id}/merge`.
    pub fn named(&self, method: &str, path: &str) -> Option<String> {
        let path = path.split('?').next().unwrap_or_default().trim_start_matches("/partner");
        let words: Vec<&str> = path.split('/').collect();
        let fits = |segments: &[String]| {
            segments.len() == words.len()
                && segments
                    .iter()
                    .zip(&words)
                    .all(|(segment, word)| segment.starts_with('{') || segment == word)
        };
        let fitting = self.0.writes.iter().filter(|(m, segments, _)| m == method && fits(segments));
        // A word of its own is nearer than a parameter.
        fitting.min_by_key(|(_, _, name)| name.matches('{').count()).map(|(_, _, name)| name.clone())
    }

    /// Does it once. `name`: what it is, if it may be tried with faults. `keyed`: that it may be sent again without
    /// looking. `read`: what to compare of its outcome. What is refused without a fault is left at that.
    pub fn work<'a, T: Send + 'a>(
        &'a self,
        name: Option<String>,
        keyed: bool,
        work: impl Fn() -> Work<'a, T> + Send + Sync + 'a,
        read: fn(&T) -> Told,
    ) -> Work<'a, T> {
        Box::pin(async move {
            let Some(_turn) = self.turn().await else { return work().await };
            let Some(name) = name else { return work().await };
            let begun = chance::begins();
            if !self.wants(&name) {
                return work().await;
            }
            let before = self.beginning();
            let outcome = work().await;
            let told = read(&outcome);
            let Some(name) = told.stands.named(&name).filter(|name| self.claims(name)) else {
                return outcome;
            };
            let after = self.moment();
            let trial = Trial {
                proving: self,
                name: &name,
                begun,
                keyed,
                before: &before,
                wanted: told.words,
                after: &after,
                change: likeness::of_change(&before.table, &after.table),
                at_rest: AtRest::of(self, &before.table, &after),
            };
            let (runs, later) = trial.all(&work, read).await;
            self.back_to(&after);
            chance::ids_of(&format!("after {begun}"));
            ledger::tried("faults", &name, runs, later);
            outcome
        })
    }

    fn wants(&self, name: &str) -> bool {
        match &self.0.form {
            Form::Every => true,
            Form::Quick => !TRIED.lock().expect("never poisoned").contains(name),
            Form::Only(only, _) => only.trim_end_matches(WAITS) == name,
            Form::Never => false,
        }
    }
    fn claims(&self, name: &str) -> bool {
        match &self.0.form {
            Form::Only(only, _) => only == name,
            Form::Quick => TRIED.lock().expect("never poisoned").insert(name.into()),
            Form::Every | Form::Never => true,
        }
    }

    /// A moment to come back to often.
    pub fn beginning(&self) -> Moment {
        self.0.keeper.begin();
        self.moment()
    }
    pub fn moment(&self) -> Moment {
        let beside = self.0.beside.lock().expect("never poisoned");
        Moment {
            at: self.0.app.clock().now(),
            table: self.0.keeper.state(),
            beside: beside.iter().map(|d| d.clone().keep()).collect(),
        }
    }

    pub fn table(&self) -> State {
        self.0.keeper.state()
    }

    /// Whether this world still fails.
    pub fn is_over(&self) -> bool {
        self.0.ended.load(SeqCst)
    }

    /// Table, doubles and time as they were, and nothing cached of what has changed.
    pub fn back_to(&self, moment: &Moment) {
        self.back(&self.table(), moment);
    }

    /// The same, where what lies in the table now is known.
    fn back(&self, now: &State, moment: &Moment) {
        let cached = |pk: &str| CACHED.iter().any(|kind| pk.contains(kind));
        if self.0.keeper.back(now, &moment.table).iter().any(|(pk, _)| cached(pk)) {
            self.0.app.forget();
        }
        moment.beside.iter().for_each(|back| back());
        self.0.app.clock().set(moment.at);
    }

    /// Waits for what follows by itself.
    pub async fn rest(&self, before: &State) {
        rest::wait(&self.0.app, &self.0.modules, &self.0.keeper, before).await;
    }

    /// Does it with the fault in its way; `None` if the world stopped.
    pub async fn under<T>(&self, fault: Fault, work: impl Future<Output = T>) -> (Option<T>, Watched) {
        let layer = &self.0.layer;
        layer.begin(Some(fault));
        let done = {
            let mut work = pin!(work);
            let step = |context: &mut std::task::Context<'_>| match work.as_mut().poll(context) {
                // The answer of a stopped process reaches nobody.
                _ if layer.stopped() => Poll::Ready(None),
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => Poll::Pending,
            };
            poll_fn(step).await
        };
        let watched = layer.end().await;
        if done.is_none() {
            self.0.trips.stop_at(None);
            self.0.app.forget();
        }
        (done, watched)
    }
}
