//! The server: one thread a connection, within limits.

use std::io::{self, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown as Direction};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::message::{HttpError, Request, Response};
use super::router::Router;
use super::wire::{self, Head, ReadError, Timed};
use crate::log;
use crate::shutdown::Shutdown;

/// What a server puts up with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; more get `503 Service Unavailable`.
    pub connections: usize,
    /// Bytes of request line and header fields.
    pub head_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Time for a request to arrive in full, and again for its response.
    pub timeout: Duration,
    /// Time that requests have to finish once the shutdown has started.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            head_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            timeout: Duration::from_secs(10),
            drain: Duration::from_millis(500),
        }
    }
}

/// A bound socket that is ready to serve.
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    limits: Limits,
}

impl Server {
    /// Binds to `addr`; port 0 picks a free one.
    pub fn bind(addr: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(addr)?;
        Ok(Self {
            local_addr: listener.local_addr()?,
            listener,
            limits,
        })
    }

    /// The address that the server is bound to.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown`, and lets running requests finish.
    pub fn serve(self, router: Router, shutdown: &Shutdown) -> io::Result<()> {
        let active = Arc::new(AtomicUsize::new(0));
        let drain = self.limits.drain;
        let local_addr = self.local_addr;
        let acceptor = Acceptor {
            listener: self.listener,
            limits: self.limits,
            router: Arc::new(router),
            shutdown: shutdown.clone(),
            active: Arc::clone(&active),
        };
        let acceptor = thread::Builder::new()
            .name("accept".to_owned())
            .spawn(move || acceptor.run())?;

        shutdown.wait();
        let deadline = Instant::now() + drain;
        // Only a connection makes accept(2) return.
        if TcpStream::connect_timeout(&reachable(local_addr), drain).is_ok() {
            // The acceptor does not panic, and its end is all that matters.
            let _ = acceptor.join();
        }
        while active.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// The address to reach a socket at that may be bound to every interface.
pub(crate) fn reachable(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    addr
}

struct Acceptor {
    listener: TcpListener,
    limits: Limits,
    router: Arc<Router>,
    shutdown: Shutdown,
    active: Arc<AtomicUsize>,
}

impl Acceptor {
    fn run(&self) {
        loop {
            let accepted = self.listener.accept();
            if self.shutdown.is_triggered() {
                return;
            }
            match accepted {
                Ok((stream, _)) => self.dispatch(stream),
                Err(error) => {
                    log::warn("cannot accept a connection", &[("error", &error)]);
                    // Most likely descriptors have run out: give them time to
                    // come back instead of spinning.
                    if self.shutdown.wait_timeout(Duration::from_millis(50)) {
                        return;
                    }
                }
            }
        }
    }

    fn dispatch(&self, stream: TcpStream) {
        let slot = Slot::take(&self.active);
        if slot.taken > self.limits.connections {
            refuse(&stream);
            return;
        }
        let router = Arc::clone(&self.router);
        let limits = self.limits;
        let spawned = thread::Builder::new()
            .name("connection".to_owned())
            .spawn(move || {
                let _slot = slot;
                serve_connection(&stream, &router, limits);
            });
        if let Err(error) = spawned {
            log::error("cannot start a thread", &[("error", &error)]);
        }
    }
}

/// One of the connections that count towards the limit.
struct Slot {
    active: Arc<AtomicUsize>,
    taken: usize,
}

impl Slot {
    fn take(active: &Arc<AtomicUsize>) -> Self {
        Self {
            taken: active.fetch_add(1, Ordering::SeqCst) + 1,
            active: Arc::clone(active),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::SeqCst);
    }
}

fn refuse(stream: &TcpStream) {
    let response = HttpError::new(503, "too many connections").into();
    // This runs on the accepting thread, so it must not take long; a client
    // that does not get the answer sees the connection closed.
    let _ = wire::write_response(Timed::new(stream, Duration::from_millis(50)), &response);
}

fn serve_connection(stream: &TcpStream, router: &Router, limits: Limits) {
    let started = Instant::now();
    let mut complete = true;
    let (line, response) = match read_request(stream, limits) {
        Ok(None) => return,
        Ok(Some(request)) => {
            let line = format!("{} {}", request.method, request.path());
            (line, answer(router, &request))
        }
        Err(ReadError::Http(error)) => {
            complete = false;
            ("-".to_owned(), error.into())
        }
        Err(ReadError::Io(error)) if is_timeout(&error) => {
            complete = false;
            ("-".to_owned(), HttpError::new(408, "timeout").into())
        }
        Err(ReadError::Io(error)) => {
            log::warn("cannot read a request", &[("error", &error)]);
            return;
        }
    };

    if let Err(error) = wire::write_response(Timed::new(stream, limits.timeout), &response) {
        log::warn("cannot write a response", &[("error", &error)]);
    } else if !complete {
        discard_rest(stream);
    }
    log::info(
        "request",
        &[
            ("request", &line),
            ("status", &response.status),
            ("us", &started.elapsed().as_micros()),
        ],
    );
}

/// Closing a socket with unread input resets the connection, and the client
/// may lose the response; so reads some of the rest first.
fn discard_rest(stream: &TcpStream) {
    const MAX_BYTES: u64 = 4 * 1024 * 1024;

    // This is a courtesy; if it fails the client is gone.
    let _ = stream.shutdown(Direction::Write);
    let rest = Timed::new(stream, Duration::from_millis(250));
    let _ = io::copy(&mut rest.take(MAX_BYTES), &mut io::sink());
}

fn read_request(stream: &TcpStream, limits: Limits) -> Result<Option<Request>, ReadError> {
    let mut reader = BufReader::new(Timed::new(stream, limits.timeout));
    let Some(head) = Head::read(&mut reader, limits.head_bytes)? else {
        return Ok(None);
    };
    let length = head.body_length(limits.body_bytes)?.unwrap_or(0);
    let mut request = head.into_request()?;
    let expect = request.headers.get("expect");
    if expect.is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        let proceed = b"HTTP/1.1 100 Continue\r\n\r\n";
        Timed::new(stream, limits.timeout).write_all(proceed)?;
    }
    request.body = wire::read_body(&mut reader, length)?;
    Ok(Some(request))
}

/// Answers a request; a panic concerns that request only.
fn answer(router: &Router, request: &Request) -> Response {
    // Handlers keep their shared state behind locks, and take what a panic may
    // have left there into account.
    panic::catch_unwind(AssertUnwindSafe(|| router.handle(request)))
        .unwrap_or_else(|_| HttpError::new(500, "internal error").into())
}

/// Timeouts of sockets come as either, depending on the platform.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

#[cfg(test)]
mod tests {
    use std::thread::JoinHandle;

