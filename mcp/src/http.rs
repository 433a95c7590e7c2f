//! Streamable HTTP: on this machine for its own programs, elsewhere for who holds the token.

use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::{McpError, PlanntMcp};

/// The endpoint's path.
const PATH: &str = "/mcp";

/// Connections at a time.
const MAX_CONNECTIONS: usize = 256;

/// The longest message of a client, bytes.
const MAX_MESSAGE: usize = 16 << 20;

/// How long running requests are waited for when the server stops.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A secret that a client shows in `Authorization: Bearer`.
#[derive(Clone)]
pub struct BearerToken(Zeroizing<String>);

impl BearerToken {
    /// The shortest that is taken, characters.
    pub const MIN_LENGTH: usize = 16;

    /// A token of visible ASCII, at least [`Self::MIN_LENGTH`] long.
    ///
    /// # Errors
    /// [`McpError::Config`].
    pub fn new(token: impl Into<String>) -> Result<Self, McpError> {
        let token = Zeroizing::new(token.into());
        let is_usable =
            token.len() >= Self::MIN_LENGTH && token.bytes().all(|byte| byte.is_ascii_graphic());
        match is_usable {
            true => Ok(Self(token)),
            false => Err(McpError::Config {
                message: format!(
                    "a bearer token has at least {} visible ASCII characters",
                    Self::MIN_LENGTH
                ),
            }),
        }
    }

    fn is_shown_by<B>(&self, request: &Request<B>) -> bool {
        let mut lines = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return false };
        let Some((scheme, shown)) = line.to_str().ok().and_then(|line| line.split_once(' ')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer")
            && bool::from(shown.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}

/// Where and for whom [`PlanntMcp`] listens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The address; `127.0.0.1:8404` unless set. Port 0 takes a free one. One that is not loopback needs a token.
    pub listen: SocketAddr,
    /// What a client must show; nothing unless set.
    pub token: Option<BearerToken>,
    /// The origins of pages whose scripts may call, such as `http://localhost:6274`, or `http://localhost:*` for any
    /// port; none unless set. Who sends no `Origin` is no page.
    pub origins: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8404));
        Self { listen, token: None, origins: Vec::new() }
    }
}

type Service = StreamableHttpService<PlanntMcp, LocalSessionManager>;
type Body = BoxBody<Bytes, Infallible>;

/// A server that listens.
pub struct BoundHttp {
    listener: TcpListener,
    local_addr: SocketAddr,
    service: Service,
    stop: CancellationToken,
    token: Option<BearerToken>,
}

impl PlanntMcp {
    /// Listens for streamable HTTP at `/mcp`.
    ///
    /// # Errors
    /// [`McpError::Config`] for an address that others can reach, without a token, and for an origin that is none;
    /// [`McpError::Io`].
    pub async fn bind_http(self, config: HttpConfig) -> Result<BoundHttp, McpError> {
        if !config.listen.ip().is_loopback() && config.token.is_none() {
            let message = "an address that other machines reach needs a bearer token".into();
            return Err(McpError::Config { message });
        }
        let origins: Vec<_> =
            config.origins.iter().map(|text| origin(text)).collect::<Result<_, _>>()?;
        let io = |source| McpError::Io { doing: "listen", source };
        let listener = TcpListener::bind(config.listen).await.map_err(io)?;
        let local_addr = listener.local_addr().map_err(io)?;
        let stop = CancellationToken::new();
        let mut settings = StreamableHttpServerConfig::default()
            .with_cancellation_token(stop.clone())
            // An event stream only where there is more than the result to tell: some clients bound an event's size.
            .with_json_response(true)
            .with_max_request_body_bytes(MAX_MESSAGE)
            .with_allowed_origins(origins)
            .enforce_origin_validation();
        if !config.listen.ip().is_loopback() {
            // Any name may lead here; who holds the token is let in.
            settings = settings.disable_allowed_hosts();
        }
        self.recover_in_background();
        let server = self;
        let service =
            StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), settings);
        Ok(BoundHttp { listener, local_addr, service, stop, token: config.token })
    }
}

