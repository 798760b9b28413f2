//! Whose time it is: a practitioner's, or a department's in session clinics.

use kernel::{DepartmentId, Error, PractitionerId, Result};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    Practitioner(PractitionerId),
    Department(DepartmentId),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Practitioner(id) => id.fmt(f),
            Self::Department(id) => id.fmt(f),
        }
    }
}

impl Host {
    /// The one that was named, or 422: exactly one of the two is.
    pub fn named(practitioner: Option<PractitionerId>, department: Option<DepartmentId>) -> Result<Self> {
        match (practitioner, department) {
            (Some(id), None) => Ok(Self::Practitioner(id)),
            (None, Some(id)) => Ok(Self::Department(id)),
            _ => Err(Error::field("host", "/practitioner_id", "name either a practitioner or a department")),
        }
    }
    pub fn practitioner(self) -> Option<PractitionerId> {
        match self {
            Self::Practitioner(id) => Some(id),
            Self::Department(_) => None,
        }
    }
    pub fn department(self) -> Option<DepartmentId> {
        match self {
            Self::Department(id) => Some(id),
            Self::Practitioner(_) => None,
        }
    }
}