    use super::super::{Client, Endpoint, Method};
    use super::*;

    struct Running {
        addr: SocketAddr,
        shutdown: Shutdown,
        thread: JoinHandle<io::Result<()>>,
    }

    impl Running {
        fn start(limits: Limits) -> Self {
            let ok = |body: &[u8]| Ok(Response::new(200, "text/plain", body.to_vec()));
            let router = Router::new()
                .route(Method::Get, "/ok", move |_, _| ok(b"fine"))
                .route(Method::Post, "/echo", move |request, _| ok(&request.body))
                .route(Method::Get, "/panic", |_, _| panic!("on purpose"))
                .route(Method::Get, "/slow", move |_, _| {
                    thread::sleep(Duration::from_millis(200));
                    ok(b"late")
                });
            let addr = SocketAddr::from(([127, 0, 0, 1], 0));
            let server = Server::bind(addr, limits).unwrap();
            let addr = server.local_addr();
            let shutdown = Shutdown::new();
            let until = shutdown.clone();
            Self {
                addr,
                shutdown,
                thread: thread::spawn(move || server.serve(router, &until)),
            }
        }

        fn get(&self, target: &str) -> (u16, Vec<u8>) {
            get(self.addr, target)
        }

        fn raw(&self, request: &str) -> String {
            let mut stream = TcpStream::connect(self.addr).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        }

        fn stop(self) {
            self.shutdown.trigger();
            self.thread.join().unwrap().unwrap();
        }
    }

    fn get(addr: SocketAddr, target: &str) -> (u16, Vec<u8>) {
        let request = Request::new(Method::Get, target, Vec::new());
        let response = Client::default().send(&Endpoint::from(addr), &request);
        let response = response.unwrap();
        (response.status, response.body)
    }

    #[test]
    fn a_panic_costs_one_request_only() {
        let server = Running::start(Limits::default());
        assert_eq!(server.get("/panic").0, 500);
        assert_eq!(server.get("/ok"), (200, b"fine".to_vec()));
        server.stop();
    }

    #[test]
    fn limits_are_enforced() {
        let server = Running::start(Limits {
            connections: 0,
            ..Limits::default()
        });
        assert_eq!(server.get("/ok").0, 503);
        server.stop();

        let server = Running::start(Limits {
            body_bytes: 4,
            timeout: Duration::from_millis(100),
            ..Limits::default()
        });
        let large = server.raw("POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345");
        assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
        let slow = server.raw("POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\n12");
        assert!(slow.starts_with("HTTP/1.1 408 "), "{slow}");
        server.stop();
    }

    #[test]
    fn clients_may_ask_before_they_send() {
        let server = Running::start(Limits::default());
        let answer = server
            .raw("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
        assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
        assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
        server.stop();
    }

    #[test]
    fn shutdown_lets_requests_finish() {
        let server = Running::start(Limits::default());
        let addr = server.addr;
        let request = thread::spawn(move || get(addr, "/slow"));
        thread::sleep(Duration::from_millis(100));
        server.stop();
        assert_eq!(request.join().unwrap(), (200, b"late".to_vec()));
        assert!(TcpStream::connect(addr).is_err());
    }
}
