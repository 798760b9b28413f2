//! A day's files under Object Lock: segments as they come in, leaves and digest when the day is sealed.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use kernel::{ChangeId, Error, Id, Result};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use store::{
    Scope,
    chain::{AccessLeaf, Day, Leaf, Sealed, lines, to_lines},
};
use web::{App, files::File};

/// Files read at the same time.
const AT_ONCE: usize = 8;
const LINES: &str = "application/x-ndjson";

/// What a day's files are of.
#[derive(Clone, Copy)]
pub enum Of {
    Changes,
    Access,
}

impl Of {
    fn folder(self) -> &'static str {
        match self {
            Self::Changes => "seg",
            Self::Access => "access",
        }
    }
    fn leaves(self) -> &'static str {
        match self {
            Self::Changes => "leaves.ndjson",
            Self::Access => "access.ndjson",
        }
    }
}

/// What is anchored of a day, before and after it is sealed.
pub trait Anchored: DeserializeOwned + serde::Serialize + Ord + Clone + Send {
    const OF: Of;
    fn id(&self) -> &str;
    fn hash(&self) -> &str;
}

impl Anchored for Leaf {
    const OF: Of = Of::Changes;
    fn id(&self) -> &str {
        &self.id
    }
    fn hash(&self) -> &str {
        &self.hash
    }
}

impl Anchored for AccessLeaf {
    const OF: Of = Of::Access;
    fn id(&self) -> &str {
        &self.id
    }
    fn hash(&self) -> &str {
        &self.hash
    }
}

/// The UTC day of a stored time.
pub fn of(at: &str) -> Result<Date> {
    at.get(..10).and_then(|day| day.parse().ok()).ok_or_else(|| Error::internal("a time without a day"))
}

/// Writes one more segment; its name is given by the time of its arrival, so that the first word about a change
/// stands first.
pub async fn append<T: Anchored>(app: &App, scope: Scope, day: Date, leaves: &[T]) -> Result<()> {
    let name = ChangeId::at(app.clock().now()).ulid();
    let file = File::digest(scope, format!("{day}/{}/{name}.ndjson", T::OF.folder()));
    app.files().write(&file, LINES, to_lines(leaves)).await
}

/// Everything that segments say of a day, in the order of time and id, and what they contradict each other in.
pub async fn segments<T: Anchored>(app: &App, scope: Scope, day: Date) -> Result<(Vec<T>, Vec<T>)> {
    let folder = File::digest(scope, format!("{day}/{}/", T::OF.folder()));
    let mut keys: Vec<String> = vec![];
    loop {
        let page = app.files().list(&folder, keys.last().map(String::as_str)).await?;
        let full = page.len() >= 1000;
        keys.extend(page);
        if !full {
            break;
        }
    }
    let read = keys.into_iter().map(|key| read_lines::<T>(app, folder.at(key)));
    let all: Vec<Vec<T>> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
    let (mut first, mut others): (BTreeMap<String, T>, Vec<T>) = (BTreeMap::new(), vec![]);
    for leaf in all.into_iter().flatten() {
        match first.get(leaf.id()) {
            None => drop(first.insert(leaf.id().to_string(), leaf)),
            Some(known) if known.hash() != leaf.hash() => others.push(leaf),
            Some(_) => {}
        }
    }
    let mut leaves: Vec<T> = first.into_values().collect();
    leaves.sort();
    Ok((leaves, others))
}

async fn read_lines<T: Anchored>(app: &App, file: File) -> Result<Vec<T>> {
    let bytes = app.files().read(&file, None).await?;
    Ok(bytes.map(|b| lines(&b)).unwrap_or_default())
}

pub fn leaves_file<T: Anchored>(scope: Scope, day: Date) -> File {
    File::digest(scope, format!("{day}/{}", T::OF.leaves()))
}

pub fn digest_file(scope: Scope, day: Date) -> File {
    File::digest(scope, format!("{day}/digest.json"))
}

/// What a day's tree is built over: once written, that and nothing else.
pub async fn settled<T: Anchored>(app: &App, scope: Scope, day: Date) -> Result<(Vec<T>, Vec<T>)> {
    let file = leaves_file::<T>(scope, day);
    if let Some(bytes) = app.files().read(&file, None).await? {
        return Ok((lines(&bytes), vec![]));
    }
    let (leaves, others) = segments::<T>(app, scope, day).await?;
    app.files().write(&file, LINES, to_lines(&leaves)).await?;
    Ok((leaves, others))
}

/// What is anchored of a day, sealed or not.
pub async fn anchored<T: Anchored>(app: &App, scope: Scope, day: Date) -> Result<Vec<T>> {
    match app.files().read(&leaves_file::<T>(scope, day), None).await? {
        Some(bytes) => Ok(lines(&bytes)),
        None => Ok(segments::<T>(app, scope, day).await?.0),
    }
}

pub async fn sealed(app: &App, scope: Scope, day: Date) -> Result<Option<Sealed>> {
    let bytes = app.files().read(&digest_file(scope, day), None).await?;
    Ok(bytes.and_then(|b| serde_json::from_slice(&b).ok()))
}

/// A sealed day as the verifier takes it.
pub async fn whole(app: &App, scope: Scope, day: Date) -> Result<Day> {
    let (sealed, leaves, access) = futures::try_join!(
        sealed(app, scope, day),
        read_lines::<Leaf>(app, leaves_file::<Leaf>(scope, day)),
        read_lines::<AccessLeaf>(app, leaves_file::<AccessLeaf>(scope, day)),
    )?;
    Ok(Day { folder: day, sealed, leaves, access })
}
