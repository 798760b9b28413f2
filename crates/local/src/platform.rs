//! Everything started in order, and stopped again without losing anything.

use crate::{
    arguments::{self, Arguments},
    emulator::{Emulator, pool, python},
    files::{self, Shelf},
    folder::Folder,
    functions::{self, Functions, Surroundings},
    gateway::{Gateway, Keys, PATIENCE, authorize::Authorizer, route::Routes, throttle::Throttle},
    handler::Handler,
    hosted::{self, Hosted, trigger::Trigger},
    live::{self, Hub},
    machines::{self, Machines},
    queue::{Queues, wire},
    rooms::{Rooms, settled, wake},
    signing::Pen,
    table::Table,
    template::{STAGE, Template},
    trouble,
    trouble::{Outcome, While},
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use integrations::Permit;
use kernel::Clock;
use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tower_http::compression::{CompressionLayer, predicate::SizeAbove};
use web::App;

/// The running platform.
pub struct Platform {
    pub folder: Folder,
    pub address: String,
    pub emulator: Emulator,
    pub around: Surroundings,
    /// As a function has it; for what no request does: the first operator, lost accounts.
    pub app: App,
    /// What lets new work in: the gateway, the beats.
    doors: Rooms,
    /// What works on what was accepted: the stream's reader, the queues.
    works: Rooms,
}

/// What a test puts between the functions and the table: from the table's address to the one to use instead.
pub type Front = Box<dyn FnOnce(SocketAddr) -> Pin<Box<dyn Future<Output = SocketAddr> + Send>> + Send>;

/// Starts everything; `progress` is told what takes time.
pub async fn start(arguments: &Arguments, progress: &dyn Fn(&str)) -> Outcome<Platform> {
    start_behind(None, arguments, progress).await
}

/// The same with a layer in front of the table, such as one that contends as the real table does.
pub async fn start_behind(
    front: Option<Front>,
    arguments: &Arguments,
    progress: &dyn Fn(&str),
) -> Outcome<Platform> {
    let workspace = arguments::workspace()?;
    let template = Arc::new(Template::load(&workspace.join("template.yaml"))?);
    let listener = listen(arguments.port).await?;
    let folder = Folder::open(&arguments.folder()?, arguments.fresh)?;
    crate::log::into(&folder)?;
    let clock = Clock::default();
    let (master, pen) = (master_key(&folder)?, Pen::of(&folder)?);
    let table = Arc::new(Table::open(&folder.join("table.db"), &template.table).await?);
    let table_address = match front {
        Some(front) => front(table.address).await,
        None => table.address,
    };
    let queues = Queues::open(&folder.join("queues.db"), &template.queues, &template.rules, clock.clone())?;
    let queues = Arc::new(queues);
    let queues_address = wire::serve(queues.clone()).await?;
    // The environment is the same for every data folder, and `--fresh` keeps it.
    let python = python::ready(&workspace.join(".local/venv"), progress).await?;
    let emulator = Emulator::start(&python, &folder.join("ministack")).await?;

    let port = listener.local_addr().whilst("find the API's port")?.port();
    let address = format!("http://127.0.0.1:{port}");
    let secret = ulid::Ulid::new().to_string();
    let shelf = Arc::new(Shelf::new(folder.join("files"), &address, &master, clock.clone()));
    let pool =
        pool::ensure(&emulator.caller(), &template, &format!("{address}/local/trigger/{secret}")).await?;
    let keys = Arc::<Keys>::default();
    let machines = Arc::new(Machines::open(&folder, &template.plans, keys.clone())?);
    let webhooks = if arguments.loopback_webhooks { Permit::Loopback } else { Permit::Public };
    let around = Surroundings {
        template,
        table,
        table_address,
        queues,
        queues_address,
        clock,
        pool,
        emulator: emulator.caller(),
        public_url: address.clone(),
        master,
        shelf,
        live: Arc::new(Hub::at(&address)),
        machines,
        webhooks,
        pen,
    };
    around.emulator.verify_sender(&around.sender()).await?;
    let app = functions::app(&around);
    let functions = functions::assemble(&around).await?;
    let (mut doors, mut works) = (Rooms::open(), Rooms::open());
    let trigger = functions.handlers.get("token").cloned().unwrap_or_else(no_tokens);
    let hosted = Hosted {
        caller: emulator.caller(),
        pool: around.pool.clone(),
        trigger: Arc::new(Trigger::new(trigger)),
        asks_first: around.template.pool["LambdaConfig"]["PreAuthentication"].is_string(),
    };
    wake(&around, &functions, &mut doors, &mut works);
    let authorizer = trust(&emulator, &around).await?;
    let live = functions.handlers.get("notifications").cloned();
    let gateway = gateway(&around, functions, authorizer, keys);
    let door = machines::Door {
        machines: around.machines.clone(),
        trigger: hosted.trigger.clone(),
        issuer: around.pool.issuer(),
        clock: around.clock.clone(),
    };
    let router = hosted.trigger.clone().router(&secret).merge(machines::router(Arc::new(door)));
    let router = router.merge(hosted::router(Arc::new(hosted)));
    let router = router.merge(files::router(around.shelf.clone(), arrivals(around.queues.clone())));
    let router = match live {
        Some(function) => router.merge(live::router(around.live.clone(), function)),
        None => router,
    };
    serve(listener, router, gateway, around.template.api.compressed_from, &mut doors);
    Ok(Platform { folder, address, emulator, around, app, doors, works })
}

impl Platform {
    /// Lets nothing new in, hands on what was accepted, and ends: a folder that lies still has nothing under way.
    /// What is not done within some seconds is kept, and done at the next start.
    pub async fn stop(mut self) {
        let mut whole = self.doors.close(Duration::from_secs(5)).await;
        match tokio::time::timeout(Duration::from_secs(10), settled(&self.around)).await {
            Ok(Err(trouble)) => tracing::error!(%trouble, "it is not known whether everything was handed on"),
            done => whole &= done.is_ok(),
        }
        whole &= self.works.close(Duration::from_secs(10)).await;
        if !whole {
            tracing::warn!("some work was cut off; it will be done again at the next start");
        }
        drop((self.doors, self.works));
        self.emulator.stop().await;
        if let Ok(table) = Arc::try_unwrap(self.around.table) {
            table.close().await;
        }
    }
}

async fn listen(port: u16) -> Outcome<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AddrInUse => {
            trouble!("Port {port} is taken; stop what uses it, or choose another with --port.")
        }
        _ => trouble!("Could not open port {port}: {cause}"),
    })
}

