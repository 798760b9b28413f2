//! Connections as the table keeps them: under their person, in one list of all, and under each topic. All of them
//! end by themselves.

use super::ticket::Holder;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Key, Store, When};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub connection: String,
    #[serde(flatten)]
    pub holder: Holder,
    #[serde(default)]
    pub topics: Vec<String>,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The gateway ends a connection after two hours; what it does not tell of ends a little later.
const LIFE: SignedDuration = SignedDuration::from_mins(130);
/// Connections of one person.
pub const MOST: usize = 5;
/// Topics of one connection.
pub const TOPICS: usize = 20;
/// Connections read at once.
pub const PAGE: i32 = 1000;

fn of_user(user: &str, connection: &str) -> Key {
    Key::item("wsc", format!("user~{user}"), store::segment(connection))
}
fn of_all(connection: &str) -> Key {
    Key::item("wsc", "all", store::segment(connection))
}
fn of_topic(topic: &str, connection: &str) -> Key {
    Key::item("wsc", format!("topic~{topic}"), store::segment(connection))
}

impl Connection {
    pub fn new(connection: &str, holder: Holder, now: Timestamp) -> Self {
        let connection = connection.into();
        Self { connection, holder, topics: vec![], opened_at: now, expires_at: now + LIFE }
    }
    fn short(&self) -> Value {
        json!({"connection": self.connection, "user": self.holder.user, "sites": self.holder.sites})
    }
    pub fn open(&self, commit: Commit) -> Commit {
        let always = || When::Absent.or(When::Present);
        let never = |_: Option<Value>| Error::Busy;
        let (user, all) = (of_user(&self.holder.user, &self.connection), of_all(&self.connection));
        commit.put_until(&user, self, self.expires_at, always(), never).put_until(
            &all,
            &self.short(),
            self.expires_at,
            always(),
            never,
        )
    }
    pub fn close(&self, commit: Commit) -> Commit {
        let commit =
            commit.delete(&of_user(&self.holder.user, &self.connection)).delete(&of_all(&self.connection));
        self.topics.iter().fold(commit, |commit, topic| commit.delete(&of_topic(topic, &self.connection)))
    }
    /// The same connection with another list of topics.
    pub fn listening(&self, store: &Store, topics: Vec<String>) -> Commit {
        let mut commit = store.commit();
        let gone = self.topics.iter().filter(|t| !topics.contains(t));
        for topic in gone {
            commit = commit.delete(&of_topic(topic, &self.connection));
        }
        let never = |_: Option<Value>| Error::Busy;
        let new = topics.iter().filter(|t| !self.topics.contains(t));
        for topic in new {
            let always = When::Absent.or(When::Present);
            commit = commit.put_until(
                &of_topic(topic, &self.connection),
                &self.short(),
                self.expires_at,
                always,
                never,
            );
        }
        let changed = Self { topics, ..self.clone() };
        let there = |_: Option<Value>| Error::Missing;
        let key = of_user(&self.holder.user, &self.connection);
        commit.put_until(&key, &changed, self.expires_at, When::Present, there)
    }
}

pub async fn find(store: &Store, user: &str, connection: &str) -> Result<Option<Connection>> {
    store.read(&of_user(user, connection)).await
}

/// A person's connections, the oldest first.
pub async fn of(store: &Store, user: &str) -> Result<Vec<Connection>> {
    let found: Vec<(String, Connection)> = store.under(&of_user(user, ""), "", PAGE).await?;
    let mut all: Vec<Connection> = found.into_iter().map(|(_, c)| c).collect();
    all.sort_by_key(|c| c.opened_at);
    Ok(all)
}

/// Who listens to a topic: connection, person and the sites they reach.
#[derive(Clone, Debug, Deserialize)]
pub struct Listener {
    pub connection: String,
    pub user: String,
    #[serde(default)]
    pub sites: Vec<String>,
}

pub async fn listening(store: &Store, topic: &str) -> Result<Vec<Listener>> {
    let found: Vec<(String, Listener)> = store.under(&of_topic(topic, ""), "", PAGE).await?;
    Ok(found.into_iter().map(|(_, l)| l).collect())
}

/// Every connection of the organisation, or as many as one page holds.
pub async fn all(store: &Store, most: i32) -> Result<Vec<Listener>> {
    let found: Vec<(String, Listener)> = store.under(&of_all(""), "", most).await?;
    Ok(found.into_iter().map(|(_, l)| l).collect())
}

/// What is left of a connection whose own item has ended.
pub async fn forget(store: &Store, connection: &str) -> Result<()> {
    store.commit().delete(&of_all(connection)).run().await
}
