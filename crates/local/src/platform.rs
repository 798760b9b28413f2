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
    signing::Pen,
    sources::{self, Pump, Stop},
    table::Table,
    template::{STAGE, Template, function::Source},
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
use std::{net::SocketAddr, pin::Pin, sync::Arc};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
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
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
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
    let (stop, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    let trigger = functions.handlers.get("token").cloned().unwrap_or_else(no_tokens);
    let hosted = Hosted {
        caller: emulator.caller(),
        pool: around.pool.clone(),
        trigger: Arc::new(Trigger::new(trigger)),
        asks_first: around.template.pool["LambdaConfig"]["PreAuthentication"].is_string(),
    };
    wake(&around, &functions, &stopped, &mut running)?;
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
    serve(listener, router, gateway, around.template.api.compressed_from, stopped, &mut running);
    Ok(Platform { folder, address, emulator, around, app, stop, running })
}

impl Platform {
    /// Ends what runs, keeps what was accepted.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let rest = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(std::time::Duration::from_secs(10), rest).await.is_err() {
            tracing::warn!("some work was cut off; it will be done again at the next start");
            self.running.abort_all();
        }
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
        if let Err(cause) = queues.send(&[("DocumentsQueue", &body)], std::time::Duration::ZERO) {
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
    mut stopped: Stop,
    running: &mut JoinSet<()>,
) {
    let answer = move |ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request<Body>| {
        gateway.clone().answer(request, from.ip())
    };
    let compression =
        CompressionLayer::new().compress_when(SizeAbove::new(compressed_from.unwrap_or(u16::MAX)));
    let router = Router::new().fallback(answer).layer(compression).merge(local);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    running.spawn(async move {
        let until = async move {
            let _ = stopped.changed().await;
        };
        if let Err(cause) = axum::serve(listener, service).with_graceful_shutdown(until).await {
            tracing::error!(%cause, "the gateway stopped");
        }
    });
}

/// Starts what wakes the functions, as the template says.
fn wake(
    around: &Surroundings,
    functions: &Functions,
    stopped: &Stop,
    running: &mut JoinSet<()>,
) -> Outcome<()> {
    running.spawn(sources::sweep(around.table.clone(), stopped.clone()));
    for declared in &around.template.functions {
        let Some(handler) = functions.handlers.get(&declared.name) else { continue };
        for source in &declared.sources {
            wake_by(source, handler.clone(), around, stopped.clone(), running);
        }
    }
    Ok(())
}

fn wake_by(source: &Source, function: Handler, around: &Surroundings, stop: Stop, running: &mut JoinSet<()>) {
    match source {
        Source::Queue { queue, batch } => {
            // Two at a time: deployed, a queue's function runs many times at once too.
            for _ in 0..2 {
                let queues = around.queues.clone();
                running.spawn(sources::drain(queues, queue.clone(), *batch, function.clone(), stop.clone()));
            }
        }
        Source::Stream { batch, patterns } => {
            let pump = Pump {
                table: around.table.clone(),
                queues: around.queues.clone(),
                function,
                batch: *batch,
                patterns: patterns.clone(),
                dead_letters: "DispatchDeadLetters".into(),
            };
            running.spawn(pump.run(stop));
        }
        Source::Schedule { schedule, input, .. } => {
            let clock = around.clock.clone();
            running.spawn(sources::beat(schedule.clone(), input.clone(), function, clock, stop));
        }
    }
}

fn no_tokens() -> Handler {
    Handler::new(std::time::Duration::from_secs(5), |_| async { Err("there is no token function".into()) })
}
