//! What every service does: listen, say where, and end on SIGTERM.

use tokio::net::TcpListener;
use tokio::signal::unix::{signal, SignalKind};

/// A free port of this machine, told on standard output.
pub async fn listen() -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// Ends when the process is told to.
pub async fn terminated() {
    let mut term = signal(SignalKind::terminate()).expect("a handler for SIGTERM");
    term.recv().await;
    println!("ending");
}
