//! Rights over practitioners, appointments, visits and queues (SCH-1..3). `waiting_list.manage` and
//! `calendar.manage` come with the waiting list and the feeds (SCH-4).
use crate::{
    reach::Reach::{All, Site},
    rule::{__, A, Column, G, L, O, Only::*, Row, S, Scope::Personal, Table, row},
};

#[rustfmt::skip]
pub(crate) const TABLE: Table<10> = Table {
    module: "scheduling",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["doctor"]), Column::Roles(&["nurse"]),
        Column::Roles(&["receptionist"]), Column::Roles(&["cashier"]), Column::Roles(&["lab_technician", "pharmacist"]),
        Column::Roles(&["patient"]), Column::Roles(&["guardian"]), Column::Roles(&["auditor"]),
        // No column in the table, but an appointment's source may be a partner: by the key's scopes.
        Column::Roles(&["partner"]),
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<10>] = &[
    //                                                    admin doctor nurse reception cashier lab/pharm patient guardian auditor partner
    row("practitioner", "view",                          [A,  S,  S,  S,  S,  S,  A.only(Card), A.only(Card), A, A.only(Scope)]).lent(Personal),
    row("practitioner", "edit",                          [A,  O.only(NotFee), __, __, __, __, __, __, __, __]),
    // Rules and blocks are read by whoever sees the practitioner at work; what patients may book are slots.
    row("availability block", "view",                    [A,  S,  S,  S,  S,  S,  __, __, A,  __]).lent(Personal),
    row("slot", "view",                                  [A,  S,  S,  S,  S,  S,  A.only(SelfBooking), A.only(SelfBooking), A, A.only(Scope)]),
    row("availability", "edit",                          [A,  O,  __, S,  __, __, __, __, __, __]),
    row("block", "create delete",                        [A,  O,  __, S,  __, __, __, __, __, __]),
    // The table's "G (S)" of doctors: patients under their care, which a tenant may widen to the site.
    row("appointment", "view",                           [A,  G.up_to(Site), S, S, S, G, O, L.only(ProxyScope), A, A.only(Scope)]).lent(Personal),
    // `confirm` is given to whoever may move the appointment. Guardians need the scope `appointments`.
    row("appointment", "create reschedule cancel confirm", [__.up_to(All), G, S, S, __, __, O, L.only(ProxyScope), __, A.only(Scope)]),
    // The desk's commands of the table of states.
    row("appointment", "approve decline no_show",        [__.up_to(All), __, __, S, __, __, __, __, __, __]),
    row("appointment", "overbook",                       [__, O,  __, S,  __, __, __, __, __, __]),
    row("patient_visit", "check_in",                     [__, __.up_to(Site), S.only(Emergency), S, __, __, O.only(KioskCode), __, __, __]),
    row("patient_visit", "view",                         [A,  G,  S,  S,  S,  S,  O.only(OwnPlace), L, A, __]).lent(Personal),
    row("patient_visit", "call skip",                    [__, G,  S,  S,  __, __, __, __, __, __]),
    row("patient_visit", "prioritise",                   [__, S,  S,  __.up_to(Site), __, __, __, __, __, __]),
    // The table of states names who gives the other commands: doctor; nurse and desk; all three; nurse.
    row("patient_visit", "start return complete",        [__, G,  __, __, __, __, __, __, __, __]),
    row("patient_visit", "no_show left cancel",          [__, __, S,  S,  __, __, __, __, __, __]),
    row("patient_visit", "transfer",                     [__, G,  S,  S,  __, __, __, __, __, __]),
    row("patient_visit", "triage",                       [__, __, S,  __, __, __, __, __, __, __]),
    // A queue is seen by whoever sees its visits, and held by the desk or the doctor whose queue it is.
    row("queue", "view",                                 [A,  G,  S,  S,  S,  S,  __, __, A,  __]),
    row("queue", "pause resume close",                   [__, G,  __, S,  __, __, __, __, __, __]),
    row("follow_up", "view",                             [A,  S,  S,  S,  __, __, O,  L,  A,  __]).lent(Personal),
    row("follow_up", "create edit",                      [__, S,  S,  S,  __, __, __, __, __, __]),
    row("display", "manage",                             [A,  __, __, S,  __, __, __, __, __, __]),
];
