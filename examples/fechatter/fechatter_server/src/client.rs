//! The typed client.

use std::fmt::{self, Display};

use fechatter_core::http::{Client, ClientError, Endpoint, Method, Request, Response, PROTOBUF};
use fechatter_core::json::Json;
use fechatter_core::protos::{DecodeError, Message};

use crate::api::{
    Chat, ChatMessage, CreateChatRequest, ListChatsResponse, ListMessagesResponse,
    PostMessageRequest, MAX_LIMIT,
};

/// Why the server did not do what it was asked to.
#[derive(Debug)]
pub enum ChatError {
    /// It could not be reached.
    Client(ClientError),
    /// It refused.
    Refused {
        /// The response's status code.
        status: u16,
        /// The server's reason.
        reason: String,
    },
    /// It answered with something else than what was asked for.
    Decode(DecodeError),
}

impl Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::Refused { status, reason } => write!(f, "refused ({status}): {reason}"),
            Self::Decode(error) => write!(f, "unexpected response: {error}"),
        }
    }
}

impl std::error::Error for ChatError {}

impl From<ClientError> for ChatError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<DecodeError> for ChatError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// A client of one chat server.
#[derive(Clone, Debug)]
pub struct ChatClient {
    endpoint: Endpoint,
    http: Client,
}

impl ChatClient {
    /// A client of the server at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            http: Client::default(),
        }
    }

    /// Where the server is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Every chat.
    pub fn chats(&self) -> Result<Vec<Chat>, ChatError> {
        let response: ListChatsResponse = self.call(Method::Get, "/chats", Vec::new())?;
        Ok(response.chats)
    }

    /// Creates a chat.
    pub fn create_chat(&self, name: &str) -> Result<Chat, ChatError> {
        let name = name.to_owned();
        self.call(Method::Post, "/chats", CreateChatRequest { name }.encode())
    }

    /// Posts a message.
    pub fn post(
        &self,
        chat_id: u64,
        message: &PostMessageRequest,
    ) -> Result<ChatMessage, ChatError> {
        let target = format!("/chats/{chat_id}/messages");
        self.call(Method::Post, &target, message.encode())
    }

    /// Every message of a chat that comes after the one with the id `after`.
    pub fn messages_after(&self, chat_id: u64, after: u64) -> Result<Vec<ChatMessage>, ChatError> {
        let mut messages: Vec<ChatMessage> = Vec::new();
        loop {
            let after = messages.last().map_or(after, |last| last.id);
            let target = format!("/chats/{chat_id}/messages?after={after}&limit={MAX_LIMIT}");
            let page: ListMessagesResponse = self.call(Method::Get, &target, Vec::new())?;
            let complete = page.remaining == 0 || page.messages.is_empty();
            messages.extend(page.messages);
            if complete {
                return Ok(messages);
            }
        }
    }

    fn call<M: Message>(
        &self,
        method: Method,
        target: &str,
        body: Vec<u8>,
    ) -> Result<M, ChatError> {
        let mut request = Request::new(method, target, body).with_header("Accept", PROTOBUF);
        if method == Method::Post {
            request = request.with_header("Content-Type", PROTOBUF);
        }
        let response = self.http.send(&self.endpoint, &request)?;
        if response.is_success() {
            Ok(M::decode(&response.body)?)
        } else {
            Err(ChatError::Refused {
                status: response.status,
                reason: reason(&response),
            })
        }
    }
}

/// The server explains its errors in JSON; proxies in between may not.
fn reason(response: &Response) -> String {
    let body = String::from_utf8_lossy(&response.body);
    Json::parse(&body)
        .ok()
        .and_then(|json| json.get("error")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| "no reason given".to_owned())
}
