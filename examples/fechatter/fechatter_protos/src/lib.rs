//! Fechatter's wire types.
//!
//! The build script runs protoc over `proto/` and turns the resulting
//! descriptors into the modules below: a struct for each message, an enum for
//! each enum. See `build.rs` for how to build without protoc.

mod message;
mod wire;

pub use message::{Encoding, Message, Scalar};
pub use wire::{DecodeError, Reader, Value};

#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unused_imports,
    reason = "generated from proto/, whatever that happens to use"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

pub use generated::{chat, common, events};
