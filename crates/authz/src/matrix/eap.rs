//! Rights over client organisations, contracts, beneficiaries, cases and reports (EAP-1..7). Nouns that other editions
//! also know carry the prefix of their events (`client_org`, `eap_case`). A header is a case or session without name,
//! issue, risk and unit. No role that belongs to a client organisation has a cell in any row about a person, and no
//! override can give it one: its ceiling is none.
use crate::rule::{
    __, A, Column, G, L, O,
    Only::{Card, Reason},
    Row, Table, row,
};

#[rustfmt::skip]
pub(crate) const TABLE: Table<7> = Table {
    module: "eap",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["eap_manager"]), Column::Roles(&["finance"]),
        Column::Roles(&["eap_provider"]), Column::Roles(&["eap_client_contact"]), Column::Roles(&["beneficiary"]),
        Column::Roles(&["auditor"]),
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<7>] = &[
    //                                                              admin manager finance provider contact person auditor
    row("client_org", "view",                                      [A,  A,  A,  G,  L,  __, A]),
    row("client_org", "create edit delete verify",                 [A,  A,  __, __, __, __, __]),
    row("industry", "view",                                        [A,  A,  A,  A,  A,  __, A]),
    row("industry", "edit",                                        [A,  A,  __, __, __, __, __]),
    row("eap_contract", "view",                                    [A,  A,  A,  __, L,  __, A]),
    row("eap_contract", "edit activate",                           [A,  A,  __, __, __, __, __]),
    // The catalogue is about nobody; people outside see what is offered to them, as a card.
    row("eap_service", "view",                                     [A,  A,  A,  A,  A.only(Card), A.only(Card), A]),
    row("eap_service", "edit",                                     [A,  A,  __, __, __, __, __]),
    row("org_service", "view",                                     [A,  A,  A,  __, L,  __, A]),
    row("org_service", "edit",                                     [A,  A,  __, __, __, __, __]),
    row("eap_provider", "view",                                    [A,  A,  A,  O,  __, __, A]),
    row("eap_provider", "edit",                                    [A,  A,  __, __, __, __, __]),
    row("beneficiary", "view",                                     [A,  A,  __, G,  __, O,  A.only(Reason)]),
    row("beneficiary", "create",                                   [A,  A,  __, __, __, __, __]),
    row("beneficiary", "import",                                   [A,  A,  __, __, L,  __, __]),
    row("eap_case", "view",                                        [__, __, __, G,  __, O,  __]),
    // Broken glass alone (IDN-8): with a reason, for four hours, and reviewed.
    row("eap_case", "glass",                                       [O,  A,  O,  __, __, __, O]),
    row("eap_case", "header",                                      [__, A,  __, G,  __, O,  A.only(Reason)]),
    row("eap_case", "assign extend",                               [__, A,  __, __, __, __, __]),
    row("eap_session", "view",                                     [__, __, __, G,  __, O,  __]),
    row("eap_session", "header",                                   [__, A,  __, G,  __, O,  __]),
    row("eap_session", "book",                                     [__, A,  __, G,  __, O,  __]),
    row("eap_session", "complete",                                 [__, __, __, G,  __, __, __]),
    row("satisfaction", "view",                                    [A,  A,  __, __, __, __, A]),
    row("eap_on_call", "view",                                     [A,  A,  __, A,  __, __, __]),
    row("eap_on_call", "edit",                                     [A,  A,  __, __, __, __, __]),
    row("kpi", "view",                                             [A,  A,  A,  O,  L,  __, A]),
    row("kpi", "edit",                                             [A,  A,  __, __, __, __, __]),
    row("client_report", "view",                                   [A,  A,  __, __, L,  __, A]),
    row("client_report", "release",                                [__, A,  __, __, __, __, __]),
    row("client_bill", "view",                                     [A,  A,  A,  __, L,  __, A]),
    row("client_bill", "approve",                                  [A,  A,  A,  __, __, __, __]),
];
