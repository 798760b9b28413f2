use super::*;
use crate::table::tests::folder;
use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt;
use kernel::{Id, TenantId, Ulid};
use std::sync::{Arc, Mutex};
use store::Scope;
use tower::ServiceExt;

struct Stage {
    shelf: Arc<Shelf>,
    clock: Clock,
    router: Router,
    told: Arc<Mutex<Vec<String>>>,
}

fn stage_at(path: PathBuf) -> Stage {
    let clock = Clock::default();
    let shelf = Arc::new(Shelf::new(path, "http://127.0.0.1:3000", &[7; 32], clock.clone()));
    let told = Arc::<Mutex<Vec<String>>>::default();
    let hears = told.clone();
    let router = router(shelf.clone(), Arc::new(move |key| hears.lock().unwrap().push(key.into())));
    Stage { shelf, clock, router, told }
}

fn stage() -> Stage {
    stage_at(folder().join("files"))
}

fn of(n: u128) -> Scope {
    Scope::Tenant(TenantId::of(Ulid::from_parts(1, n)))
}

impl Stage {
    async fn upload(&self, file: &File, bytes: &[u8]) -> Link {
        let sha256 = hex::encode(digest::digest(&digest::SHA256, bytes).as_ref());
        let upload = Upload { size: bytes.len() as u64, sha256, content_type: "application/pdf".into() };
        self.shelf.upload(file, &upload, SignedDuration::from_mins(15)).await.unwrap()
    }
    async fn asks(&self, method: &str, url: &str, bytes: &[u8]) -> (u16, Vec<u8>) {
        let path = url.strip_prefix("http://127.0.0.1:3000").unwrap();
        let request = Request::builder().method(method).uri(path).header("content-type", "application/pdf");
        let request = request.body(Body::from(bytes.to_vec())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }
}

#[tokio::test]
async fn a_link_takes_the_bytes_it_names_and_no_others() {
    let s = stage();
    let file = File::document(of(2), "doc/doc_1/1/x");
    let link = s.upload(&file, b"%PDF-1.7 hello").await;
    for other in [&b"%PDF-1.7 hellp"[..], b"%PDF-1.7 hell", b"%PDF-1.7 hello!", b""] {
        assert_eq!(s.asks("PUT", &link.url, other).await.0, 400);
        assert_eq!(s.shelf.stat(&file).await.unwrap(), None);
    }
    assert!(s.told.lock().unwrap().is_empty());
    assert_eq!(s.asks("PUT", &link.url, b"%PDF-1.7 hello").await.0, 200);
    assert_eq!(*s.told.lock().unwrap(), [file.key()]);
    let stored = s.shelf.stat(&file).await.unwrap().unwrap();
    assert_eq!((stored.size, stored.content_type.as_str()), (14, "application/pdf"));
    assert_eq!(s.shelf.read(&file, Some(4)).await.unwrap().unwrap(), b"%PDF");
}

#[tokio::test]
async fn what_is_changed_in_a_link_opens_nothing() {
    let s = stage();
    let (mine, other) = (File::document(of(2), "doc/doc_1/1/x"), File::document(of(3), "doc/doc_1/1/x"));
    let link = s.upload(&mine, b"hello").await;
    for (from, to) in [
        ("size=5", "size=6".to_string()),
        ("type=application%2Fpdf", "type=text%2Fhtml".into()),
        (mine.key(), other.key().to_string()),
        ("documents", "digests".into()),
    ] {
        let forged = link.url.replace(from, &to);
        assert_ne!(forged, link.url, "{from}");
        assert_eq!(s.asks("PUT", &forged, b"hello").await.0, 403, "{from}");
    }
    assert_eq!(s.asks("GET", &link.url, b"").await.0, 403, "a link is for one method");
    s.clock.advance(SignedDuration::from_secs(901));
    assert_eq!(s.asks("PUT", &link.url, b"hello").await.0, 403, "its time is over");
}

#[tokio::test]
async fn a_download_is_named_and_ends() {
    let s = stage();
    let file = File::document(of(2), "doc/doc_1/1/x");
    s.shelf.write(&file, "application/pdf", b"hello".to_vec()).await.unwrap();
    let named = Named { name: "Licence ü.pdf".into(), content_type: "application/pdf".into() };
    let link = s.shelf.download(&file, &named, SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!(s.asks("GET", &link.url, b"").await, (200, b"hello".to_vec()));
    s.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(s.asks("GET", &link.url, b"").await.0, 403);
}

#[tokio::test]
async fn digests_are_written_once() {
    let s = stage();
    let file = File::digest(of(2), "2026-11-29");
    s.shelf.write(&file, "application/json", b"{}".to_vec()).await.unwrap();
    s.shelf.write(&file, "application/json", b"{}".to_vec()).await.unwrap();
    assert!(s.shelf.write(&file, "application/json", b"{ }".to_vec()).await.is_err());
    assert!(s.shelf.remove(&file).await.is_err());
    assert_eq!(s.shelf.read(&file, None).await.unwrap().unwrap(), b"{}");
}

#[tokio::test]
async fn a_folder_is_listed_in_order_and_by_tenant() {
    let s = stage();
    for (n, path) in [(2, "a"), (2, "a/b"), (2, "a/c"), (2, "b"), (3, "a/z")] {
        s.shelf.write(&File::document(of(n), path), "text/plain", b"x".to_vec()).await.unwrap();
    }
    let under = File::document(of(2), "a");
    let keys = s.shelf.list(&under, None).await.unwrap();
    let short: Vec<&str> = keys.iter().map(|k| k.split_once('/').unwrap().1).collect();
    assert_eq!(short, ["a", "a/b", "a/c"]);
    assert_eq!(s.shelf.list(&under, Some(&keys[1])).await.unwrap(), [keys[2].clone()]);
    s.shelf.remove(&under).await.unwrap();
    s.shelf.remove(&under).await.unwrap();
    assert_eq!(s.shelf.list(&under, None).await.unwrap().len(), 2, "what lies below stays");
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_process_died() {
    let path = folder().join("files");
    let s = stage_at(path.clone());
    let file = File::document(of(2), "doc/doc_1/1/x");
    let link = s.upload(&file, b"hello").await;
    assert_eq!(s.asks("PUT", &link.url, b"hello").await.0, 200);
    // A second upload dies half way: its bytes lie in a temporary file, and the first ones stay.
    std::fs::write(path.join("parts/half"), b"hel").unwrap();
    let again = stage_at(path);
    assert_eq!(again.shelf.read(&file, None).await.unwrap().unwrap(), b"hello");
    let named = Named { name: "x".into(), content_type: "text/plain".into() };
    let link = s.shelf.download(&file, &named, SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!(again.asks("GET", &link.url, b"").await.1, b"hello", "links outlive the process too");
}

#[test]
fn a_key_never_leaves_its_folder() {
    let s = stage();
    for key in ["", "../x", "a/../b", "a//b", "/etc/passwd", "a/.json", "a\\b", "a/\u{0}"] {
        assert!(s.shelf.place(Bucket::Documents, key).is_err(), "{key}");
    }
}

#[tokio::test]
async fn pieces_come_in_any_order_and_are_joined_by_whoever_names_them_all() {
    let s = stage();
    let file = File::document(of(2), "doc/doc_1/1/film");
    let upload = s.shelf.begin(&file, "video/mp4").await.unwrap();
    let sha = |bytes: &[u8]| hex::encode(digest::digest(&digest::SHA256, bytes).as_ref());
    let pieces = [b"first".as_slice(), b"second"];
    let mut arrived = vec![];
    for (n, bytes) in [(2, pieces[1]), (1, pieces[0])] {
        let piece = Piece { n, size: bytes.len() as u64, sha256: sha(bytes) };
        let link = s.shelf.piece(&file, &upload, &piece, SignedDuration::from_mins(15)).await.unwrap();
        let early = [Arrived { n, etag: "x".into(), sha256: sha(bytes) }];
        assert!(!s.shelf.join(&file, &upload, &early).await.unwrap());
        assert_eq!(s.asks("PUT", &link.url, b"other").await.0, 400);
        assert_eq!(s.asks("PUT", &link.url, bytes).await.0, 200);
        arrived.insert(0, Arrived { n, etag: sha(bytes), sha256: sha(bytes) });
    }
    assert!(s.told.lock().unwrap().is_empty(), "a piece is no file");
    for _ in 0..2 {
        assert!(s.shelf.join(&file, &upload, &arrived).await.unwrap(), "also asked for again");
    }
    assert_eq!(s.shelf.read(&file, None).await.unwrap().unwrap(), b"firstsecond");
    assert_eq!(s.shelf.sha256(&file).await.unwrap().unwrap(), sha(b"firstsecond"));
    let other = s.shelf.begin(&file, "video/mp4").await.unwrap();
    for _ in 0..2 {
        s.shelf.abandon(&file, &other).await.unwrap();
    }
    assert!(s.shelf.begin(&file, "x").await.is_ok() && s.shelf.abandon(&file, "../..").await.is_err());
}

#[tokio::test]
async fn what_lies_under_a_legal_hold_is_not_removed() {
    let s = stage();
    let file = File::document(of(2), "doc/doc_1/1/x");
    s.shelf.hold(&file, true).await.unwrap();
    s.shelf.write(&file, "text/plain", b"hello".to_vec()).await.unwrap();
    s.shelf.hold(&file, true).await.unwrap();
    assert!(s.shelf.remove(&file).await.is_err());
    assert_eq!(s.shelf.read(&file, None).await.unwrap().unwrap(), b"hello");
    s.shelf.hold(&file, false).await.unwrap();
    s.shelf.remove(&file).await.unwrap();
    assert_eq!(s.shelf.stat(&file).await.unwrap(), None);
}
