//! The real program, killed with SIGKILL while people write: everything that was answered with success is there
//! after the next start.

use kernel::Clock;
use local::demo::{Demo, Login, Visitor, login::now};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

struct Program {
    child: Child,
    data: PathBuf,
    /// What it has printed.
    said: Vec<String>,
}

impl Program {
    /// Starts it and waits until it has announced itself.
    fn start(data: &Path, port: u16) -> Program {
        let child = Command::new(env!("CARGO_BIN_EXE_lumina-local"))
            .args(["--port", &port.to_string(), "--data"])
            .arg(data)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut program = Program { child, data: data.into(), said: vec![] };
        for line in BufReader::new(program.child.stdout.take().unwrap()).lines() {
            program.said.push(line.unwrap());
            if program.said.last().unwrap().starts_with("Ctrl-C") {
                return program;
            }
        }
        panic!("it ended before it was ready: {:?}", program.said);
    }

    /// SIGKILL, to the emulator too.
    fn kill(mut self) {
        let emulator = std::fs::read_to_string(self.data.join("ministack/state/running")).unwrap();
        self.child.kill().unwrap();
        let killed = Command::new("kill").args(["-9", emulator.trim()]).status().unwrap();
        assert!(killed.success(), "the emulator was still there");
        self.child.wait().unwrap();
    }

    fn stop(mut self) {
        let asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success() && self.child.wait().unwrap().success(), "Ctrl-C ends it well");
    }

    fn demo(&self) -> Demo {
        Demo::read(&self.data).unwrap().expect("a demo.json")
    }
}

/// A test that fails leaves nothing running.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn desk(demo: &Demo, who: &str) -> Visitor {
    let door = Visitor::at(demo.api.trim_end_matches("/v1")).unwrap();
    door.sign_in(demo.who(who).unwrap(), now(&Clock::default())).await.unwrap()
}

const NAMES: [&str; 12] = [
    "Bako", "Chidi", "Dupe", "Ezinne", "Funke", "Gozie", "Hauwa", "Ikenna", "Jumoke", "Kelechi", "Lami",
    "Musa",
];

fn person(n: usize) -> Value {
    let pick = |n: usize| NAMES[n % 12];
    json!({
        "given_names": format!("{} {}", pick(n), pick(n / 12 + 5)), "gender": "male",
        "family_name": format!("{}{}", pick(n / 12), pick(n / 144 + n).to_lowercase()),
        "birth_date": format!("{}-{:02}-{:02}", 1930 + n % 80, 1 + n % 12, 1 + n % 28),
        "phones": [{"number": format!("+234803{:07}", 1_000_000 + n * 7_919 % 8_999_999), "use": "mobile", "primary": true, "owner": "self"}],
    })
}

