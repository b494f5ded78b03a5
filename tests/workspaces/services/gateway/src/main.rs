//! HTTPS with a certificate of its own making, by rustls on ring.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{routing::get, serve::Listener, Router};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::{pki_types::PrivateKeyDer, ServerConfig};
use tokio_rustls::{server::TlsStream, TlsAcceptor};

struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.0.accept().await else {
                continue;
            };
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let tls = Tls(common::listen().await?, Arc::new(config).into());
    let router = Router::new().route("/", get(|| async { "through the gateway" }));
    axum::serve(tls, router)
        .with_graceful_shutdown(common::terminated())
        .await?;
    Ok(())
}
