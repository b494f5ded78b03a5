//! Telling every thread that the process is to end.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::log;
use crate::signal::Arrival;

/// A flag that is raised once, and that threads can wait for.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<(Mutex<bool>, Condvar)>);

impl Shutdown {
    /// A shutdown that only [`Shutdown::trigger`] brings about.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A shutdown that SIGTERM or SIGINT brings about.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let arrival = Arrival::install()?;
        let triggered = shutdown.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                if let Err(error) = arrival.wait() {
                    log::error("cannot wait for signals", &[("error", &error)]);
                }
                triggered.trigger();
            })?;
        Ok(shutdown)
    }

    /// Starts the shutdown.
    pub fn trigger(&self) {
        let (flag, changed) = &*self.0;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether the shutdown has started.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.0 .0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until the shutdown starts.
    pub fn wait(&self) {
        let (flag, changed) = &*self.0;
        let flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(flag, |triggered| !*triggered));
    }

    /// Blocks until the shutdown starts, for `timeout` at most; returns whether
    /// it has started.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let (flag, changed) = &*self.0;
        let flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let (flag, _) = changed
            .wait_timeout_while(flag, timeout, |triggered| !*triggered)
            .unwrap_or_else(PoisonError::into_inner);
        *flag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_timeout_or_the_trigger() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.wait_timeout(Duration::from_millis(1)));
        let trigger = shutdown.clone();
        let thread = thread::spawn(move || trigger.trigger());
        assert!(shutdown.wait_timeout(Duration::from_secs(10)));
        shutdown.wait();
        thread.join().unwrap();
    }
}
