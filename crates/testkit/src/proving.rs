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

use crate::{
    Reply,
    layer::{Fault, Kind, Layer, Watched},
    ledger, likeness, rest, simulation,
    state::{Keeper, State},
    trips::Trips,
    whole,
};
use jiff::Timestamp;
use kernel::Result;
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

/// What came of one try.
pub(crate) struct Told {
    /// The sentence to compare.
    pub words: String,
    pub stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Done,
    /// Nobody knows, or later: it has to be tried again.
    Again,
    Refused,
}

/// Table, doubles and the story's time at one moment.
pub(crate) struct Moment {
    pub table: State,
    beside: Vec<Back>,
    at: Timestamp,
}

/// What environments keep of the table.
const CACHED: [&str; 4] = ["#fact#", "#key#", "#closers#", "#dig#"];
/// Calls of one piece of work that the quick form breaks: jobs of many steps make the same ones again and again.
const CALLS: usize = 12;
/// Tries of a client that is told to try again.
const TRIES: usize = 5;

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
            let Some(name) = name.filter(|name| self.wants(name)) else { return work().await };
            let before = self.beginning();
            let outcome = work().await;
            let wanted = read(&outcome);
            if wanted.stands != Stands::Done || !self.claims(&name) {
                return outcome;
            }
            let after = self.moment();
            let change = likeness::of_change(&before.table, &after.table);
            let at_rest = tokio::sync::OnceCell::new();
            let wanted = wanted.words;
            let trial = Trial { proving: self, name: &name, keyed, before, wanted, after, change, at_rest };
            let (runs, later) = trial.all(&work, read).await;
            self.back_to(&trial.after);
            ledger::tried("faults", &name, runs, later);
            outcome
        })
    }

    fn wants(&self, name: &str) -> bool {
        match &self.0.form {
            Form::Every => true,
            Form::Quick => !TRIED.lock().expect("never poisoned").contains(name),
            Form::Only(only, _) => only == name,
            Form::Never => false,
        }
    }
    fn claims(&self, name: &str) -> bool {
        TRIED.lock().expect("never poisoned").insert(name.into()) || self.0.form != Form::Quick
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

/// What is different and what is broken, behind what was so at first.
pub(crate) fn still(difference: Vec<String>, broken: Vec<String>) -> Option<String> {
    let all: Vec<String> = difference.into_iter().chain(broken).collect();
    (!all.is_empty()).then(|| format!(" – and once it was waited for: {}", all.join("; ")))
}

/// What came of one fault.
struct Ran {
    watched: Watched,
    now: State,
    /// It was alike, but not at once.
    later: bool,
}

/// One thing that is tried with every fault.
struct Trial<'a> {
    proving: &'a Proving,
    name: &'a str,
    keyed: bool,
    before: Moment,
    wanted: String,
    after: Moment,
    /// What the run without a fault has changed.
    change: Vec<String>,
    /// And what that has become once it was waited for.
    at_rest: tokio::sync::OnceCell<Vec<String>>,
}

