//! A TCP proxy that can hold back requests which carry a credential: where a crash between payment
//! and retry is staged.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    holding: Arc<AtomicBool>,
    held: Mutex<Receiver<()>>,
}

impl Proxy {
    pub(crate) fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let holding = Arc::new(AtomicBool::new(false));
        let (tell, held) = channel();
        let flag = Arc::clone(&holding);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (flag, tell) = (Arc::clone(&flag), tell.clone());
                thread::spawn(move || carry(client.unwrap(), target, &flag, &tell));
            }
        });
        Self { address, holding, held: Mutex::new(held) }
    }

    /// From now on, a request with a credential is read and never forwarded.
    pub(crate) fn hold_credentials(&self) {
        self.holding.store(true, Ordering::SeqCst);
    }

    pub(crate) fn let_through(&self) {
        self.holding.store(false, Ordering::SeqCst);
    }

    /// Waits until one is held.
    pub(crate) fn wait_for_held(&self) {
        self.held.lock().unwrap().recv().unwrap();
    }
}

fn carry(mut client: TcpStream, target: SocketAddr, holding: &AtomicBool, tell: &Sender<()>) {
    let mut upstream = TcpStream::connect(target).unwrap();
    let (mut from, mut to) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut head = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while let Ok(n @ 1..) = client.read(&mut chunk) {
        head.extend_from_slice(&chunk[..n]);
        // A head is forwarded whole, so that a credential is never half sent.
        if !head.windows(4).any(|w| w == b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        if holding.load(Ordering::SeqCst) && text.contains("authorization: l402 ") {
            let _ = tell.send(());
            // Held until the client is gone.
            while matches!(client.read(&mut chunk), Ok(1..)) {}
            break;
        }
        if upstream.write_all(&head).is_err() {
            break;
        }
        head.clear();
    }
    let _ = upstream.shutdown(Shutdown::Both);
}
