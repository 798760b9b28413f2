//! The words that rules, preferences and messages share.

kernel::words! {
    pub enum Category {
        Care = "care", Clinical = "clinical", Schedule = "schedule", Shift = "shift", Compliance = "compliance",
        Training = "training", Documents = "documents", Money = "money", Stock = "stock", Task = "task",
        Approval = "approval", Account = "account", Programme = "programme", System = "system",
        Announcement = "announcement",
    }
}

impl Category {
    /// Outside channels name neither finding nor drug nor programme of these.
    pub fn is_discreet(self) -> bool {
        matches!(self, Self::Care | Self::Clinical | Self::Programme)
    }
    /// Sent also while the organisation is suspended, and at any hour.
    pub fn is_account(self) -> bool {
        self == Self::Account
    }
}

kernel::words! {
    /// How urgent, the least first.
    pub enum Priority { Low = "low", Normal = "normal", High = "high", Critical = "critical" }
}

kernel::words! {
    /// Ways out of the product; the inbox is not one of them: everything stands in it.
    pub enum Channel { Email = "email", Sms = "sms", Push = "push" }
}

kernel::words! {
    /// Where a text is shown.
    pub enum Medium { InApp = "inapp", Email = "email", Sms = "sms", Push = "push" }
}

impl From<Channel> for Medium {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Email => Self::Email,
            Channel::Sms => Self::Sms,
            Channel::Push => Self::Push,
        }
    }
}

/// Categories that belong to a role's own work: what it may see of rules, texts and deliveries, and change.
pub fn own(role: &str) -> &'static [Category] {
    use Category::*;
    match role {
        "hr" => &[Compliance, Training, Shift, Documents, Account],
        "care_coordinator" => &[Care, Schedule, Shift, Task],
        "eap_manager" => &[Programme],
        "quality" => &[Care, Clinical, Compliance, Documents],
        _ => &[],
    }
}

/// The category, if the caller's right covers it: all of them, or those of their roles.
pub fn reached(ctx: &web::Ctx, category: Category) -> bool {
    if ctx.only() != Some(authz::Only::Categories) {
        return true;
    }
    ctx.actor().roles.iter().any(|role| own(role).contains(&category))
}