impl BoundHttp {
    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` completes, then gives running requests a short time.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        let Self { listener, service, stop, token, .. } = self;
        let token = Arc::new(token);
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accept = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept => accepted,
            };
            let Ok((socket, _)) = accepted else {
                // Too many open files, most likely: it passes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (service, token, stop) = (service.clone(), Arc::clone(&token), stop.clone());
            tokio::spawn(async move {
                let handle = service_fn(move |request| {
                    let (service, token) = (service.clone(), Arc::clone(&token));
                    async move { Ok::<_, Infallible>(answer(service, &token, request).await) }
                });
                let builder = auto::Builder::new(TokioExecutor::new());
                let connection = builder.serve_connection(TokioIo::new(socket), handle);
                let mut connection = std::pin::pin!(connection);
                let ended = tokio::select! {
                    ended = &mut connection => ended,
                    () = stop.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                drop(permit);
            });
        }
        stop.cancel();
        let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(SHUTDOWN, permits.acquire_many(all)).await;
    }
}

/// An origin as the SDK is told of it: it passes over what it can't read, and without a port it takes any.
fn origin(text: &str) -> Result<String, McpError> {
    let none = || McpError::Config {
        message: format!("{text:?} is no origin of a page, such as http://localhost:6274"),
    };
    let (base, any_port) = match text.strip_suffix(":*") {
        Some(base) => (base, true),
        None => (text, false),
    };
    let uri: Uri = base.parse().map_err(|_| none())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(none());
    };
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(none()),
    };
    let is_whole = uri.path_and_query().is_none_or(|rest| rest == "/");
    let host = authority.host();
    // `Authority::port` is silent about a port that is none.
    let port = authority.as_str().strip_prefix(host);
    let port = match (port, any_port) {
        (Some(""), true) => "*".to_owned(),
        (Some(""), false) => default_port.to_string(),
        (Some(port), false) => match port.strip_prefix(':').and_then(|port| port.parse().ok()) {
            Some(port) => u16::to_string(&port),
            None => return Err(none()),
        },
        _ => return Err(none()),
    };
    if !is_whole || host.is_empty() || host.contains('*') {
        return Err(none());
    }
    Ok(format!("{scheme}://{host}:{port}"))
}

async fn answer(
    service: Service,
    token: &Option<BearerToken>,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.uri().path() != PATH {
        return plain(StatusCode::NOT_FOUND, "the endpoint is /mcp\n");
    }
    if token.as_ref().is_some_and(|token| !token.is_shown_by(&request)) {
        let mut response = plain(StatusCode::UNAUTHORIZED, "a bearer token is needed\n");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    match service.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_the_token_itself_opens() {
        let token = BearerToken::new("0123456789abcdef").unwrap();
        let shown = |lines: &[&str]| {
            let mut request = Request::builder();
            for line in lines {
                request = request.header("authorization", *line);
            }
            token.is_shown_by(&request.body(()).unwrap())
        };
        assert!(shown(&["Bearer 0123456789abcdef"]));
        assert!(shown(&["bearer 0123456789abcdef"]));
        for lines in [
            &[][..],
            &["Bearer 0123456789abcde"],
            &["Bearer 0123456789abcdef "],
            &["Bearer  0123456789abcdef"],
            &["Basic 0123456789abcdef"],
            &["0123456789abcdef"],
            &["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"],
        ] {
            assert!(!shown(lines), "{lines:?}");
        }
        assert!(!format!("{token:?}").contains("0123"));
        assert!(BearerToken::new("short").is_err());
        assert!(BearerToken::new("0123456789abcdef\n").is_err());
    }

    #[test]
    fn an_origin_is_one_port_unless_it_says_any() {
        for (said, is) in [
            ("http://localhost:6274", "http://localhost:6274"),
            ("https://a.example", "https://a.example:443"),
            ("http://a.example/", "http://a.example:80"),
            ("http://[::1]:80", "http://[::1]:80"),
            ("http://127.0.0.1:*", "http://127.0.0.1:*"),
        ] {
            assert_eq!(origin(said).unwrap(), is);
        }
        for said in [
            "",
            "*",
            "null",
            "localhost:6274",
            "a.example",
            "ftp://a.example",
            "http://a.example/page",
            "http://a.example?x",
            "http://user@a.example",
            "http://a.example:99999",
            "http://a.example:80:*",
            "http://*",
        ] {
            assert!(matches!(origin(said), Err(McpError::Config { .. })), "{said}");
        }
    }
}
