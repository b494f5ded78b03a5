//! Doing something again and again.

use std::time::Duration;

use fechatter_core::log;
use fechatter_core::shutdown::Shutdown;
use fechatter_server::ChatError;

/// The longest pause while the server cannot be used.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Calls `step` at every `interval` until `shutdown`.
///
/// A server that is away comes back at some time, so errors are logged, each
/// outage once, and make the pauses longer.
pub fn poll<F>(shutdown: &Shutdown, interval: Duration, mut step: F)
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
