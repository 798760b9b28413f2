//! Messages by SQS.

use kernel::Error;
use std::time::Duration;
use web::access::{Post, Posted, Queue};

/// Seconds that a queue keeps a message back at most.
const LONGEST: i32 = 900;

pub struct Sqs {
    client: aws_sdk_sqs::Client,
    /// The access queue's URL without its name: the other queues lie beside it.
    base: String,
}

impl Sqs {
    pub fn new(client: aws_sdk_sqs::Client, access_queue: &str) -> Self {
        let base = access_queue.strip_suffix(Queue::Access.as_str()).unwrap_or(access_queue);
        Self { client, base: base.into() }
    }
}

impl Post for Sqs {
    fn send<'a>(&'a self, queue: Queue, body: String) -> Posted<'a> {
        self.send_after(queue, body, Duration::ZERO)
    }
    fn send_after<'a>(&'a self, queue: Queue, body: String, wait: Duration) -> Posted<'a> {
        Box::pin(async move {
            let seconds = i32::try_from(wait.as_secs()).unwrap_or(LONGEST).min(LONGEST);
            let request = self.client.send_message().queue_url(format!("{}{queue}", self.base));
            let sent = request.message_body(body).delay_seconds(seconds).send().await;
            sent.map(drop).map_err(|e| Error::internal(format!("queue {queue}: {e}")))
        })
    }
}
