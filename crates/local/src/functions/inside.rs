//! What every module finds inside this process: the table, the keys, the queues, and its batches of messages.

use super::Surroundings;
use crate::{
    emulator::Caller,
    handler::Handler,
    queue::Queues,
    template::{REGION, STAGE},
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use kernel::Error;
use seal::LocalMaster;
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::{Vault, sdk};
use web::{App, Letter, Mail, Module, Place, Ports, Post, Posted, Queue};

/// What all modules share. One set of credentials reaches every tenant here: there is no IAM to divide them.
pub fn app(around: &Surroundings) -> App {
    let client = client(around.table_address);
    let keys = Arc::new(LocalMaster::new(around.master));
    let vault = Vault::new(around.table.name(), move |_scope| client.clone(), keys, around.clock.clone());
    let mail = Letters { emulator: around.emulator.clone(), from: around.sender() };
    let place = Place {
        stage: STAGE.into(),
        region: REGION.into(),
        backup_region: None,
        public_url: around.public_url.clone(),
    };
    let mut ports = Ports::new(Arc::new(Postbox(around.queues.clone())), Arc::new(mail));
    ports.files = around.shelf.clone();
    ports.signer = Arc::new(around.pen.clone());
    App::new(vault, ports, place)
}

/// The SDK's client for the table in this process.
fn client(address: SocketAddr) -> sdk::Client {
    #[expect(clippy::disallowed_methods, reason = "made here, used by the store alone")]
    sdk::Client::new(&place(&format!("http://{address}")))
}

/// What requests leave behind goes straight into the queues' file.
struct Postbox(Arc<Queues>);

impl Post for Postbox {
    fn send<'a>(&'a self, queue: Queue, body: String) -> Posted<'a> {
        self.send_after(queue, body, Duration::ZERO)
    }
    fn send_after<'a>(&'a self, queue: Queue, body: String, wait: Duration) -> Posted<'a> {
        Box::pin(async move {
            let name = match queue {
                Queue::Access => "AccessQueue",
                Queue::Identity => "IdentityQueue",
                Queue::Patients => "PatientsQueue",
                Queue::Scheduling => "SchedulingQueue",
                Queue::Audit => "AuditQueue",
                Queue::Documents => "DocumentsQueue",
                Queue::Notifications => "NotificationsQueue",
                Queue::Integrations => "IntegrationsQueue",
                Queue::Workflow => "WorkflowQueue",
                Queue::Eap => "EapQueue",
                Queue::Tenants => "TenantsQueue",
                Queue::DispatchDead => "DispatchDeadLetters",
            };
            self.0.send(&[(name, &body)], wait).map(drop).map_err(Error::internal)
        })
    }
}

/// Letters go to the emulator's SES, from where `GET /local/mail` shows them.
struct Letters {
    emulator: Caller,
    from: String,
}

impl Mail for Letters {
    fn send<'a>(&'a self, letter: Letter) -> Posted<'a> {
        Box::pin(async move {
            let body = json!({
                "FromEmailAddress": self.from, "Destination": {"ToAddresses": [letter.to]},
                "Content": {"Simple": {"Subject": {"Data": letter.subject}, "Body": {"Text": {"Data": letter.text}}}},
            });
            let sent =
                self.emulator.rest(http::Method::POST, "/v2/email/outbound-emails", "ses", &body).await;
            sent.map(drop).map_err(Error::internal)
        })
    }
}

/// A module's consumer, as the deployed function has it: each message of a batch for itself, the failed ones
/// named in the answer.
pub fn consumer(module: Arc<Module>, app: App, timeout: Duration) -> Handler {
    Handler::new(timeout, move |event| {
        let (module, app) = (module.clone(), app.clone());
        async move {
            match runtime::is_of_a_connection(&event) {
                true => runtime::connection(&module, &app, event).await,
                false => Ok(runtime::batch(&module, &app, &event).await),
            }
        }
    })
}

/// What an SDK client needs to reach an emulated service: credentials that nobody checks, and where it answers.
pub fn place(address: &str) -> SdkConfig {
    let anybody = Credentials::new("local", "local", None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(anybody))
        .endpoint_url(address)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        handler::failures,
        table::{Table, tests::folder},
        template::messaging::{Queue as Declared, Rule},
    };
    use kernel::Clock;
    use serde_json::Value;
    use store::{Caller, Scope};
    use web::Task;

    struct NoMail;

    impl Mail for NoMail {
        fn send<'a>(&'a self, _: Letter) -> Posted<'a> {
            Box::pin(async { Err(Error::internal("no mail in this test")) })
        }
    }

    async fn opened(file: &std::path::Path) -> (Arc<Table>, App) {
        let table = Arc::new(Table::open(file, &crate::table::tests::declared()).await.unwrap());
        let client = client(table.address);
        let queues =
            Queues::open(&folder().join("q.db"), &[] as &[Declared], &[] as &[Rule], Clock::default());
        let keys = Arc::new(LocalMaster::new([7; 32]));
        let vault = Vault::new("lumina", move |_| client.clone(), keys, Clock::default());
        let post = Arc::new(Postbox(Arc::new(queues.unwrap())));
        (table, App::new(vault, Ports::new(post, Arc::new(NoMail)), Place::default()))
    }

    #[tokio::test]
    async fn sealed_values_open_again_after_the_process_died() {
        let file = folder().join("table.db");
        let (table, app) = opened(&file).await;
        let before = app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
        let blind = before.blind("phone", "+2348012345678");
        std::mem::forget(table);
        let (_table, app) = opened(&file).await;
        let after = app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
        assert_eq!(after.blind("phone", "+2348012345678"), blind);
    }

    #[tokio::test]
    async fn one_bad_message_does_not_hold_up_its_batch() {
        let (_table, app) = opened(&folder().join("table.db")).await;
        let task = Task::on("due.x", |_, value| async move {
            if value["id"] == "bad" { Err(Error::internal("on purpose")) } else { Ok(()) }
        });
        let module = Module::new("x", vec![]).does(vec![task]);
        let consumer = consumer(Arc::new(module), app, Duration::from_secs(5));
        let record = |id: &str, body: Value| json!({"messageId": id, "body": body.to_string()});
        let event = json!({"Records": [
            record("1", json!({"type": "due.x", "id": "good"})), record("2", json!({"type": "due.x", "id": "bad"})),
            record("3", json!({"type": "of nobody"})), json!({"messageId": "4", "body": "{"}),
        ]});
        let failed = failures(&consumer.invoke(event).await.unwrap());
        assert_eq!(failed.into_iter().collect::<Vec<_>>(), ["2", "4"]);
    }
}