/// People at the desk who register until the line is cut; what was answered with 201.
async fn register_until_cut(desk: &Visitor, begin: usize, stopped: Arc<AtomicBool>) -> Vec<Value> {
    let (next, made) = (Arc::new(AtomicUsize::new(begin)), Arc::new(Mutex::new(vec![])));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (desk, next, made, stopped) = (desk.clone(), next.clone(), made.clone(), stopped.clone());
            tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    let person = person(next.fetch_add(1, Ordering::Relaxed));
                    match desk.send(Method::POST, "/v1/patients", &[], Some(&person)).await {
                        Ok(answer) if answer.status == 201 => made.lock().unwrap().push(answer.body),
                        Ok(answer) => assert!(matches!(answer.status, 409 | 502 | 503), "{}", answer.body),
                        Err(_) => return, // cut off in the middle: nothing was promised
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    Arc::into_inner(made).unwrap().into_inner().unwrap()
}

/// A new member of staff, whose login was answered a moment before the end.
async fn newcomer(admin: &Visitor) -> Login {
    let email = "last.minute@harmony.example";
    let sites = admin.get("/v1/tenants/sites").await.unwrap();
    let invite = json!({
        "given_name": "Last", "family_name": "Minute", "email": email, "roles": ["cashier"],
        "sites": [sites["data"][0]["id"]],
    });
    admin.post("/v1/identity/users", invite).await.unwrap();
    Login::take_up(admin, email, &Clock::default()).await.unwrap().0
}

async fn everything_is_there(reception: &Visitor, promised: &[Value]) {
    let mut highest = String::new();
    for before in promised {
        let id = before["id"].as_str().unwrap();
        let after = reception.get(&format!("/v1/patients/{id}")).await.unwrap();
        for field in ["number", "given_names", "family_name", "birth_date", "phones"] {
            assert_eq!(after[field], before[field], "{id} {field}");
        }
        highest = highest.max(before["number"].as_str().unwrap().to_string());
    }
    let phone = promised[0]["phones"][0]["number"].as_str().unwrap().trim_start_matches('+');
    let found = reception.get(&format!("/v1/patients?q=%2B{phone}")).await.unwrap();
    assert_eq!(found["data"][0]["id"], promised[0]["id"], "sealed fields can still be searched");

    let next = reception.post("/v1/patients", person(90_000)).await.unwrap();
    assert!(
        next["number"].as_str().unwrap() > highest.as_str(),
        "numbers continue: {} > {highest}",
        next["number"]
    );
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_with_success_survives_kill_9() {
    let data = std::env::temp_dir().join(format!("lumina-kill-{}", ulid::Ulid::new()));
    let port = free_port();
    let first = Program::start(&data, port);
    let demo = first.demo();
    let admin = desk(&demo, "harmony/tenant_admin").await;
    let reception = desk(&demo, "harmony/receptionist").await;
    let newcomer = newcomer(&admin).await;

    let stopped = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (reception, stopped) = (reception.clone(), stopped.clone());
        async move { register_until_cut(&reception, 0, stopped).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    tokio::task::spawn_blocking(move || first.kill()).await.unwrap();
    stopped.store(true, Ordering::Relaxed);
    let promised = writing.await.unwrap();
    assert!(promised.len() >= 20, "too little was written to say anything: {}", promised.len());

    let began = Instant::now();
    let again = Program::start(&data, port);
    println!("{} patients before the kill; the next start took {:?}", promised.len(), began.elapsed());
    assert!(
        !again.said.iter().any(|line| line.contains("had lost")),
        "no account was lost: {:?}",
        again.said
    );
    let reception = desk(&again.demo(), "harmony/receptionist").await;
    everything_is_there(&reception, &promised).await;
    let door = reception.with(None);
    door.sign_in(&newcomer, now(&Clock::default())).await.expect("the password was answered with success");
    tokio::task::spawn_blocking(move || again.stop()).await.unwrap();
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_the_emulator_lost_are_made_again_from_the_table() {
    let data = std::env::temp_dir().join(format!("lumina-lost-{}", ulid::Ulid::new()));
    let port = free_port();
    Program::start(&data, port).stop();
    let before = Demo::read(&data).unwrap().unwrap();
    std::fs::remove_dir_all(data.join("ministack")).unwrap();

    let again = Program::start(&data, port);
    let people = 1 + before.organisations.iter().map(|o| o.users.len()).sum::<usize>();
    let lost = format!("had lost {people} accounts");
    let told = again.said.iter().find(|line| line.contains(&lost));
    assert!(told.is_some(), "the program says so: {:?}", again.said);
    let after = again.demo();
    for who in ["platform/operator", "grace/tenant_admin", "harmony/receptionist"] {
        let person = desk(&after, who).await;
        let me = person.get("/v1/me").await.unwrap();
        assert_eq!(me["user"], json!(after.who(who).unwrap().user));
        let (old, new) = (before.who(who).unwrap(), after.who(who).unwrap());
        assert_eq!(old.password, new.password);
        assert_eq!(old.totp_secret.is_some(), new.totp_secret.is_some());
    }
    again.stop();
    std::fs::remove_dir_all(data).unwrap();
}
