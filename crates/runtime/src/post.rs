//! Messages by SQS.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use kernel::Error;
use std::time::Duration;
use web::access::{Post, Posted, Queue};

/// SQS's bound of one call.
const BATCH: usize = 10;
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
            // None where there is none: a queue's own delay would stand otherwise.
            let seconds = Some(seconds).filter(|s| *s > 0);
            let sent = request.message_body(body).set_delay_seconds(seconds).send().await;
            sent.map(drop).map_err(|e| Error::internal(format!("queue {queue}: {e}")))
        })
    }

    fn send_all<'a>(&'a self, queue: Queue, bodies: Vec<String>) -> Posted<'a> {
        Box::pin(async move {
            // Bodies are ids and codes: ten of them lie far below the bound of a batch's bytes.
            for ten in bodies.chunks(BATCH) {
                let mut request = self.client.send_message_batch().queue_url(format!("{}{queue}", self.base));
                for (n, body) in ten.iter().enumerate() {
                    let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(body);
                    request = request.entries(entry.build().map_err(Error::internal)?);
                }
                let answer = request.send().await;
                let answer = answer.map_err(|e| Error::internal(format!("queue {queue}: {e}")))?;
                if let Some(failed) = answer.failed().first() {
                    let code = failed.code();
                    return Err(Error::internal(format!("queue {queue} did not accept all: {code}")));
                }
            }
            Ok(())
        })
    }
}
