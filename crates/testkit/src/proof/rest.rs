//! What follows by itself, handed over without a fault: events that were written, and rows that come due within the
//! hour, in the order of time. Leases, and looks at what nobody has worked on for a while, are shorter than that.

use crate::proof::{
    simulation::events,
    state::{self, Keeper, State},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use web::{App, Message, Module};

const PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// What goes on longer than this does not come to rest.
const STEPS: usize = 300;
/// Tries of one message.
const TRIES: usize = 3;

pub(crate) async fn wait(app: &App, modules: &[Module], keeper: &Keeper, before: &State) {
    let until = app.clock().now() + PATIENCE;
    let mut done = BTreeSet::new();
    for _ in 0..STEPS {
        let now = keeper.state();
        let fresh =
            events(&now, Some(before)).into_iter().find(|e| done.insert(format!("{}|{}", e.tenant, e.id)));
        if let Some(event) = fresh {
            hand_over(app, modules, &event.kind.clone(), &Message::Event(event)).await;
            continue;
        }
        let mut due = due(&now, until);
        due.sort_by_cached_key(|message| (message["at"].to_string(), message.to_string()));
        let Some(message) = due.into_iter().find(|message| done.insert(message.to_string())) else { break };
        let at = message["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        app.clock().set(at.map_or(app.clock().now(), |at| at.max(app.clock().now())));
        let name = message["type"].as_str().unwrap_or_default().to_string();
        hand_over(app, modules, &name, &Message::Other(message)).await;
    }
    app.clock().set(until);
}

async fn hand_over(app: &App, modules: &[Module], name: &str, message: &Message) {
    for module in modules.iter().filter(|module| module.hears(name)) {
        for _ in 0..TRIES {
            if Box::pin(web::consume(module, app, message)).await.is_ok() {
                break;
            }
        }
    }
}

/// Rows that are due by then, as the clock tells of them.
pub(crate) fn due(state: &State, until: Timestamp) -> Vec<Value> {
    let until = store::stamp(until);
    let rows = state
        .places()
        .filter_map(|(_, _, item)| row(state::text(item, "gsi3pk")?, state::text(item, "gsi3sk")?));
    rows.filter(|message| message["at"].as_str().is_some_and(|at| at <= until.as_str())).collect()
}

/// What the clock says of a row: `<at>#<kind>#<id>#<what>` under `<scope>#due`.
pub(crate) fn row(scope: &str, row: &str) -> Option<Value> {
    let mut words = row.split('#');
    let (at, kind, id, what) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let tenant = scope.trim_end_matches("#due");
    Some(json!({"type": format!("due.{kind}.{what}"), "tenant": tenant, "id": id, "at": at}))
}
