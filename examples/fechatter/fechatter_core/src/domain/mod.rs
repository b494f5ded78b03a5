//! Chats, their messages, and who writes them.

mod model;
mod store;

pub use model::{Chat, ChatId, DomainError, Message, MessageId, NewMessage, User, UserKind};
pub use store::{Page, Store};