impl Trial<'_> {
    /// All kinds at all calls: how many runs that were, and how many of them were alike only later.
    async fn all<'a, T: Send>(
        &self,
        work: &(impl Fn() -> Work<'a, T> + Sync),
        read: fn(&T) -> Told,
    ) -> (u64, u64) {
        if let Form::Only(_, fault) = &self.proving.0.form {
            let run = self.one(*fault, &self.after.table, work, read).await;
            return (1, run.later.into());
        }
        let (mut runs, mut later, mut at, mut now) = (0, 0, 1, self.after.table.clone());
        loop {
            let mut target: Option<String> = None;
            for kind in Kind::ALL {
                if target.as_ref().is_some_and(|target| !kind.concerns(target)) {
                    continue;
                }
                let run = self.one(Fault { kind, at }, &now, work, read).await;
                now = run.now;
                runs += u64::from(run.watched.struck);
                later += u64::from(run.later);
                target = target.or(run.watched.calls.get(at - 1).cloned());
                if target.is_none() {
                    return (runs, later);
                }
            }
            at += 1;
            if at > CALLS && self.proving.0.form == Form::Quick {
                return (runs, later);
            }
        }
    }

    async fn one<'a, T: Send>(
        &self,
        fault: Fault,
        now: &State,
        work: &(impl Fn() -> Work<'a, T> + Sync),
        read: fn(&T) -> Told,
    ) -> Ran {
        let proving = self.proving;
        proving.back(now, &self.before);
        let (first, watched) = proving.under(fault, work()).await;
        if !watched.struck {
            return Ran { watched, now: proving.table(), later: false };
        }
        let mut told = first.as_ref().map(read);
        for _ in 1..TRIES {
            let open = told.as_ref().is_none_or(|told| told.stands == Stands::Again);
            // Who has no key looks before sending it again.
            if !open || (!self.keyed && self.is_done(&proving.table())) {
                break;
            }
            told = Some(read(&work().await));
        }
        let now = proving.table();
        let found = self.judge(told.as_ref(), &now);
        if found.is_empty() {
            return Ran { watched, now, later: false };
        }
        let different = self.is_different_later(told.as_ref()).await;
        let environment = format!("FAULTS='{} {fault}'", self.name);
        for what in &found {
            match &different {
                None => ledger::later("faults", self.name, &format!("{fault} {what}"), &environment),
                Some(still) => {
                    ledger::found("faults", self.name, &format!("{fault} {what}{still}"), &environment)
                }
            }
        }
        Ran { watched, now: proving.table(), later: different.is_none() }
    }

    /// What is different even once it was waited for; nothing, if it is alike then.
    async fn is_different_later(&self, told: Option<&Told>) -> Option<String> {
        let (proving, before) = (self.proving, &self.before.table);
        if told.is_some_and(|told| {
            told.stands != Stands::Done
                || likeness::unversioned(&told.words) != likeness::unversioned(&self.wanted)
        }) {
            return Some(String::new());
        }
        proving.rest(before).await;
        let now = proving.table();
        let got = likeness::of_end(before, &now);
        let touched: BTreeSet<String> = now.changed(before).into_iter().map(|(pk, _)| pk).collect();
        let broken = whole::broken(&now, Some(&touched));
        let wanted = self.at_rest.get_or_init(|| async {
            proving.back_to(&self.after);
            proving.rest(before).await;
            likeness::of_end(before, &proving.table())
        });
        let difference = likeness::difference(wanted.await, &got);
        still(difference, broken)
    }

    fn is_done(&self, now: &State) -> bool {
        likeness::of_change(&self.before.table, now) == self.change
    }

    fn judge(&self, told: Option<&Told>, now: &State) -> Vec<String> {
        let mut found = vec![];
        // Who looked and saw it done has no answer.
        let looked = !self.keyed && self.is_done(now);
        if let Some(Told { words, stands }) = told.filter(|told| told.words != self.wanted && !looked) {
            let how = match stands {
                Stands::Again => "is never answered",
                Stands::Refused => "is refused when it is sent again",
                Stands::Done => "is answered otherwise",
            };
            found.push(format!("{how}: {words} instead of {}", self.wanted));
        }
        let difference = likeness::difference(&self.change, &likeness::of_change(&self.before.table, now));
        if !difference.is_empty() {
            found.push(format!("leaves another table: {}", difference.join("; ")));
        }
        let touched: BTreeSet<String> =
            now.changed(&self.before.table).into_iter().map(|(pk, _)| pk).collect();
        found.extend(whole::broken(now, Some(&touched)));
        found
    }
}

/// What is told of a consumed message.
pub(crate) fn consumed(outcome: &Result<()>) -> Told {
    match outcome {
        Ok(()) => Told { words: "done".into(), stands: Stands::Done },
        Err(error) => Told { words: error.to_string(), stands: Stands::Again },
    }
}

/// What is told of an answer.
pub(crate) fn answered(reply: &Reply) -> Told {
    let stands = match reply.status {
        429 | 500 | 502 | 503 => Stands::Again,
        400.. => Stands::Refused,
        _ => Stands::Done,
    };
    Told { words: format!("{} {}", reply.status, likeness::of_body(&reply.body)), stands }
}