/// What S3 and its rule do: the documents function hears of every file that arrived.
fn arrivals(queues: Arc<Queues>) -> files::Stored {
    Arc::new(move |key| {
        let body = serde_json::json!({"type": "file.stored", "key": key}).to_string();
        if let Err(cause) = queues.send(&[("DocumentsQueue", &body)], Duration::ZERO) {
            tracing::error!(%cause, "an arrival was not told; whoever uploaded can complete it");
        }
    })
}

/// The key that wraps the tenants' keys. It lies beside the table: without it, sealed fields are lost.
fn master_key(folder: &Folder) -> Outcome<[u8; 32]> {
    let path = folder.join("master.key");
    if let Ok(bytes) = std::fs::read(&path) {
        return bytes.try_into().map_err(|_| trouble!("{} is not a key of 32 bytes.", path.display()));
    }
    if folder.join("table.db").exists() {
        return Err(trouble!(
            "{} is missing, but the table beside it was sealed with it; put it back or start with --fresh.",
            path.display()
        ));
    }
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| trouble!("This machine gives no random numbers."))?;
    folder.write("master.key", &key, true)?;
    Ok(key)
}

/// People's tokens are signed by the emulated pool, machines' by ourselves.
async fn trust(emulator: &Emulator, around: &Surroundings) -> Outcome<Arc<Authorizer>> {
    let authorizer = Authorizer::new(around.pool.issuer(), around.clock.clone());
    let mut keys = around.pool.keys(&emulator.caller()).await?;
    if let (Some(all), Some(own)) =
        (keys["keys"].as_array_mut(), around.machines.jwks()["keys"].as_array().cloned())
    {
        all.extend(own);
    }
    authorizer.trust(&keys);
    Ok(Arc::new(authorizer))
}

fn gateway(
    around: &Surroundings,
    functions: Functions,
    authorizer: Arc<Authorizer>,
    keys: Arc<Keys>,
) -> Arc<Gateway> {
    let template = &around.template;
    Arc::new(Gateway {
        routes: Routes::new(template.api.methods.clone()),
        wordings: template.wordings.clone(),
        authorizer,
        keys,
        stage_limits: template.api.limits.clone(),
        stage: STAGE.into(),
        functions: functions.http,
        clock: around.clock.clone(),
        patience: PATIENCE,
        throttle: Throttle::default(),
    })
}

/// The gateway behind the local pages, on one port.
fn serve(
    listener: TcpListener,
    local: Router,
    gateway: Arc<Gateway>,
    compressed_from: Option<u16>,
    doors: &mut Rooms,
) {
    let mut stopped = doors.stopped();
    let answer = move |ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request<Body>| {
        gateway.clone().answer(request, from.ip())
    };
    let compression =
        CompressionLayer::new().compress_when(SizeAbove::new(compressed_from.unwrap_or(u16::MAX)));
    let router = Router::new().fallback(answer).layer(compression).merge(local);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    doors.running.spawn(async move {
        let until = async move {
            let _ = stopped.changed().await;
        };
        if let Err(cause) = axum::serve(listener, service).with_graceful_shutdown(until).await {
            tracing::error!(%cause, "the gateway stopped");
        }
    });
}

fn no_tokens() -> Handler {
    Handler::new(Duration::from_secs(5), |_| async { Err("there is no token function".into()) })
}
