//! Words that several nouns share.

pub use crate::service::Mode;

kernel::words! {
    pub enum Relation { Employee = "employee", Spouse = "spouse", Child = "child", Other = "other" }
}
kernel::words! {
    /// How somebody came to the programme.
    #[derive(Default)]
    pub enum Referral {
        #[default] Own = "self", ManagerInformal = "manager_informal", ManagerFormal = "manager_formal", Hr = "hr",
        Medical = "medical", Union = "union",
    }
}
kernel::words! {
    pub enum Issue {
        Relationship = "relationship", Family = "family", Anxiety = "anxiety", Depression = "depression",
        StressWork = "stress_work", ConflictWork = "conflict_work", Bereavement = "bereavement", Trauma = "trauma",
        Substance = "substance", Financial = "financial", Legal = "legal", Health = "health", Parenting = "parenting",
        Suicidality = "suicidality", Other = "other",
    }
}
kernel::words! {
    /// What reports tell of an issue: wide enough that a group is not a diagnosis.
    pub enum IssueGroup {
        Relationships = "relationships", Emotional = "emotional", Work = "work", Substance = "substance",
        Practical = "practical", Health = "health", Other = "other",
    }
}
kernel::words! {
    /// Whole years of life; reports never tell an age.
    pub enum AgeBand {
        Under18 = "under_18", From18 = "18_29", From30 = "30_39", From40 = "40_49", From50 = "50_59", From60 = "60_plus",
    }
}

impl Issue {
    pub const fn group(self) -> IssueGroup {
        match self {
            Self::Relationship | Self::Family | Self::Parenting => IssueGroup::Relationships,
            Self::Anxiety | Self::Depression | Self::Bereavement | Self::Trauma | Self::Suicidality => {
                IssueGroup::Emotional
            }
            Self::StressWork | Self::ConflictWork => IssueGroup::Work,
            Self::Substance => IssueGroup::Substance,
            Self::Financial | Self::Legal => IssueGroup::Practical,
            Self::Health => IssueGroup::Health,
            Self::Other => IssueGroup::Other,
        }
    }
}

impl AgeBand {
    /// Of somebody born then, on that day.
    pub fn on(born: jiff::civil::Date, day: jiff::civil::Date) -> Self {
        let before = (day.month(), day.day()) < (born.month(), born.day());
        match day.year() - born.year() - i16::from(before) {
            ..18 => Self::Under18,
            18..30 => Self::From18,
            30..40 => Self::From30,
            40..50 => Self::From40,
            50..60 => Self::From50,
            _ => Self::From60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_band_changes_on_the_birthday() {
        let born = date(1996, 11, 29);
        assert_eq!(AgeBand::on(born, date(2026, 11, 28)), AgeBand::From18);
        assert_eq!(AgeBand::on(born, date(2026, 11, 29)), AgeBand::From30);
        assert_eq!(AgeBand::on(date(2008, 2, 29), date(2026, 2, 28)), AgeBand::Under18);
        assert_eq!(AgeBand::on(date(2008, 2, 29), date(2026, 3, 1)), AgeBand::From18);
    }
}
