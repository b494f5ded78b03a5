//! What server and clients agree on.

pub use fechatter_core::protos::chat::{
    Chat, ChatMessage, CreateChatRequest, ListChatsResponse, ListMessagesResponse,
    PostMessageRequest,
};
pub use fechatter_core::protos::common::{User, UserKind};

/// How many messages a response has at most, unless the request says so.
pub const DEFAULT_LIMIT: usize = 100;

/// How many messages a request may ask for.
pub const MAX_LIMIT: usize = 500;
