use super::*;
use crate::{
    queue::tests::queues,
    table::tests::{declared, folder, put},
};
use std::sync::Mutex;

type Seen = Arc<Mutex<Vec<String>>>;

/// A function that notes what it is given and answers with `answer`.
fn function(seen: &Seen, answer: fn(&str) -> Result<Value, String>) -> Handler {
    let seen = seen.clone();
    Handler::new(Duration::from_secs(5), move |event| {
        let words = event["Records"].as_array().into_iter().flatten().map(|r| {
            let text = r["body"].as_str().or(r["dynamodb"]["Keys"]["pk"]["S"].as_str());
            text.unwrap_or_default().to_string()
        });
        let words: Vec<String> = words.collect();
        seen.lock().unwrap().extend(words.clone());
        async move { answer(&words.concat()) }
    })
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that");
}

#[tokio::test]
async fn only_the_failed_messages_of_a_batch_come_again() {
    let (clock, seen, (stop, stopped)) = (Clock::default(), Seen::default(), watch::channel(false));
    let queues = Arc::new(queues(&clock));
    let ids = queues.send(&[("Patients", "good"), ("Patients", "bad")], Duration::ZERO).unwrap();
    let bad = ids[1].clone();
    let handler = {
        let (seen, tries) = (seen.clone(), Arc::new(Mutex::new(0)));
        Handler::new(Duration::from_secs(5), move |event| {
            *tries.lock().unwrap() += 1;
            let first = *tries.lock().unwrap() == 1;
            let got =
                event["Records"].as_array().unwrap().iter().map(|r| r["body"].as_str().unwrap().to_string());
            seen.lock().unwrap().extend(got);
            let bad = bad.clone();
            async move {
                let failed = if first { vec![json!({"itemIdentifier": bad})] } else { vec![] };
                Ok(json!({ "batchItemFailures": failed }))
            }
        })
    };
    let task = tokio::spawn(drain(queues.clone(), "Patients".into(), 10, handler, stopped));
    until(|| seen.lock().unwrap().len() == 2).await;
    clock.advance(SignedDuration::from_secs(2));
    queues.news("Patients").notify_one();
    until(|| queues.length("Patients").unwrap() == 0).await;
    assert_eq!(*seen.lock().unwrap(), ["good", "bad", "bad"]);
    stop.send(true).unwrap();
    task.await.unwrap();
}

async fn pump(seen: &Seen, answer: fn(&str) -> Result<Value, String>) -> Pump {
    let table = Arc::new(Table::open(&folder().join("table.db"), &declared()).await.unwrap());
    let pattern = json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "v#"}]}}}});
    Pump {
        table,
        queues: Arc::new(queues(&Clock::default())),
        function: function(seen, answer),
        batch: 10,
        patterns: vec![pattern],
        dead_letters: "Dead".into(),
    }
}

#[tokio::test]
async fn the_stream_hands_on_change_records_once_and_remembers_its_place() {
    let seen = Seen::default();
    let pump = pump(&seen, |_| Ok(json!({"batchItemFailures": []}))).await;
    for (pk, sk) in [("a", "."), ("b", "v#0000000001"), ("c", "v#0000000001")] {
        put(&pump.table, pk, sk);
    }
    while !matches!(pump.turn(0).await.unwrap(), Turn::Nothing) {}
    assert_eq!(*seen.lock().unwrap(), ["b", "c"]);
    put(&pump.table, "d", "v#0000000001");
    pump.turn(0).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["b", "c", "d"]);
}

#[tokio::test]
async fn a_record_that_cannot_be_handed_on_ends_in_the_dead_letters_alone() {
    let seen = Seen::default();
    let pump =
        pump(&seen, |words| if words.contains('x') { Err("poison".into()) } else { Ok(json!({})) }).await;
    put(&pump.table, "x", "v#0000000001");
    put(&pump.table, "y", "v#0000000001");
    for tries in 0..=TRIES {
        pump.turn(tries).await.unwrap();
    }
    pump.turn(0).await.unwrap();
    assert_eq!(seen.lock().unwrap().last().unwrap(), "y");
    assert_eq!(pump.queues.length("Dead").unwrap(), 1);
    assert!(matches!(pump.turn(0).await.unwrap(), Turn::Nothing));
}

#[tokio::test]
async fn a_beat_comes_when_its_time_has_come() {
    let (clock, (stop, stopped)) = (Clock::default(), watch::channel(false));
    let count = Arc::new(Mutex::new(0));
    let counted = count.clone();
    let handler = Handler::new(Duration::from_secs(5), move |input| {
        assert_eq!(input["beat"], "minute");
        *counted.lock().unwrap() += 1;
        async { Ok(Value::Null) }
    });
    let schedule = Schedule::parse("rate(1 minute)").unwrap();
    let task = tokio::spawn(beat(schedule, json!({"beat": "minute"}), handler, clock.clone(), stopped));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(*count.lock().unwrap(), 0);
    clock.advance(SignedDuration::from_secs(61));
    until(|| *count.lock().unwrap() == 1).await;
    stop.send(true).unwrap();
    task.await.unwrap();
}
