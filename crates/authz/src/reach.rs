//! How far a right reaches, narrowest first.

kernel::words! {
    /// Whose records a grant covers. The order is that of width, so that two reaches can be compared.
    pub enum Reach {
        None = "none",
        /// About themselves.
        Own = "own",
        /// About a person they are guardian or family of.
        Linked = "linked",
        /// Records that name the user: their visits, the patients under their care.
        Assigned = "assigned",
        /// Records of their teams.
        Team = "team",
        /// Records of their sites.
        Site = "site",
        /// Every record of the organisation.
        All = "all",
    }
}

impl Reach {
    /// The letter of the printed matrix.
    pub const fn letter(self) -> char {
        match self {
            Self::None => '-',
            Self::Own => 'O',
            Self::Linked => 'L',
            Self::Assigned => 'G',
            Self::Team => 'T',
            Self::Site => 'S',
            Self::All => 'A',
        }
    }
}
