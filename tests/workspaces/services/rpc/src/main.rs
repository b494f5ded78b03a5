//! A gRPC service that digests text with OpenSSL; `rpc --ask http://ADDRESS TEXT` asks one.

use std::error::Error;

use tokio_stream::wrappers::TcpListenerStream;
use tonic::{transport::Server, Request, Response, Status};

mod proto {
    tonic::include_proto!("digest");
}
use proto::digest_client::DigestClient;
use proto::digest_server::{Digest, DigestServer};
use proto::{Sum, Text};

struct Openssl;

#[tonic::async_trait]
impl Digest for Openssl {
    async fn sha256(&self, request: Request<Text>) -> Result<Response<Sum>, Status> {
        let sum = openssl::sha::sha256(request.into_inner().text.as_bytes());
        let hex = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Response::new(Sum { hex }))
    }
}

async fn ask(address: String, text: String) -> Result<(), Box<dyn Error>> {
    let mut client = DigestClient::connect(address).await?;
    println!("{}", client.sha256(Text { text }).await?.into_inner().hex);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    if let (Some("--ask"), Some(address), Some(text)) =
        (args.next().as_deref(), args.next(), args.next())
    {
        return ask(address, text).await;
    }
    let incoming = TcpListenerStream::new(common::listen().await?);
    Server::builder()
        .add_service(DigestServer::new(Openssl))
        .serve_with_incoming_shutdown(incoming, common::terminated())
        .await?;
    Ok(())
}
