//! Messages by SQS.

use kernel::Error;
use std::time::Duration;
use web::access::{Post, Posted, Queue};

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
    fn send_after<'a>(&'a self, queue: Queue, body: String, delay: Duration) -> Posted<'a> {
        Box::pin(async move {
            let request = self.client.send_message().queue_url(format!("{}{queue}", self.base));
            // None where there is none: a queue's own delay would stand otherwise.
            let delay = i32::try_from(delay.as_secs()).ok().filter(|s| *s > 0);
            let sent = request.message_body(body).set_delay_seconds(delay).send().await;
            sent.map(drop).map_err(|e| Error::internal(format!("queue {queue}: {e}")))
        })
    }
}
