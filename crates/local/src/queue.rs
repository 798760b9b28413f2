//! The queues, in a file of their own beside the table.
//!
//! The emulator keeps messages in memory. Here a message that was accepted must survive `kill -9`, as it does in
//! SQS, so the queues are a table of SQLite: sent in one transaction, out of sight while a function works on
//! them, moved to the dead letters when they were received too often.

pub mod wire;

use crate::{
    template::messaging::{Queue, Rule, fits},
    trouble::{Outcome, While},
};
use kernel::Clock;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::Notify;

/// A message as a function gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: String,
    /// What deletes or releases it; new with each receipt.
    pub receipt: String,
    pub body: String,
    /// How often it has been received, this time included.
    pub received: u32,
    pub sent_ms: i64,
}

pub struct Queues {
    file: Mutex<Connection>,
    queues: BTreeMap<String, (Queue, Arc<Notify>)>,
    rules: Vec<Rule>,
    clock: Clock,
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS message (
  turn INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, queue TEXT NOT NULL, body TEXT NOT NULL,
  sent INTEGER NOT NULL, visible INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0, receipt TEXT
);
CREATE INDEX IF NOT EXISTS message_next ON message (queue, visible);
CREATE INDEX IF NOT EXISTS message_receipt ON message (receipt);
CREATE INDEX IF NOT EXISTS message_id ON message (id);
CREATE TABLE IF NOT EXISTS place (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

impl Queues {
    /// Opens the file. What a function was working on when the last run ended is in sight again at once.
    pub fn open(file: &Path, queues: &[Queue], rules: &[Rule], clock: Clock) -> Outcome<Queues> {
        let deed = format_args!("open {}", file.display()).to_string();
        let own = Connection::open(file).whilst(&deed)?;
        own.pragma_update(None, "journal_mode", "WAL").whilst(&deed)?;
        own.execute_batch(SCHEMA).whilst(&deed)?;
        own.execute("UPDATE message SET visible = 0 WHERE receipt IS NOT NULL", []).whilst(&deed)?;
        let named = queues.iter().map(|queue| (queue.id.clone(), (queue.clone(), Arc::default())));
        Ok(Queues { file: Mutex::new(own), queues: named.collect(), rules: rules.to_vec(), clock })
    }

    fn file(&self) -> MutexGuard<'_, Connection> {
        self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    pub fn all(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values().map(|(queue, _)| queue)
    }

    /// By logical name, by name, or by the end of a URL or ARN.
    pub fn find(&self, name: &str) -> Option<&Queue> {
        let last = name.rsplit(['/', ':']).next().unwrap_or(name);
        self.all().find(|queue| queue.id == last || queue.name == last)
    }

    /// Becomes ready when something was sent to the queue since the last time.
    pub fn news(&self, queue: &str) -> Arc<Notify> {
        self.queues.get(queue).map(|(_, news)| news.clone()).unwrap_or_default()
    }

    /// Accepts messages for queues, all or none. `delay`: how long they stay out of sight. Answers their ids.
    pub fn send(&self, messages: &[(&str, &str)], delay: Duration) -> Outcome<Vec<String>> {
        let (now, mut ids) = (self.now(), Vec::new());
        let mut own = self.file();
        let work = own.transaction().whilst("send a message")?;
        for (queue, body) in messages {
            let id = ulid::Ulid::new().to_string();
            let visible = now + delay.as_millis() as i64;
            let row = params![id, queue, body, now, visible];
            work.execute(
                "INSERT INTO message (id, queue, body, sent, visible) VALUES (?1, ?2, ?3, ?4, ?5)",
                row,
            )
            .whilst("send a message")?;
            ids.push(id);
        }
        work.commit().whilst("send a message")?;
        drop(own);
        for (queue, _) in messages {
            self.news(queue).notify_one();
        }
        Ok(ids)
    }

    /// Puts events on the bus: each goes to the queues of the rules it fits, all in one transaction.
    pub fn publish(&self, events: &[Value]) -> Outcome<usize> {
        let mut sent: Vec<(&str, String)> = Vec::new();
        for event in events {
            for rule in self.rules.iter().filter(|rule| fits(&rule.pattern, event)) {
                sent.extend(rule.targets.iter().map(|target| (target.as_str(), event.to_string())));
            }
        }
        let messages: Vec<(&str, &str)> = sent.iter().map(|(queue, body)| (*queue, body.as_str())).collect();
        Ok(self.send(&messages, Duration::ZERO)?.len())
    }

    /// Up to `most` messages, out of sight for the queue's time from now on.
    pub fn receive(&self, queue: &str, most: usize) -> Outcome<Vec<Message>> {
        let Some((about, _)) = self.queues.get(queue) else { return Ok(Vec::new()) };
        let now = self.now();
        let mut own = self.file();
        let work = own.transaction().whilst("receive messages")?;
        let found = next(&work, about, most, now).whilst("receive messages")?;
        work.commit().whilst("receive messages")?;
        Ok(found)
    }

    /// The function is done with it.
    pub fn delete(&self, receipt: &str) -> Outcome<bool> {
        let gone = self.file().execute("DELETE FROM message WHERE receipt = ?1", [receipt]);
        Ok(gone.whilst("delete a message")? > 0)
    }

    /// The function could not: it is in sight again after `wait`.
    pub fn release(&self, receipt: &str, wait: Duration) -> Outcome<bool> {
        let visible = self.now() + wait.as_millis() as i64;
        let row = params![visible, receipt];
        let freed =
            self.file().execute("UPDATE message SET visible = ?1, receipt = NULL WHERE receipt = ?2", row);
        Ok(freed.whilst("release a message")? > 0)
    }

    /// Messages waiting or being worked on.
    pub fn length(&self, queue: &str) -> Outcome<u64> {
        let ask = "SELECT COUNT(*) FROM message WHERE queue = ?1";
        self.file().query_row(ask, [queue], |row| row.get(0)).whilst("count messages")
    }

    /// Whether a message is in sight or being worked on.
    pub fn in_hand(&self, queue: &str) -> Outcome<bool> {
        let ask = "SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND (visible <= ?2 OR receipt IS NOT NULL))";
        self.file().query_row(ask, params![queue, self.now()], |row| row.get(0)).whilst("look for messages")
    }

    /// Whether a message that comes into sight within a minute has this word in it; given-up ones do not count.
    pub fn speak_of(&self, word: &str) -> Outcome<bool> {
        let word = word.trim_end_matches('#');
        let ask = "SELECT queue FROM message WHERE visible <= ?1 AND instr(body, ?2) > 0";
        let own = self.file();
        let mut ask = own.prepare(ask).whilst("look for messages")?;
        let found = ask.query_map(params![self.now() + 60_000, word], |row| row.get::<_, String>(0));
        let found: Vec<String> =
            found.and_then(|rows| rows.collect::<rusqlite::Result<_>>()).whilst("look for messages")?;
        let is_dead = |queue: &String| {
            queue.ends_with("DeadLetters")
                || self.all().any(|q| q.dead_letters.as_ref().is_some_and(|(dead, _)| dead == queue))
        };
        Ok(found.iter().any(|queue| !is_dead(queue)))
    }

    /// When the queue's next message comes into sight, in milliseconds from now.
    pub fn next_in(&self, queue: &str) -> Outcome<Option<Duration>> {
        let ask = "SELECT MIN(visible) FROM message WHERE queue = ?1";
        let at: Option<i64> =
            self.file().query_row(ask, [queue], |row| row.get(0)).whilst("look for messages")?;
        Ok(at.map(|at| Duration::from_millis((at - self.now()).max(0) as u64)))
    }

    /// How far a reader (of the stream) has come.
    pub fn place(&self, reader: &str) -> Outcome<i64> {
        let ask = "SELECT value FROM place WHERE name = ?1";
        let found = self.file().query_row(ask, [reader], |row| row.get(0)).optional();
        Ok(found.whilst("find the reader's place")?.unwrap_or(0))
    }

    pub fn set_place(&self, reader: &str, value: i64) -> Outcome<()> {
        let tell = "INSERT INTO place VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
        self.file().execute(tell, params![reader, value]).whilst("keep the reader's place").map(drop)
    }
}

fn next(work: &Transaction, queue: &Queue, most: usize, now: i64) -> rusqlite::Result<Vec<Message>> {
    let oldest = now - queue.retention.as_millis() as i64;
    work.execute("DELETE FROM message WHERE queue = ?1 AND sent < ?2", params![queue.id, oldest])?;
    if let Some((target, times)) = &queue.dead_letters {
        let tell = "UPDATE message SET queue = ?1, visible = 0, receipt = NULL, received = 0
                    WHERE queue = ?2 AND visible <= ?3 AND received >= ?4";
        let moved = work.execute(tell, params![target, queue.id, now, times])?;
        if moved > 0 {
            tracing::error!(queue = queue.name, moved, "received too often: moved to the dead letters");
        }
    }
    let mut ask = work.prepare_cached(
        "SELECT id, body, received, sent FROM message WHERE queue = ?1 AND visible <= ?2 ORDER BY turn LIMIT ?3",
    )?;
    let rows = ask.query_map(params![queue.id, now, most as i64], |row| {
        let received: u32 = row.get(2)?;
        let receipt = ulid::Ulid::new().to_string();
        Ok(Message {
            id: row.get(0)?,
            receipt,
            body: row.get(1)?,
            received: received + 1,
            sent_ms: row.get(3)?,
        })
    })?;
    let found: Vec<Message> = rows.collect::<rusqlite::Result<_>>()?;
    for message in &found {
        let until = now + queue.visibility.as_millis() as i64;
        work.execute(
            "UPDATE message SET visible = ?1, received = ?2, receipt = ?3 WHERE id = ?4 AND queue = ?5",
            params![until, message.received, message.receipt, message.id, queue.id],
        )?;
    }
    Ok(found)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::table::tests::folder;
    use jiff::SignedDuration;
    use serde_json::json;

    pub fn queue(id: &str, dead: Option<&str>) -> Queue {
        Queue {
            id: id.into(),
            name: format!("lumina-{}", id.to_lowercase()),
            visibility: Duration::from_secs(150),
            retention: Duration::from_secs(345_600),
            dead_letters: dead.map(|target| (target.into(), 2)),
        }
    }

    pub fn queues(clock: &Clock) -> Queues {
        let rule = Rule {
            id: "Rule".into(),
            pattern: json!({"source": ["lumina"], "detail-type": [{"prefix": "user."}]}),
            targets: vec!["Patients".into()],
        };
        let all = [queue("Patients", Some("Dead")), queue("Dead", None)];
        Queues::open(&folder().join("queues.db"), &all, &[rule], clock.clone()).unwrap()
    }

    #[test]
    fn a_message_is_out_of_sight_while_it_is_worked_on() {
        let clock = Clock::default();
        let queues = queues(&clock);
        queues.send(&[("Patients", "one"), ("Patients", "two")], Duration::ZERO).unwrap();
        let first = queues.receive("Patients", 10).unwrap();
        assert_eq!(first.iter().map(|m| m.body.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert!(queues.receive("Patients", 10).unwrap().is_empty());
        assert!(queues.in_hand("Patients").unwrap() && !queues.in_hand("Dead").unwrap());
        assert!(queues.delete(&first[0].receipt).unwrap());
        clock.advance(SignedDuration::from_secs(151));
        let again = queues.receive("Patients", 10).unwrap();
        assert_eq!((again.len(), again[0].received), (1, 2));
        assert!(!queues.delete(&first[1].receipt).unwrap(), "an old receipt is void");
    }

    #[test]
    fn a_message_received_too_often_goes_to_the_dead_letters() {
        let clock = Clock::default();
        let queues = queues(&clock);
        queues.send(&[("Patients", "bad")], Duration::ZERO).unwrap();
        for _ in 0..2 {
            let got = queues.receive("Patients", 1).unwrap();
            queues.release(&got[0].receipt, Duration::from_secs(1)).unwrap();
            clock.advance(SignedDuration::from_secs(2));
        }
        assert!(queues.receive("Patients", 1).unwrap().is_empty());
        assert_eq!((queues.length("Patients").unwrap(), queues.length("Dead").unwrap()), (0, 1));
        assert!(!queues.speak_of("bad").unwrap(), "what was given up waits for nothing");
        assert_eq!(queues.receive("Dead", 1).unwrap()[0].body, "bad");
        queues.send(&[("Patients", "{\"tenant\": \"01J\"}")], Duration::from_secs(10)).unwrap();
        assert!(queues.speak_of("01J#").unwrap() && !queues.speak_of("01K#").unwrap());
        assert!(!queues.in_hand("Patients").unwrap());
    }

    #[test]
    fn what_was_in_work_when_the_process_died_comes_back_at_once() {
        let clock = Clock::default();
        let file = folder().join("queues.db");
        let open = || Queues::open(&file, &[queue("Patients", None)], &[], clock.clone()).unwrap();
        let killed = open();
        killed.send(&[("Patients", "one")], Duration::ZERO).unwrap();
        killed.receive("Patients", 1).unwrap();
        killed.set_place("stream", 42).unwrap();
        std::mem::forget(killed);
        let again = open();
        assert_eq!(again.receive("Patients", 1).unwrap()[0].body, "one");
        assert_eq!(again.place("stream").unwrap(), 42);
    }

    #[test]
    fn an_event_reaches_the_queues_of_the_rules_it_fits() {
        let queues = queues(&Clock::default());
        let event = |kind: &str| json!({"source": "lumina", "detail-type": kind, "detail": {}});
        assert_eq!(queues.publish(&[event("user.disabled"), event("patient.merged")]).unwrap(), 1);
        let got = queues.receive("Patients", 10).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&got[0].body).unwrap()["detail-type"], "user.disabled");
    }
}
