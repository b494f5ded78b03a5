//! What Fechatter's bot and indexer consist of, apart from their command lines.

pub mod bot;
pub mod config;
pub mod index;
pub mod poll;
