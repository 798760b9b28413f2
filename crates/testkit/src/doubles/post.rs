//! Messages of requests, kept in memory, and refused on demand.

use crate::{Back, Keeps, meter};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use web::{
    Letter, Mail,
    access::{Post, Posted, Queue},
};

#[derive(Default)]
pub struct Letterbox {
    sent: Mutex<Vec<(Queue, String)>>,
    letters: Mutex<Vec<Letter>>,
    down: AtomicBool,
    shut: Mutex<Option<Queue>>,
}

impl Letterbox {
    /// From now on nothing is accepted (or everything again).
    pub fn down(&self, down: bool) {
        self.down.store(down, SeqCst);
    }
    /// From now on this one queue accepts nothing.
    pub fn shut(&self, queue: Queue) {
        *self.shut.lock().expect("never poisoned") = Some(queue);
    }
    /// What was sent to a queue, as JSON; forgotten by asking.
    pub fn take(&self, queue: Queue) -> Vec<serde_json::Value> {
        let mut sent = self.sent.lock().expect("never poisoned");
        let (taken, kept) = std::mem::take(&mut *sent).into_iter().partition(|(q, _)| *q == queue);
        *sent = kept;
        let taken: Vec<(Queue, String)> = taken;
        taken.iter().map(|(_, body)| serde_json::from_str(body).expect("JSON")).collect()
    }
}

impl Letterbox {
    /// Letters to an address, oldest first.
    pub fn letters(&self, to: &str) -> Vec<Letter> {
        let all = self.letters.lock().expect("never poisoned");
        all.iter().filter(|l| l.to == to).cloned().collect()
    }
    /// Every letter to anybody, oldest first.
    pub fn every_letter(&self) -> Vec<Letter> {
        self.letters.lock().expect("never poisoned").clone()
    }
}

impl Keeps for Letterbox {
    fn keep(self: Arc<Self>) -> Back {
        let (sent, letters) = (
            self.sent.lock().expect("never poisoned").clone(),
            self.letters.lock().expect("never poisoned").clone(),
        );
        Box::new(move || {
            self.sent.lock().expect("never poisoned").clone_from(&sent);
            self.letters.lock().expect("never poisoned").clone_from(&letters);
        })
    }
}

impl Mail for Letterbox {
    fn send<'a>(&'a self, letter: Letter) -> Posted<'a> {
        Box::pin(async move {
            if self.down.load(SeqCst) {
                return Err(kernel::Error::internal("the post office does not answer"));
            }
            self.letters.lock().expect("never poisoned").push(letter);
            Ok(())
        })
    }
}

impl Post for Letterbox {
    /// Nobody waits in a test: it lies there at once.
    fn send_after<'a>(&'a self, queue: Queue, body: String, _: std::time::Duration) -> Posted<'a> {
        Post::send(self, queue, body)
    }
    fn send<'a>(&'a self, queue: Queue, body: String) -> Posted<'a> {
        Box::pin(async move {
            if self.down.load(SeqCst) || *self.shut.lock().expect("never poisoned") == Some(queue) {
                return Err(kernel::Error::internal("the queue does not answer"));
            }
            meter::sent(&body);
            self.sent.lock().expect("never poisoned").push((queue, body));
            Ok(())
        })
    }
}
