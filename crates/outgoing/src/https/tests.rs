use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Answers with one address after the other, the last one for ever.
struct Turns(Vec<&'static str>, AtomicUsize);

impl Resolve for Turns {
    fn resolve<'a>(&'a self, _: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>> {
        let at = self.1.fetch_add(1, SeqCst).min(self.0.len() - 1);
        let all = self.0[at].split(' ').filter_map(|a| a.parse().ok()).collect();
        Box::pin(async move { all })
    }
}

fn over(turns: &[&'static str]) -> Https {
    Https::with_resolver(Permit::Public, Arc::new(Turns(turns.to_vec(), AtomicUsize::new(0))))
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[test]
fn only_https_on_its_own_port_to_a_public_name_is_accepted() {
    let wire = Https::new(Permit::Public);
    for bad in [
        "http://hooks.insurer.com/",
        "https://hooks.insurer.com:8443/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.5]/",
        "https://localhost/",
        "https://db.internal/",
        "https://printer.local/",
        "https://intranet/",
        "https://a:b@insurer.com/",
        "ftp://insurer.com/",
        "https://localhost./",
        "https://10.0.0.5/",
    ] {
        assert!(!wire.accepts(&url(bad)), "{bad}");
    }
    for good in ["https://hooks.insurer.com/a?b=c", "https://insurer.com:443/", "https://8.8.8.8/"] {
        assert!(wire.accepts(&url(good)), "{good}");
    }
}

#[test]
fn home_is_accepted_only_where_it_is_permitted() {
    let wire = Https::new(Permit::Loopback);
    assert!(wire.accepts(&url("http://127.0.0.1:4000/hook")) && wire.accepts(&url("http://localhost:4000/")));
    assert!(!wire.accepts(&url("http://10.0.0.5/")) && !wire.accepts(&url("http://hooks.insurer.com/")));
    assert!(!Https::new(Permit::Public).accepts(&url("http://127.0.0.1:4000/hook")));
}

/// Story 5, second half.
#[tokio::test]
async fn a_name_that_turns_private_at_the_third_look_is_refused_then() {
    let wire = over(&["8.8.8.8", "8.8.8.8", "10.0.0.5"]);
    let hook = url("https://hooks.insurer.com/");
    assert!(wire.addresses(&hook).await.is_ok() && wire.addresses(&hook).await.is_ok());
    assert_eq!(wire.addresses(&hook).await.unwrap_err(), Failed::Unsafe);
    let call = Call { url: hook, headers: vec![], body: vec![] };
    assert_eq!(wire.post(&call).await.unwrap_err(), Failed::Unsafe);
}

#[tokio::test]
async fn one_private_address_among_public_ones_is_one_too_many() {
    let hook = url("https://hooks.insurer.com/");
    assert_eq!(over(&["8.8.8.8 ::1"]).addresses(&hook).await.unwrap_err(), Failed::Unsafe);
    assert_eq!(over(&[""]).addresses(&hook).await.unwrap_err(), Failed::Unresolved);
}

#[tokio::test]
async fn a_home_that_is_permitted_is_this_machine_and_no_other() {
    let there = Arc::new(Turns(vec!["10.0.0.5"], AtomicUsize::new(0)));
    let wire = Https::with_resolver(Permit::Loopback, there);
    assert_eq!(wire.addresses(&url("http://localhost:4000/")).await.unwrap_err(), Failed::Unsafe);
}

/// A server that speaks TLS with a certificate for this name, and what trusts it.
async fn secured(name: &str) -> (u16, RootCertStore) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let made = rcgen::generate_simple_self_signed(vec![name.to_string()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            let n = stream.read(&mut buffer).await.unwrap();
            assert!(buffer[..n].starts_with(b"POST /hook HTTP/1.1"));
            let said = "HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nwait";
            stream.write_all(said.as_bytes()).await.unwrap();
        }
    });
    (port, roots)
}

fn to(port: u16) -> Call {
    Call { url: url(&format!("https://localhost:{port}/hook")), headers: vec![], body: b"{}".to_vec() }
}

fn home() -> Arc<Turns> {
    Arc::new(Turns(vec!["127.0.0.1"], AtomicUsize::new(0)))
}

#[tokio::test]
async fn a_connection_is_secured_and_the_answer_read() {
    let (port, roots) = secured("localhost").await;
    let wire = Https::with_resolver(Permit::Loopback, home()).trusting(roots);
    let answered = wire.post(&to(port)).await.unwrap();
    assert_eq!(answered, Answered { status: 429, retry_after: Some(7), body: b"wait".to_vec() });
}

#[tokio::test]
async fn who_cannot_show_a_certificate_for_the_name_gets_nothing() {
    let (port, roots) = secured("hooks.insurer.com").await;
    let wire = Https::with_resolver(Permit::Loopback, home()).trusting(roots);
    assert_eq!(wire.post(&to(port)).await.unwrap_err(), Failed::Tls);
    let (port, _) = secured("localhost").await;
    let wire = Https::with_resolver(Permit::Loopback, home());
    assert_eq!(wire.post(&to(port)).await.unwrap_err(), Failed::Tls, "nobody vouches for it");
}
