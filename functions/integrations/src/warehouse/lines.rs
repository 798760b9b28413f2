//! Changes as lines of JSON, compressed: the same changes are the same bytes.

use super::Part;
use flate2::{Compression, GzBuilder};
use kernel::{Error, Result};
use seal::sha256;
use serde::Serialize;
use std::io::Write;
use store::{ChangeAt, Logged};

#[derive(Serialize)]
struct Line<'a> {
    tenant: &'a str,
    #[serde(flatten)]
    change: &'a Logged,
}

/// The file and what is remembered of it. `places` and `changes` are the same, in the same order.
pub fn written(tenant: &str, day: &str, places: &[ChangeAt], changes: &[Logged]) -> Result<(Part, Vec<u8>)> {
    let mut gz = GzBuilder::new().mtime(0).write(vec![], Compression::default());
    for change in changes {
        serde_json::to_writer(&mut gz, &Line { tenant, change }).map_err(Error::internal)?;
        gz.write_all(b"\n").map_err(Error::internal)?;
    }
    let bytes = gz.finish().map_err(Error::internal)?;
    let (first, last) = (places.first().map(label), places.last().map(label));
    let name = format!("dt={day}/part-{}-{}.ndjson.gz", first.unwrap_or_default(), last.unwrap_or_default());
    let part = Part {
        name,
        rows: changes.len() as u64,
        bytes: bytes.len() as u64,
        sha256: hex::encode(sha256(&bytes)),
    };
    Ok((part, bytes))
}

/// `101500123_pat_01J…_1`: time of day, record, version.
fn label(change: &ChangeAt) -> String {
    let time = change.sort.split('#').next().unwrap_or_default().get(11..).unwrap_or_default();
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    format!("{digits}_{}_{}", change.id, change.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use serde_json::json;
    use std::io::Read;

    fn change(n: u64) -> (ChangeAt, Logged) {
        let at = format!("2026-11-20T10:15:0{n}.000Z");
        let id = format!("pat_{n}");
        let place = ChangeAt {
            sort: format!("{at}#{id}#0000000001"),
            kind: "pat".into(),
            id: id.clone(),
            version: 1,
        };
        let logged = Logged {
            kind: "pat".into(),
            id,
            version: 1,
            at,
            by: "usr_1".into(),
            roles: vec!["receptionist".into()],
            elevated: None,
            on_behalf: None,
            request: "req-1".into(),
            action: "create".into(),
            event: json!({"type": "patient.registered", "data": {"site": "sit_1", "patient": "pat_1"}}),
            prev: String::new(),
            hash: "h".into(),
        };
        (place, logged)
    }

    #[test]
    fn the_same_changes_are_the_same_bytes_under_the_same_name() {
        let (places, changes): (Vec<_>, Vec<_>) = (1..=3).map(change).unzip();
        let one = written("01J", "2026-11-20", &places, &changes).unwrap();
        assert_eq!(one, written("01J", "2026-11-20", &places, &changes).unwrap());
        assert_eq!(one.0.name, "dt=2026-11-20/part-101501000_pat_1_1-101503000_pat_3_1.ndjson.gz");
        let mut text = String::new();
        GzDecoder::new(&one.1[..]).read_to_string(&mut text).unwrap();
        assert_eq!((text.lines().count(), one.0.rows), (3, 3));
        let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&line["tenant"], &line["event"]["data"]["site"]), (&json!("01J"), &json!("sit_1")));
    }
}
