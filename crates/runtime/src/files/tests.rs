use super::*;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{SharedCredentialsProvider, future};
use kernel::{Id, TenantId, Ulid};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// Gives credentials of an hour, and counts how often.
#[derive(Debug, Clone)]
struct Hourly(Clock, Arc<AtomicU32>);

impl ProvideCredentials for Hourly {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.1.fetch_add(1, SeqCst);
        let until = self.0.now() + SignedDuration::from_mins(60);
        future::ProvideCredentials::ready(Ok(Credentials::new(
            "AKID",
            "secret",
            Some("session".into()),
            Some(until.into()),
            "test",
        )))
    }
}

fn s3() -> (S3, Clock, Arc<AtomicU32>) {
    let (clock, count) = (Clock::default(), Arc::<AtomicU32>::default());
    let provider = SharedCredentialsProvider::new(Hourly(clock.clone(), count.clone()));
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("af-south-1"))
        .credentials_provider(provider)
        .build();
    let s3 = S3 {
        documents: "lumina-documents".into(),
        digests: "lumina-digests".into(),
        configured: Box::new(move |_| sdk.clone()),
        clock: clock.clone(),
        opened: Mutex::default(),
    };
    (s3, clock, count)
}

fn tenant() -> Scope {
    Scope::Tenant(TenantId::of(Ulid::from_parts(1, 2)))
}

#[tokio::test]
async fn a_link_signs_length_type_and_checksum_so_that_other_bytes_are_refused() {
    let (s3, ..) = s3();
    let file = File::document(tenant(), "doc/doc_1/1/x");
    let sha256 = hex::encode(seal::sha256(b"hello"));
    let upload = Upload { size: 5, sha256, content_type: "application/pdf".into() };
    let link = s3.upload(&file, &upload, SignedDuration::from_mins(15)).await.unwrap();
    assert_eq!(link.method, "PUT");
    assert!(link.url.contains(file.key()), "{}", link.url);
    let signed = "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256";
    assert!(link.url.contains(signed), "{}", link.url);
    assert!(link.url.contains("X-Amz-Expires=900"), "{}", link.url);
    assert_eq!(link.headers["content-type"], "application/pdf");
    assert_eq!(link.headers["x-amz-checksum-sha256"], checksum(&upload.sha256).unwrap());
    assert_eq!(link.headers.len(), 2);
}

#[tokio::test]
async fn a_download_says_its_name_as_an_attachment() {
    let (s3, ..) = s3();
    let file = File::document(tenant(), "doc/doc_1/1/x");
    let named = Named { name: "Übersicht \"1\".pdf".into(), content_type: "application/pdf".into() };
    let link = s3.download(&file, &named, SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!((link.method.as_str(), link.headers.len()), ("GET", 0));
    assert!(link.url.contains("response-content-disposition=attachment%3B%20filename%3D"), "{}", link.url);
    assert!(link.url.contains("X-Amz-SignedHeaders=host"), "{}", link.url);
}

#[tokio::test]
async fn credentials_that_would_end_before_the_link_are_not_used_for_it() {
    let (s3, clock, count) = s3();
    let file = File::document(tenant(), "x");
    let named = Named { name: "x".into(), content_type: "text/plain".into() };
    let quarter = SignedDuration::from_mins(15);
    for _ in 0..3 {
        s3.download(&file, &named, quarter).await.unwrap();
    }
    assert_eq!(count.load(SeqCst), 1, "assumed once");
    clock.advance(SignedDuration::from_mins(44));
    s3.download(&file, &named, SignedDuration::from_mins(1)).await.unwrap();
    assert_eq!(count.load(SeqCst), 1, "sixteen minutes are left");
    s3.download(&file, &named, quarter).await.unwrap();
    assert_eq!(count.load(SeqCst), 2, "too few for a quarter of an hour and two minutes");
}

#[tokio::test]
async fn a_link_to_a_piece_signs_its_length_and_checksum() {
    let (s3, ..) = s3();
    let file = File::document(tenant(), "doc/doc_1/1/x");
    let piece = Piece { n: 3, size: 5, sha256: hex::encode(seal::sha256(b"hello")) };
    let link = s3.piece(&file, "upload-1", &piece, SignedDuration::from_mins(15)).await.unwrap();
    assert!(
        link.url.contains("X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-checksum-sha256"),
        "{}",
        link.url
    );
    assert!(link.url.contains("partNumber=3") && link.url.contains("uploadId=upload-1"), "{}", link.url);
    assert_eq!(link.headers["x-amz-checksum-sha256"], checksum(&piece.sha256).unwrap());
}

/// A storage that forbids every look, and lists these keys.
async fn forbidding(listed: &'static str) -> S3 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = vec![0; 16 << 10];
            let read = stream.read(&mut asked).await.unwrap_or_default();
            let asked = String::from_utf8_lossy(&asked[..read]).to_string();
            let (status, body) = if asked.contains("list-type=2") {
                ("200 OK", format!("<ListBucketResult>{listed}</ListBucketResult>"))
            } else {
                ("403 Forbidden", String::new())
            };
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let (mut s3, clock, count) = s3();
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("af-south-1"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(SharedCredentialsProvider::new(Hourly(clock, count)))
        .build();
    s3.configured = Box::new(move |_| sdk.clone());
    s3
}

/// S3 answers 403 for what is not there to whoever may not list the whole bucket.
#[tokio::test]
async fn a_forbidden_look_is_missing_only_if_the_key_is_not_listed() {
    let file = File::document(tenant(), "x");
    let s3 = forbidding("").await;
    assert_eq!(s3.stat(&file).await.unwrap(), None);
    assert_eq!(s3.read(&file, None).await.unwrap(), None);
    assert_eq!(s3.sha256(&file).await.unwrap(), None);
    s3.hold(&file, true).await.unwrap();
    let key: &'static str = format!("<Contents><Key>{}</Key></Contents>", file.key()).leak();
    let s3 = forbidding(key).await;
    assert!(s3.stat(&file).await.is_err() && s3.read(&file, None).await.is_err());
}
