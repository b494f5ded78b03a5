//! A small HTTP/1.1 server and client.
//!
//! One request a connection, bodies with a `Content-Length`, no TLS: what
//! services need among themselves, or behind a proxy that does the rest.

mod client;
mod message;
mod router;
mod server;
mod wire;

pub use client::{Client, ClientError, Endpoint};
pub use message::{Headers, HttpError, Method, Request, Response, JSON, PROTOBUF};
pub use router::{Params, Router};
pub(crate) use server::reachable;
pub use server::{Limits, Server};
