//! HTTP/1.1 over the TLS that the AWS clients use, with the machine's own certificates.

use super::{Answered, Call, Failed, Outgoing, Sending, address::is_public};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// From the first look at the name to the last byte that is read.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer that are kept.
const KEPT: usize = 1024;

/// Names to addresses.
pub trait Resolve: Send + Sync {
    fn resolve<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>>;
}

/// The machine's own resolver.
struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 443)).await;
            found.map(|all| all.map(|address| address.ip()).collect()).unwrap_or_default()
        })
    }
}

/// Where calls may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// https on port 443, to public addresses.
    Public,
    /// Also to this machine, by http and on any port: for people who try webhooks out at home, and for tests.
    Loopback,
}

pub struct Https {
    permit: Permit,
    resolver: Arc<dyn Resolve>,
    tls: OnceLock<Option<Arc<ClientConfig>>>,
}

impl Https {
    pub fn new(permit: Permit) -> Self {
        Self::with_resolver(permit, Arc::new(System))
    }
    pub fn with_resolver(permit: Permit, resolver: Arc<dyn Resolve>) -> Self {
        Self { permit, resolver, tls: OnceLock::new() }
    }
    /// With these certificates instead of the machine's.
    pub fn trusting(self, roots: RootCertStore) -> Self {
        Self { tls: OnceLock::from(configured(roots)), ..self }
    }

    /// Nothing is read from the disk before the first call.
    fn tls(&self) -> Result<TlsConnector, Failed> {
        let config = self.tls.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            configured(roots)
        });
        config.clone().map(TlsConnector::from).ok_or(Failed::Tls)
    }

    /// This machine, where that is permitted.
    fn is_home(&self, url: &Url) -> bool {
        let home = match url.host() {
            Some(Host::Ipv4(v4)) => v4.is_loopback(),
            Some(Host::Ipv6(v6)) => v6.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        home && self.permit == Permit::Loopback && matches!(url.scheme(), "http" | "https")
    }

    /// Every address of the host, all of them public: one that is not makes the others suspect too.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Failed> {
        let found = match url.host().ok_or(Failed::Unsafe)? {
            Host::Ipv4(v4) => vec![v4.into()],
            Host::Ipv6(v6) => vec![v6.into()],
            Host::Domain(name) => self.resolver.resolve(name).await,
        };
        let home = self.is_home(url);
        let fine = |ip: &IpAddr| if home { ip.is_loopback() } else { is_public(*ip) };
        match found.iter().all(fine) {
            _ if found.is_empty() => Err(Failed::Unresolved),
            false => Err(Failed::Unsafe),
            true => {
                let port = url.port_or_known_default().unwrap_or(443);
                Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
            }
        }
    }

    async fn go(&self, call: &Call) -> Result<Answered, Failed> {
        if !self.accepts(&call.url) {
            return Err(Failed::Unsafe);
        }
        let stream = connect(&self.addresses(&call.url).await?).await?;
        let request = request(call)?;
        if call.url.scheme() == "http" {
            return exchange(stream, request).await;
        }
        let host = call.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_string();
        let name = ServerName::try_from(host).map_err(|_| Failed::Unsafe)?;
        let secured = self.tls()?.connect(name, stream).await.map_err(|_| Failed::Tls)?;
        exchange(secured, request).await
    }
}

impl Outgoing for Https {
    fn accepts(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => is_public(v4.into()),
            Some(Host::Ipv6(v6)) => is_public(v6.into()),
            // A name without a dot is somebody's on their own network.
            Some(Host::Domain(name)) => name.trim_end_matches('.').contains('.') && !is_local(name),
            None => false,
        };
        let public = url.scheme() == "https" && url.port().is_none() && literal;
        public || self.is_home(url)
    }

    fn post<'a>(&'a self, call: &'a Call) -> Sending<'a> {
        Box::pin(async move {
            tokio::time::timeout(PATIENCE, self.go(call)).await.unwrap_or(Err(Failed::TimedOut))
        })
    }
}

/// Names that never lead to the public internet (RFC 6761, RFC 6762, RFC 9476, and ICANN's `internal`).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    ["localhost", "local", "internal", "test", "example", "invalid", "onion", "alt", "home.arpa"]
        .iter()
        .any(|end| name == *end || name.ends_with(&format!(".{end}")))
}

fn configured(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions.ok().map(|v| Arc::new(v.with_root_certificates(roots).with_no_client_auth()))
}

/// To the addresses that were looked at, one after the other.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failed> {
    for address in addresses {
        if let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(address)).await
        {
            return Ok(stream);
        }
    }
    Err(Failed::Unreachable)
}

fn request(call: &Call) -> Result<Request<Full<Bytes>>, Failed> {
    let path = match call.url.query() {
        Some(query) => format!("{}?{query}", call.url.path()),
        None => call.url.path().into(),
    };
    let host = match call.url.port() {
        Some(port) => format!("{}:{port}", call.url.host_str().unwrap_or_default()),
        None => call.url.host_str().unwrap_or_default().into(),
    };
    let mut request = Request::post(path).header(header::HOST, host);
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(call.body.clone()))).map_err(|_| Failed::Broken)
}

/// One request on a connection of its own. A redirection is an answer like any other.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answered, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| Failed::Broken)?;
    let running = tokio::spawn(connection);
    let answer = match sender.send_request(request).await {
        Ok(response) => Ok(read(response).await),
        Err(_) => Err(Failed::Broken),
    };
    running.abort();
    answer
}

/// The beginning of the body is for people who look for what went wrong: reading no more of it is no failure.
async fn read(response: Response<Incoming>) -> Answered {
    let (head, mut body) = response.into_parts();
    let mut kept = vec![];
    while kept.len() < KEPT
        && let Some(Ok(frame)) = body.frame().await
    {
        kept.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    kept.truncate(KEPT);
    let retry_after =
        head.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
    Answered { status: head.status.as_u16(), retry_after, body: kept }
}

#[cfg(test)]
mod tests;
