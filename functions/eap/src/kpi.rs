//! Key figures (EAP-6): what is measured, and the targets that a client's programme or a member of staff has.

pub mod formula;
mod target;

pub use target::{Assignment, routes as target_routes};

use formula::{Direction, MANUAL, Unit};
use kernel::{Error, KpiId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Unique};
use web::{
    Ctx, Noun, Route,
    noun::{self, Hooks, Paths},
};

const PATH: &str = "/v1/eap/kpis";

kernel::words! { pub enum Frequency { Monthly = "monthly", Quarterly = "quarterly" } }

/// A figure that somebody is measured by.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapKpi")]
pub struct Kpi {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    pub unit: Unit,
    /// The code of a figure that is computed, or `manual`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub formula: String,
    pub direction: Direction,
    pub frequency: Frequency,
}

impl Entity for Kpi {
    type Id = KpiId;
    const NOUN: &'static str = "kpi";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "duplicate", |kpi| vec![kpi.code.clone()])];
}

impl Noun for Kpi {}

impl Hooks for Kpi {
    fn before(_: &Ctx, _: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        let kpi = &new.body;
        match (kpi.formula.as_str(), formula::named(&kpi.formula)) {
            (MANUAL, _) => Ok(()),
            (_, Some(formula)) if formula.unit == kpi.unit => Ok(()),
            (_, Some(formula)) => Err(Error::field(
                "unit-differs",
                "/unit",
                format!("{} is measured in {}", kpi.formula, formula.unit),
            )),
            (_, None) => {
                let known: Vec<_> =
                    formula::FORMULAS.iter().map(|formula| formula.code).chain([MANUAL]).collect();
                Err(Error::field("unknown-formula", "/formula", format!("one of {}", known.join(", "))))
            }
        }
    }
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("kpi.view", "kpi.edit");
    noun::crud::<Kpi>(Paths { path: PATH, view, create: edit, edit, delete: edit })
}
