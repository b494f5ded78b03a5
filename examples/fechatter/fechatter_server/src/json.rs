//! The wire types as JSON, for people with curl.

use fechatter_core::http::HttpError;
use fechatter_core::json::Json;
use fechatter_server::api::{
    Chat, ChatMessage, CreateChatRequest, ListChatsResponse, ListMessagesResponse,
    PostMessageRequest, User, UserKind,
};

/// A response in JSON.
pub(crate) trait ToJson {
    fn to_json(&self) -> Json;
}

impl ToJson for User {
    fn to_json(&self) -> Json {
        let kind = match self.kind {
            UserKind::Human => "human",
            UserKind::Bot => "bot",
            UserKind::Unspecified | UserKind::Unrecognized(_) => "unspecified",
        };
        Json::object([("name", self.name.as_str().into()), ("kind", kind.into())])
    }
}

impl ToJson for Chat {
    fn to_json(&self) -> Json {
        Json::object([
            ("id", self.id.into()),
            ("name", self.name.as_str().into()),
            ("message_count", self.message_count.into()),
        ])
    }
}

impl ToJson for ChatMessage {
    fn to_json(&self) -> Json {
        let mentions = self.mentions.iter().map(|name| Json::from(name.as_str()));
        Json::object([
            ("id", self.id.into()),
            ("chat_id", self.chat_id.into()),
            (
                "author",
                self.author.as_ref().map_or(Json::Null, ToJson::to_json),
            ),
            ("text", self.text.as_str().into()),
            ("sent_at_ms", self.sent_at_ms.into()),
            ("mentions", mentions.collect()),
            ("reply_to", self.reply_to.into()),
        ])
    }
}

impl ToJson for ListChatsResponse {
    fn to_json(&self) -> Json {
        let chats = self.chats.iter().map(ToJson::to_json).collect();
        Json::object([("chats", chats)])
    }
}

impl ToJson for ListMessagesResponse {
    fn to_json(&self) -> Json {
        let messages = self.messages.iter().map(ToJson::to_json).collect();
        Json::object([
            ("messages", messages),
            ("remaining", u64::from(self.remaining).into()),
        ])
    }
}

/// A request in JSON.
pub(crate) trait FromJson: Sized {
    fn from_json(json: &Json) -> Result<Self, HttpError>;
}

impl FromJson for CreateChatRequest {
    fn from_json(json: &Json) -> Result<Self, HttpError> {
        Ok(Self {
            name: string(json, "name")?,
        })
    }
}

impl FromJson for PostMessageRequest {
    fn from_json(json: &Json) -> Result<Self, HttpError> {
        let reply_to = match json.get("reply_to") {
            None | Some(Json::Null) => 0,
            Some(value) => value
                .as_u64()
                .ok_or_else(|| HttpError::new(422, "`reply_to` is not the id of a message"))?,
        };
        let author = User {
            name: string(json, "author")?,
            kind: UserKind::Human,
        };
        Ok(Self {
            author: Some(author),
            text: string(json, "text")?,
            reply_to,
        })
    }
}

fn string(json: &Json, name: &str) -> Result<String, HttpError> {
    json.get(name)
        .and_then(Json::as_str)
        .map(str::to_owned)
        .ok_or_else(|| HttpError::new(422, format!("a string `{name}` is required")))
}
