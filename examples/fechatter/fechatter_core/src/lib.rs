//! What Fechatter's services share.
//!
//! Everything here rests on the standard library alone: a small HTTP server and
//! client, JSON, configuration, logging, orderly shutdown, a common command
//! line, and the domain model.

pub mod cli;
pub mod config;
pub mod domain;
pub mod http;
pub mod json;
pub mod log;
pub mod service;
pub mod shutdown;
mod signal;
pub mod text;
pub mod time;

pub use fechatter_protos as protos;

/// Any error that a program may end with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
