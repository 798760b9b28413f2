//! Rights over the register of patients (PAT-1..5, 7). `proxy.manage` comes with the portal (PAT-6).
//! Related persons have no row: they are read with `patient.view` and changed with `patient.edit`.
use crate::{
    reach::Reach::Site,
    rule::{__, A, Column, G, L, O, Only::*, Row, S, Scope::Personal, Table, row},
};

#[rustfmt::skip]
pub(crate) const TABLE: Table<12> = Table {
    module: "patients",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["doctor"]), Column::Roles(&["nurse"]),
        Column::Roles(&["receptionist"]), Column::Roles(&["pharmacist"]), Column::Roles(&["lab_technician"]),
        Column::Roles(&["cashier"]), Column::Roles(&["patient"]), Column::Roles(&["guardian"]),
        Column::Roles(&["auditor"]), Column::Roles(&["finance", "quality"]),
        // No column in the table; what the FHIR interface shows of these nouns, a key may have as a scope.
        Column::Roles(&["partner"]),
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<12>] = &[
    //                                      admin doctor nurse reception pharm lab cashier patient guardian auditor fin/qual partner
    row("patient", "identify",             [A,  S,  S,  S,  S,  S,  S,  O,  L,  A,  __, A.only(Scope)]).lent(Personal),
    row("patient", "view",                 [A,  S,  S,  S,  G,  G,  __, O,  L,  A.only(Reason), __, A.only(Scope)]).lent(Personal),
    row("patient", "create",               [__, S.only(Emergency), S.only(Emergency), S, __, __, __, __, __, __, __, __]),
    row("patient", "edit",                 [A,  G,  G,  S,  __, __, __, O.only(Contact), L.only(Contact), __, __, __]),
    row("patient", "deceased",             [__, S,  __, S.only(Certificate), __, __, __, __, __, __, __, __]),
    row("patient", "discharge",            [__, S,  __, __, __, __, __, __, __, __, __, __]),
    row("patient", "register_duplicate",   [A,  __, __, __.up_to(Site), __, __, __, __, __, __, __, __]),
    row("patient", "merge undo_merge",     [A,  __, __, __.up_to(Site), __, __, __, __, __, __, __, __]),
    // By the table of states both are the administrator's; `delete` includes restoring.
    row("patient", "delete reverse_death", [A,  __, __, __, __, __, __, __, __, __, __, __]),
    row("allergy", "view",                 [A,  S,  S,  S.only(Names), S, S, __, O, L, A.only(Reason), __, A.only(Scope)]).lent(Personal),
    // "(may report)" of patients is a message to the clinic, not a change of the record.
    row("allergy", "edit",                 [__, S,  S,  __, S,  __, __, __, __, __, __, __]),
    row("flag", "view",                    [A,  S,  S,  S,  S,  S,  __, O.only(Portal), L.only(Portal), A, __, A.only(Scope)]).lent(Personal),
    row("flag", "edit",                    [A,  S,  S,  __, __, __, __, __, __, __, __, __]),
    row("background", "view",              [__, S,  S,  __.up_to(Site), G, __, __, O, L, A.only(Reason), __, __]),
    row("background", "edit",              [__, S,  S,  __, __, __, __, __, __, __, __, __]),
    row("coverage", "view",                [A,  S,  S,  S,  S,  __, S,  O,  L,  A,  A,  A.only(Scope)]).lent(Personal),
    row("coverage", "edit",                [A,  __, __, S,  __, __, S,  __, __, __, __, __]),
    row("timeline", "view",                [A.only(Headings), S, S, S.only(Headings), G, G.only(OwnLaboratory), __, O, L.only(ProxyScope), A.only(Reason), __, __]).lent(Personal),
    row("patient", "export",               [A,  __, __, __, __, __, __, O,  L,  __, __, __]),
];
