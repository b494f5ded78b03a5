//! The client library for Fechatter's chat server.
//!
//! Programs that talk to the server depend on this library, which knows routes
//! and formats, rather than on the server itself.

pub mod api;
mod client;

pub use client::{ChatClient, ChatError};
