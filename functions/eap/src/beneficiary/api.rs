//! Routes of beneficiaries. Nobody who may not see them learns that there are any.

use super::Beneficiary;
use axum::routing::get;
use web::{
    Answer, Ctx, Reach, Route,
    noun::{self, Paths, crud, steps},
};

pub const PATH: &str = "/v1/eap/beneficiaries";

pub fn routes() -> Vec<Route> {
    let paths = Paths {
        path: PATH,
        view: "beneficiary.view",
        create: "beneficiary.create",
        edit: "beneficiary.create",
        delete: "beneficiary.create",
    };
    let mut routes = crud::<Beneficiary>(paths);
    routes.extend(steps::<Beneficiary>(PATH));
    let of = |route: Route| match route.operation.as_str() {
        "beneficiary.list" => route.handled_by(get(list)),
        "beneficiary.create" => {
            route.trips(2).refuses(&["unknown-client", "unknown-employee", "unknown-unit"])
        }
        "beneficiary.update" => route.trips(3).refuses(&["unknown-unit"]),
        // A counsellor is asked for a case of theirs first.
        "beneficiary.show" => route.trips(3),
        "beneficiary.history" | "beneficiary.version" | "beneficiary.diff" => route.trips(4),
        _ => route,
    };
    routes.into_iter().map(of).map(Route::hidden).collect()
}

/// A client's list: for those who keep it. Others reach single persons, never the list.
async fn list(ctx: Ctx, query: axum::extract::RawQuery) -> Answer {
    if ctx.reach() < Reach::All {
        return Err(kernel::Error::Missing.into());
    }
    noun::list::<Beneficiary>(ctx, query).await
}
