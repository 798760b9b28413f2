//! Seal labels: whose callers may open what lies under another key than the tenant's first.

use crate::{Ctx, Reach};
use kernel::{Error, Result};
use std::fmt::Display;
use store::{Label, Store};

/// The permission without which a label stays shut.
const fn door(label: Label) -> Option<&'static str> {
    match label {
        Label::Default => None,
        Label::EapClinical => Some("eap_case.view"),
    }
}

impl Ctx {
    /// The tenant's part of the table with the keys of a label. 404 for a caller who does not hold the label's
    /// permission at any reach: whose record it is, is the noun's to say.
    pub async fn under(&self, label: Label) -> Result<Store> {
        match door(label) {
            Some(permission) if self.may(permission) == Reach::None => Err(Error::Missing),
            _ => self.app().vault().under(self.store(), label).await,
        }
    }

    /// The same for a caller who broke the glass of this record.
    pub async fn under_glass(&self, label: Label, subject: impl Display) -> Result<Store> {
        match self.broke_glass(subject).await? {
            true => self.app().vault().under(self.store(), label).await,
            false => Err(Error::Missing),
        }
    }
}
