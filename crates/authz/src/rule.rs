//! The matrix: one rule per permission, and the small language in which the modules write their tables.
use std::sync::LazyLock;

use crate::{
    matrix,
    reach::Reach,
    role::{ROLES, Role},
};

kernel::words! {
    /// What a grant is restricted to besides its reach. `web` demands the reason and `decide` the
    /// partner key's scope; the owning module enforces the others on the record.
    pub enum Only {
        /// A reason comes with the request (`X-Reason`), and is kept with the access.
        Reason = "reason",
        /// Names only: of colleagues, of substances; nothing else of the record.
        Names = "names",
        /// The public card: name, logo, hours; a practitioner's name and specialty.
        Card = "card",
        /// Headings without content.
        Headings = "headings",
        /// Locale, hours and the screens of one's own role.
        Basics = "basics",
        /// Of the trail: changes of records that are not clinical.
        NonClinical = "non_clinical",
        /// Of the trail: changes of records about the organisation's own people.
        PeopleKinds = "people_kinds",
        /// Of the trail: changes of records about money.
        MoneyKinds = "money_kinds",
        /// Published versions.
        Published = "published",
        /// The operator's record carries the flag of this command (`can_suspend_tenants`, …).
        OperatorFlag = "operator_flag",
        /// A second person approves first.
        Approval = "approval",
        /// Users whose roles the caller may grant.
        MayGrant = "may_grant",
        /// Never one's own request or record.
        NotOwn = "not_own",
        /// The emergency form: provisional and unidentified registrations, emergency visits.
        Emergency = "emergency",
        /// With a death certificate on file.
        Certificate = "certificate",
        /// Contact, address, language, photo, next of kin.
        Contact = "contact",
        /// What may be shown in the portal.
        Portal = "portal",
        /// The entries of one's own laboratory.
        OwnLaboratory = "own_laboratory",
        /// What the proxy's scopes name.
        ProxyScope = "proxy_scope",
        /// With the code shown at the kiosk.
        KioskCode = "kiosk_code",
        /// One's own place in the queue, not the queue.
        OwnPlace = "own_place",
        /// Everything but the consultation fee.
        NotFee = "not_fee",
        /// Practitioners and types that patients may book themselves.
        SelfBooking = "self_booking",
        /// The partner key names this permission among its scopes.
        Scope = "scope",
        /// The categories of messages that belong to the role's own work.
        Categories = "categories",
    }
}

kernel::words! {
    /// How much of a customer's organisation an operator's context opens, least first.
    pub enum Scope { Metadata = "metadata", Configuration = "configuration", Personal = "personal" }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub role: &'static str,
    /// Never `None`: roles without the right are not listed.
    pub reach: Reach,
    pub only: Option<Only>,
}

/// One permission: who has it, how far, and how far a tenant's overrides may widen it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `<noun>.<action>`
    pub permission: &'static str,
    /// The module whose being switched off takes the right away.
    pub module: &'static str,
    pub grants: &'static [Grant],
    /// Only where the ceiling is above the grant; see `Rule::ceiling`.
    pub ceilings: &'static [(&'static str, Reach)],
    /// The command carries a device signature where the tenant's policy requires one.
    pub signed: bool,
    /// The operator's context through which the right of the organisation's administrator is lent.
    pub context: Option<Scope>,
}

impl Rule {
    pub fn grant(&self, role: &str) -> Option<Grant> {
        self.grants.iter().find(|grant| grant.role == role).copied()
    }

    /// The widest reach that a tenant may give to the role: what it has, unless the table says more.
    pub fn ceiling(&self, role: &str) -> Reach {
        let listed = self.ceilings.iter().find(|(listed, _)| *listed == role).map(|(_, reach)| *reach);
        listed.unwrap_or_else(|| self.grant(role).map_or(Reach::None, |grant| grant.reach))
    }

    pub fn noun(&self) -> &'static str {
        self.permission.split('.').next().unwrap_or_default()
    }

    pub fn action(&self) -> &'static str {
        self.permission.split('.').next_back().unwrap_or_default()
    }

    /// Changes nothing, so that a read-only context may use it.
    pub fn reads(&self) -> bool {
        matches!(self.action(), "view" | "identify" | "explain" | "header")
    }
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules = matrix::all();
    rules.sort_by_key(|rule| rule.permission);
    rules
});

/// Every rule, in the order of the permissions' names.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter()
}

