//! Waiting for SIGTERM and SIGINT: the workspace's only unsafe code.
//!
//! The handler does what little a signal handler may: it writes a byte into a
//! socket, whose other end an ordinary thread reads. Installing a handler also
//! makes the signals effective in a container's first process, for which the
//! kernel ignores them otherwise.

#![allow(unsafe_code, reason = "the standard library has no signal handling")]

use std::ffi::{c_int, c_void};
use std::io::{self, Read};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

const SIGINT: c_int = 2;
const SIGTERM: c_int = 15;
const SIG_ERR: usize = usize::MAX;

extern "C" {
    fn signal(signum: c_int, handler: usize) -> usize;
    fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize;
}

/// The socket that the handler writes to; set before any handler is installed.
static WAKE_FD: AtomicI32 = AtomicI32::new(-1);

/// Whether a signal has arrived. Only the first one writes, so that the write
/// finds room in the socket and leaves the interrupted code's `errno` alone.
static ARRIVED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_signum: c_int) {
    if !ARRIVED.swap(true, Ordering::SeqCst) {
        let byte = 0_u8;
        let fd = WAKE_FD.load(Ordering::SeqCst);
        // SAFETY: write(2) is async-signal-safe, the buffer is one live byte,
        // and the descriptor was given up by its owner for good.
        unsafe { write(fd, (&raw const byte).cast(), 1) };
    }
}

/// The end at which the arrival of a signal can be seen.
#[derive(Debug)]
pub(crate) struct Arrival(UnixStream);

impl Arrival {
    /// Catches SIGTERM and SIGINT from now on; may be called once a process.
    pub(crate) fn install() -> io::Result<Self> {
        let (arrival, wake) = UnixStream::pair()?;
        let fd = wake.into_raw_fd();
        WAKE_FD
            .compare_exchange(-1, fd, Ordering::SeqCst, Ordering::SeqCst)
            .map_err(|_| io::Error::other("signal handlers are installed already"))?;

        let handler = on_signal as extern "C" fn(c_int);
        for signum in [SIGINT, SIGTERM] {
            // SAFETY: the handler has the signature that signal(2) asks for and
            // calls nothing that is not async-signal-safe.
            if unsafe { signal(signum, handler as usize) } == SIG_ERR {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self(arrival))
    }

    /// Blocks until the first signal.
    pub(crate) fn wait(mut self) -> io::Result<()> {
        self.0.read_exact(&mut [0])
    }
}
