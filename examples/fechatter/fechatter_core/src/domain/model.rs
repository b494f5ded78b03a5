//! The domain's types, and their translation from and to wire types.

use std::fmt::{self, Display};

use crate::protos::{chat, common};
use crate::text;

/// Why something is not acceptable to the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainError {
    /// A value breaks a rule.
    Invalid(&'static str),
    /// No chat has this id.
    NoSuchChat(ChatId),
    /// The store is full.
    TooManyChats,
}

impl Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(rule) => f.write_str(rule),
            Self::NoSuchChat(id) => write!(f, "there is no chat {id}"),
            Self::TooManyChats => f.write_str("there are too many chats"),
        }
    }
}

impl std::error::Error for DomainError {}

macro_rules! id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// Identifies a chat within one server.
    ChatId
}

id! {
    /// Identifies a message within one server; later messages have larger ids.
    MessageId
}

/// Whether a user is a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    /// A person.
    Human,
    /// A program.
    Bot,
}

/// A participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: String,
    kind: UserKind,
}

impl User {
    const MAX_NAME_CHARS: usize = 64;

    /// A user with a valid name.
    pub fn new(name: impl Into<String>, kind: UserKind) -> Result<Self, DomainError> {
        let name = name.into();
        if name.is_empty() || name.chars().count() > Self::MAX_NAME_CHARS {
            return Err(DomainError::Invalid("a user's name has 1 to 64 characters"));
        }
        if !name.chars().all(text::is_name_char) || name.ends_with('-') {
            return Err(DomainError::Invalid(
                "a user's name has letters, digits, `_` and inner `-` only",
            ));
        }
        Ok(Self { name, kind })
    }

    /// The name, without an `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Person or program.
    #[must_use]
    pub fn kind(&self) -> UserKind {
        self.kind
    }
}

/// A message that has not been posted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub(super) author: User,
    pub(super) text: String,
    pub(super) reply_to: Option<MessageId>,
}

impl NewMessage {
    const MAX_TEXT_CHARS: usize = 4096;

    /// A message with an acceptable text.
    pub fn new(
        author: User,
        text: impl Into<String>,
        reply_to: Option<MessageId>,
    ) -> Result<Self, DomainError> {
        let text = text.into();
        if text.trim().is_empty() || text.chars().count() > Self::MAX_TEXT_CHARS {
            return Err(DomainError::Invalid("a text has 1 to 4096 characters"));
        }
        Ok(Self {
            author,
            text,
            reply_to,
        })
    }
}

/// A posted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The chat that it belongs to.
    pub chat_id: ChatId,
    /// Who wrote it.
    pub author: User,
    /// What it says.
    pub text: String,
    /// When it was accepted.
    pub sent_at_ms: i64,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

/// A room for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// Its id.
    pub id: ChatId,
    /// Its title.
    pub name: String,
    /// How many messages were ever posted to it.
    pub message_count: u64,
}

impl TryFrom<common::User> for User {
    type Error = DomainError;

    fn try_from(user: common::User) -> Result<Self, DomainError> {
        let kind = match user.kind {
            common::UserKind::Bot => UserKind::Bot,
            // Clients that say nothing, or something newer, act for people.
            _ => UserKind::Human,
        };
        Self::new(user.name, kind)
    }
}

impl From<User> for common::User {
    fn from(user: User) -> Self {
        let kind = match user.kind {
            UserKind::Human => common::UserKind::Human,
            UserKind::Bot => common::UserKind::Bot,
        };
        Self {
            name: user.name,
            kind,
        }
    }
}

impl TryFrom<chat::PostMessageRequest> for NewMessage {
    type Error = DomainError;

    fn try_from(request: chat::PostMessageRequest) -> Result<Self, DomainError> {
        let author = request
            .author
            .ok_or(DomainError::Invalid("a message needs an author"))?;
        Self::new(author.try_into()?, request.text, optional(request.reply_to))
    }
}

impl From<Message> for chat::ChatMessage {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.0,
            chat_id: message.chat_id.0,
            author: Some(message.author.into()),
            mentions: text::mentions(&message.text),
            text: message.text,
            sent_at_ms: message.sent_at_ms,
            reply_to: message.reply_to.unwrap_or_default().0,
        }
    }
}

impl From<Chat> for chat::Chat {
    fn from(chat: Chat) -> Self {
        Self {
            id: chat.id.0,
            name: chat.name,
            message_count: chat.message_count,
        }
    }
}

/// Ids start at 1; on the wire 0 stands for none.
fn optional(id: u64) -> Option<MessageId> {
    (id != 0).then_some(MessageId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_mentions() {
        let valid = |name: &str| User::new(name, UserKind::Human).is_ok();
        assert!(valid("ann") && valid("zoé_1") && valid("a-b"));
        assert!(!valid("") && !valid("a b") && !valid("a-") && !valid(&"x".repeat(65)));
    }

    #[test]
    fn requests_need_an_author_and_a_text() {
        let request = chat::PostMessageRequest {
            text: "hello".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            NewMessage::try_from(request.clone()),
            Err(DomainError::Invalid("a message needs an author"))
        );
        let author = common::User {
            name: "ann".to_owned(),
            ..Default::default()
        };
        let blank = chat::PostMessageRequest {
            author: Some(author),
            text: " \n".to_owned(),
            ..Default::default()
        };
        assert!(NewMessage::try_from(blank).is_err());
    }

    #[test]
    fn messages_carry_their_mentions_on_the_wire() {
        let message = Message {
            id: MessageId(2),
            chat_id: ChatId(1),
            author: User::new("ann", UserKind::Human).unwrap(),
            text: "hi @bob".to_owned(),
            sent_at_ms: 5,
            reply_to: Some(MessageId(1)),
        };
        let wire = chat::ChatMessage::from(message);
        assert_eq!((wire.mentions, wire.reply_to), (vec!["bob".to_owned()], 1));
    }
}
