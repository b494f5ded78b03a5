//! Small text helpers for bots.
//!
//! No model and no network is involved: the same input always gives the same
//! output.

mod reply;
mod summary;

pub use reply::reply;
pub use summary::{keywords, summarise};
