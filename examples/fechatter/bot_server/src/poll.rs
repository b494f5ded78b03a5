//! Doing something again and again.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fechatter_core::log;
use fechatter_core::shutdown::Shutdown;
use fechatter_server::ChatError;

/// The longest pause while the server cannot be used.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How long a step that has begun may go on once the shutdown has started.
const GRACE: Duration = Duration::from_millis(500);

/// A thread that polls.
#[derive(Debug)]
pub struct Poller(JoinHandle<()>);

impl Poller {
    /// Starts to call `step` at every `interval` until `shutdown`.
    ///
    /// This takes a thread of its own, as a step may hang in a request while
    /// the shutdown cannot wait.
    pub fn start<F>(shutdown: &Shutdown, interval: Duration, step: F) -> io::Result<Self>
    where
        F: FnMut() -> Result<(), ChatError> + Send + 'static,
    {
        let shutdown = shutdown.clone();
        let polling = thread::Builder::new().name("poll".to_owned());
        polling
            .spawn(move || poll(&shutdown, interval, step))
            .map(Self)
    }

    /// Waits, for a short time at most, for the running step to end.
    pub fn finish(self) {
        let deadline = Instant::now() + GRACE;
        while !self.0.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Calls `step` at every `interval` until `shutdown`.
///
/// A server that is away comes back at some time, so errors are logged, each
/// outage once, and make the pauses longer.
fn poll<F>(shutdown: &Shutdown, interval: Duration, mut step: F)
where
    F: FnMut() -> Result<(), ChatError>,
{
    let mut pause = interval;
    let mut failing = false;
    loop {
        match step() {
            Ok(()) => {
                if failing {
                    log::info("the server is back", &[]);
                }
                failing = false;
                pause = interval;
            }
            Err(error) => {
                if !failing {
                    log::warn("cannot work, will try again", &[("error", &error)]);
                }
                failing = true;
                pause = (pause * 2).min(MAX_PAUSE.max(interval));
            }
        }
        if shutdown.wait_timeout(pause) {
            return;
        }
    }
}
