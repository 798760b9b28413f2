//! What is turned away leaves an access entry, too.

use crate::{
    App,
    access::{Looked, Outcome, Sight, named_in},
};
use axum::http::Method;
use store::{Caller, Scope};

/// Whose request it is, as soon as the token has said so.
pub(crate) struct Known {
    pub scope: Scope,
    pub caller: Caller,
    pub reason: Option<String>,
}

/// A request that was refused, or whose write failed, leaves an entry too. The "no" is answered even if the queue
/// is down: it tells nothing, and the entry's hash stands in the log.
pub(crate) async fn turned_away(
    app: &App,
    operation: &str,
    known: Known,
    (method, path): (&Method, &str),
    status: u16,
    problem: Option<String>,
) {
    let outcome = match status {
        401 | 403 | 404 | 423 => Outcome::Refused,
        409 | 412 | 422 | 428 | 500.. if *method != Method::GET => Outcome::Failed,
        _ => return,
    };
    let (of, ids) = named_in(path).map_or_else(Default::default, |(kind, id)| (kind.to_string(), vec![id]));
    if problem.as_deref() == Some("organisation-unknown") {
        return;
    }
    let sight = Sight {
        action: operation.into(),
        of,
        ids,
        outcome: Some(outcome),
        status: Some(status),
        problem,
        purpose: known.reason,
        ..Sight::default()
    };
    let Ok(store) = app.vault().open(known.scope, known.caller).await else { return };
    let _ = Looked::by(&store, sight).send(app.post()).await;
}