pub fn rule(permission: &str) -> Option<&'static Rule> {
    RULES.binary_search_by(|rule| rule.permission.cmp(permission)).ok().map(|at| &RULES[at])
}

/// A cell of a module's table.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    reach: Reach,
    only: Option<Only>,
    ceiling: Reach,
}

impl Cell {
    const fn of(reach: Reach) -> Self {
        Self { reach, only: None, ceiling: reach }
    }
    pub const fn only(self, only: Only) -> Self {
        Self { only: Some(only), ..self }
    }
    /// The spec's `(ceiling S)`.
    pub const fn up_to(self, ceiling: Reach) -> Self {
        Self { ceiling, ..self }
    }
}

/// The letters of the tables. `P` is every tenant's platform record, all of the platform's own tenant.
pub(crate) const A: Cell = Cell::of(Reach::All);
pub(crate) const P: Cell = A;
pub(crate) const S: Cell = Cell::of(Reach::Site);
pub(crate) const T: Cell = Cell::of(Reach::Team);
pub(crate) const G: Cell = Cell::of(Reach::Assigned);
pub(crate) const L: Cell = Cell::of(Reach::Linked);
pub(crate) const O: Cell = Cell::of(Reach::Own);
pub(crate) const __: Cell = Cell::of(Reach::None);

/// The roles that share a column. A role's cell is in the first column that covers it.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Roles(&'static [&'static str]),
    /// Staff and people served: no operators, no machines, no strangers.
    Others,
    OtherStaff,
    /// Everybody with a login.
    People,
}

pub(crate) struct Row<const N: usize> {
    /// Several nouns or actions that share a row are separated by spaces.
    nouns: &'static str,
    actions: &'static str,
    cells: [Cell; N],
    also: &'static [(&'static str, Cell)],
    signed: bool,
    context: Option<Scope>,
}

pub(crate) const fn row<const N: usize>(
    nouns: &'static str,
    actions: &'static str,
    cells: [Cell; N],
) -> Row<N> {
    Row { nouns, actions, cells, also: &[], signed: false, context: None }
}

impl<const N: usize> Row<N> {
    /// A role whose cell differs from the rest of its column, or that has no column.
    pub const fn also(self, also: &'static [(&'static str, Cell)]) -> Self {
        Self { also, ..self }
    }
    pub const fn signed(self) -> Self {
        Self { signed: true, ..self }
    }
    pub const fn lent(self, scope: Scope) -> Self {
        Self { context: Some(scope), ..self }
    }
}

pub(crate) struct Table<const N: usize> {
    pub module: &'static str,
    pub columns: [Column; N],
    pub rows: &'static [Row<N>],
}

impl<const N: usize> Table<N> {
    pub fn rules(&self) -> impl Iterator<Item = Rule> {
        self.rows.iter().flat_map(|row| {
            let names = row.nouns.split(' ').flat_map(|noun| row.actions.split(' ').map(move |a| (noun, a)));
            names.map(|(noun, action)| self.rule(row, format!("{noun}.{action}")))
        })
    }

    fn rule(&self, row: &Row<N>, permission: String) -> Rule {
        let cells = || ROLES.iter().map(|role| (role.slug, self.cell(row, role)));
        let grants = cells().filter(|(_, cell)| cell.reach > Reach::None);
        let grants: Vec<_> =
            grants.map(|(role, cell)| Grant { role, reach: cell.reach, only: cell.only }).collect();
        let ceilings = cells().filter(|(_, cell)| cell.ceiling != cell.reach);
        let ceilings: Vec<_> = ceilings.map(|(role, cell)| (role, cell.ceiling)).collect();
        // Built once for the life of the program.
        Rule {
            permission: permission.leak(),
            module: self.module,
            grants: grants.leak(),
            ceilings: ceilings.leak(),
            signed: row.signed,
            context: row.context,
        }
    }

    fn cell(&self, row: &Row<N>, role: &Role) -> Cell {
        if let Some((_, cell)) = row.also.iter().find(|(slug, _)| *slug == role.slug) {
            return *cell;
        }
        let column = self.columns.iter().position(|column| column.covers(role));
        column.map_or(__, |at| row.cells[at])
    }
}

impl Column {
    fn covers(self, role: &Role) -> bool {
        match self {
            Self::Roles(slugs) => slugs.contains(&role.slug),
            Self::Others => role.is_personal() && !role.is_platform(),
            Self::OtherStaff => role.staff,
            Self::People => role.is_personal(),
        }
    }
}
