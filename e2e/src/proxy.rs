//! A TCP proxy that a test can hold, cut or close: where anything between two programs is staged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::in_background;
use crate::records::Records;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server to the client.
    Down,
    /// From the client to the server.
    Up,
}

/// What is held. The first connection that has it is held from there on; others go on as ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A request over plain HTTP that carries a credential.
    Credential,
    /// A connection that was accepted, before its first byte goes anywhere.
    Door,
    /// All that comes from now on.
    Everything,
    /// The request in a connection with TLS 1.3: the client has sent it, and the server has seen no more than a greeting.
    Request,
}

/// A running proxy; it stops when the test's process does.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    /// What is yet to be held.
    armed: Mutex<Option<(Direction, Hold)>>,
    /// Whether a connection is held.
    held: watch::Sender<bool>,
    /// Bytes that went through, both ways together.
    passed: AtomicU64,
    /// What they were when something was to be held.
    passed_before: AtomicU64,
    /// Counts releases.
    released: watch::Sender<u64>,
    /// Changes when every open connection has to go.
    cut: watch::Sender<()>,
}

impl Proxy {
    /// Starts one in front of `target`, on a free port.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(target: SocketAddr) -> Self {
        // Bound here, so that the address is known, and served where it outlives the test's runtime.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            armed: Mutex::default(),
            held: watch::Sender::default(),
            passed: AtomicU64::default(),
            passed_before: AtomicU64::default(),
            released: watch::Sender::default(),
            cut: watch::Sender::default(),
        });
        let serving = Arc::clone(&shared);
        in_background(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (shared, mut cut) = (Arc::clone(&serving), serving.cut.subscribe());
                in_background(async move {
                    tokio::select! {
                        _ = cut.changed() => {}
                        () = connection(client, &shared) => {}
                    }
                });
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, the first connection with something to hold is held.
    ///
    /// # Panics
    /// When something is held already.
    pub fn hold(&self, direction: Direction, hold: Hold) {
        assert!(!*self.shared.held.borrow(), "one thing is held at a time");
        self.shared.passed_before.store(self.passed(), Ordering::SeqCst);
        *self.shared.armed.lock().unwrap() = Some((direction, hold));
    }

    /// How many bytes went through, both ways together.
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// The same since [`hold`](Self::hold).
    pub fn passed_since_held(&self) -> u64 {
        self.passed() - self.shared.passed_before.load(Ordering::SeqCst)
    }

    /// Waits until something is held.
    ///
    /// # Panics
    /// When that takes longer than a minute.
    pub async fn wait_until_held(&self) {
        let mut held = self.shared.held.subscribe();
        let waiting = held.wait_for(|held| *held);
        tokio::time::timeout(Duration::from_secs(60), waiting)
            .await
            .unwrap_or_else(|_| panic!("nothing came to be held at {}", self.address))
            .unwrap();
    }

    /// Lets go of what is held, and holds nothing more. What was held goes on its way, even if its sender is gone.
    ///
    /// # Panics
    /// Never, but when another thread did.
    pub fn release(&self) {
        *self.shared.armed.lock().unwrap() = None;
        self.shared.held.send_replace(false);
        self.shared.released.send_modify(|count| *count += 1);
    }

    /// Closes every open connection; what is held of them is lost.
    pub fn cut(&self) {
        self.shared.cut.send_replace(());
    }
}

impl Shared {
    /// What these bytes are to be held for; if for something, then nothing else is held.
    fn takes(&self, direction: Direction, is: impl Fn(Hold) -> bool) -> Option<Hold> {
        let armed = &mut *self.armed.lock().unwrap();
        armed.take_if(|(towards, hold)| *towards == direction && is(*hold)).map(|(_, hold)| hold)
    }

    /// Waits for the release; where the connection was cut before it, for the end that comes with that.
    async fn hold(&self) {
        let (mut released, cut) = (self.released.subscribe(), self.cut.subscribe());
        self.held.send_replace(true);
        let _ = released.changed().await;
        if cut.has_changed().unwrap_or(true) {
            std::future::pending().await
        }
    }
}

async fn connection(client: TcpStream, shared: &Shared) {
    if shared.takes(Direction::Up, |hold| hold == Hold::Door).is_some() {
        shared.hold().await;
    }
    // A server that is not there is told by closing: before TLS, that is the same to a client.
    let Ok(server) = TcpStream::connect(shared.target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = async {
        pump(from_client, to_server, Direction::Up, shared).await;
        // What remains is the server's to end.
        std::future::pending().await
    };
    tokio::select! {
        () = pump(from_server, to_client, Direction::Down, shared) => {}
        () = up => {}
    }
}

/// Carries bytes until the sender's end.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    shared: &Shared,
) {
    let mut buffer = vec![0; 64 * 1024];
    let (mut records, mut to_is_gone) = (Records::default(), false);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..count];
        let request = records.request_in(bytes);
        let takes = |hold| match hold {
            Hold::Credential => has_credential(bytes),
            Hold::Door => false,
            Hold::Everything => true,
            Hold::Request => request.is_some(),
        };
        match (shared.takes(direction, takes), request) {
            (Some(Hold::Request), Some(at)) => {
                let (greeting, request) = bytes.split_at(at);
                let _ = to.write_all(greeting).await;
                return hold_request(request, from, to, shared).await;
            }
            (Some(_), _) => shared.hold().await,
            (None, _) => {}
        }
        // A server goes on with what it does when nobody hears its answer.
        to_is_gone = to_is_gone || to.write_all(bytes).await.is_err();
        if to_is_gone && direction == Direction::Up {
            break;
        }
        shared.passed.fetch_add(count as u64, Ordering::SeqCst);
    }
}

/// Delivers a request when it is let go. That its sender has given up by then is not told: it looks like one that waits.
async fn hold_request(
    request: &[u8],
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
) {
    // Its body may be a record of its own, right behind.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut rest = vec![0; 64 * 1024];
    let count = from.try_read(&mut rest).unwrap_or_default();
    shared.hold().await;
    let _ = to.write_all(&[request, &rest[..count]].concat()).await;
    to.forget();
}

fn has_credential(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).to_ascii_lowercase().contains("authorization: l402 ")
}
