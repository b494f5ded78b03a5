// Generated from proto/*.proto; edit those instead.

/// The chat server's requests and responses.
pub mod chat {
    use crate::message::{get, put};

    /// A room that messages are posted to.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Chat {
        /// Identifier, unique within one server.
        pub id: u64,
        /// Human-readable title.
        pub name: String,
        /// How many messages have been posted so far.
        pub message_count: u64,
    }

    impl crate::Message for Chat {
        const FULL_NAME: &'static str = "fechatter.chat.Chat";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::scalar(out, 1, self.id);
            put::blob(out, 2, &self.name);
            put::scalar(out, 3, self.message_count);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.id = get::scalar(value)?,
                2 => self.name = get::string(value)?,
                3 => self.message_count = get::scalar(value)?,
                _ => {}
            }
            Ok(())
        }
    }

    /// One posted message.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ChatMessage {
        /// Identifier; grows with every message of the server.
        pub id: u64,
        /// The chat that it was posted to.
        pub chat_id: u64,
        /// Who posted it.
        pub author: Option<super::common::User>,
        /// What was said.
        pub text: String,
        /// When it was accepted, in milliseconds since the Unix epoch.
        pub sent_at_ms: i64,
        /// Names mentioned in the text, without the `@`.
        pub mentions: Vec<String>,
        /// The message that this one answers, or 0.
        pub reply_to: u64,
    }

    impl crate::Message for ChatMessage {
        const FULL_NAME: &'static str = "fechatter.chat.ChatMessage";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::scalar(out, 1, self.id);
            put::scalar(out, 2, self.chat_id);
            put::messages(out, 3, &self.author);
            put::blob(out, 4, &self.text);
            put::scalar(out, 5, self.sent_at_ms);
            put::blobs(out, 6, &self.mentions);
            put::scalar(out, 7, self.reply_to);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.id = get::scalar(value)?,
                2 => self.chat_id = get::scalar(value)?,
                3 => get::message(&mut self.author, value)?,
                4 => self.text = get::string(value)?,
                5 => self.sent_at_ms = get::scalar(value)?,
                6 => self.mentions.push(get::string(value)?),
                7 => self.reply_to = get::scalar(value)?,
                _ => {}
            }
            Ok(())
        }
    }

    /// Body of `POST /chats`.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct CreateChatRequest {
        /// Title of the new chat.
        pub name: String,
    }

    impl crate::Message for CreateChatRequest {
        const FULL_NAME: &'static str = "fechatter.chat.CreateChatRequest";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::blob(out, 1, &self.name);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.name = get::string(value)?,
                _ => {}
            }
            Ok(())
        }
    }

    /// Answer to `GET /chats`.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ListChatsResponse {
        /// Every chat, by ascending id.
        pub chats: Vec<Chat>,
    }

    impl crate::Message for ListChatsResponse {
        const FULL_NAME: &'static str = "fechatter.chat.ListChatsResponse";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::messages(out, 1, &self.chats);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.chats.push(get::element(value)?),
                _ => {}
            }
            Ok(())
        }
    }

    /// Body of `POST /chats/{id}/messages`.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct PostMessageRequest {
        /// Who is posting.
        pub author: Option<super::common::User>,
        /// What is said.
        pub text: String,
        /// The message that this one answers, or 0.
        pub reply_to: u64,
    }

    impl crate::Message for PostMessageRequest {
        const FULL_NAME: &'static str = "fechatter.chat.PostMessageRequest";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::messages(out, 1, &self.author);
            put::blob(out, 2, &self.text);
            put::scalar(out, 3, self.reply_to);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => get::message(&mut self.author, value)?,
                2 => self.text = get::string(value)?,
                3 => self.reply_to = get::scalar(value)?,
                _ => {}
            }
            Ok(())
        }
    }

    /// Answer to `GET /chats/{id}/messages`.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ListMessagesResponse {
        /// Messages by ascending id.
        pub messages: Vec<ChatMessage>,
        /// How many further messages the limit has held back.
        pub remaining: u32,
    }

    impl crate::Message for ListMessagesResponse {
        const FULL_NAME: &'static str = "fechatter.chat.ListMessagesResponse";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::messages(out, 1, &self.messages);
            put::scalar(out, 2, self.remaining);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.messages.push(get::element(value)?),
                2 => self.remaining = get::scalar(value)?,
                _ => {}
            }
            Ok(())
        }
    }
}

/// Types that every other package refers to.
pub mod common {
    use crate::message::{get, put};

    /// What kind of participant a user is.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum UserKind {
        /// Not stated by the sender.
        #[default]
        Unspecified,
        /// A person.
        Human,
        /// A program; bots never answer one another.
        Bot,
        /// A number that this build has no name for.
        Unrecognized(i32),
    }

    impl UserKind {
        /// The number that stands for the value on the wire.
        #[must_use]
        pub const fn number(self) -> i32 {
            match self {
                Self::Unspecified => 0,
                Self::Human => 1,
                Self::Bot => 2,
                Self::Unrecognized(number) => number,
            }
        }

        /// The value that `number` stands for.
        #[must_use]
        pub const fn from_number(number: i32) -> Self {
            match number {
                0 => Self::Unspecified,
                1 => Self::Human,
                2 => Self::Bot,
                number => Self::Unrecognized(number),
            }
        }
    }

    impl crate::Scalar for UserKind {
        fn to_bits(self) -> u64 {
            crate::Scalar::to_bits(self.number())
        }

        fn from_bits(bits: u64) -> Self {
            Self::from_number(crate::Scalar::from_bits(bits))
        }
    }

    /// Someone, or something, that takes part in chats.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct User {
        /// Unique name, as written after an `@`.
        pub name: String,
        /// Person or program.
        pub kind: UserKind,
    }

    impl crate::Message for User {
        const FULL_NAME: &'static str = "fechatter.common.User";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::blob(out, 1, &self.name);
            put::scalar(out, 2, self.kind);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.name = get::string(value)?,
                2 => self.kind = get::scalar(value)?,
                _ => {}
            }
            Ok(())
        }
    }
}

/// What the chat server tells other servers about.
pub mod events {
    use crate::message::{get, put};

    /// The ways in which an event can matter.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum EventKind {
        /// Not stated by the sender.
        #[default]
        Unspecified,
        /// A chat was created.
        ChatCreated,
        /// A message was posted.
        MessagePosted,
        /// A user has read messages.
        MessagesRead,
        /// A number that this build has no name for.
        Unrecognized(i32),
    }

    impl EventKind {
        /// The number that stands for the value on the wire.
        #[must_use]
        pub const fn number(self) -> i32 {
            match self {
                Self::Unspecified => 0,
                Self::ChatCreated => 1,
                Self::MessagePosted => 2,
                Self::MessagesRead => 3,
                Self::Unrecognized(number) => number,
            }
        }

        /// The value that `number` stands for.
        #[must_use]
        pub const fn from_number(number: i32) -> Self {
            match number {
                0 => Self::Unspecified,
                1 => Self::ChatCreated,
                2 => Self::MessagePosted,
                3 => Self::MessagesRead,
                number => Self::Unrecognized(number),
            }
        }
    }

    impl crate::Scalar for EventKind {
        fn to_bits(self) -> u64 {
            crate::Scalar::to_bits(self.number())
        }

        fn from_bits(bits: u64) -> Self {
            Self::from_number(crate::Scalar::from_bits(bits))
        }
    }

    /// Something that happened.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Event {
        /// What happened.
        pub kind: EventKind,
        /// Idempotency key: a receiver handles each non-empty key once.
        pub key: Vec<u8>,
        /// When it happened, in milliseconds since the Unix epoch.
        pub at_ms: i64,
        /// Offset of the user's clock from UTC, in minutes.
        pub utc_offset_minutes: i32,
        /// Who caused it.
        pub user: Option<super::common::User>,
        /// The chat that it happened in.
        pub chat_id: u64,
        /// The message, where one was posted.
        pub message: Option<super::chat::ChatMessage>,
        /// The messages that were read.
        pub read_ids: Vec<u64>,
        /// How long the sender took to handle it, in milliseconds.
        pub elapsed_ms: f64,
        /// Whether a receiver should keep this from statistics.
        pub internal: bool,
    }

    impl crate::Message for Event {
        const FULL_NAME: &'static str = "fechatter.events.Event";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::scalar(out, 1, self.kind);
            put::blob(out, 2, &self.key);
            put::scalar(out, 3, self.at_ms);
            put::scalar(out, 4, self.utc_offset_minutes);
            put::messages(out, 5, &self.user);
            put::scalar(out, 6, self.chat_id);
            put::messages(out, 7, &self.message);
            put::scalars(out, 8, &self.read_ids);
            put::scalar(out, 9, self.elapsed_ms);
            put::scalar(out, 10, self.internal);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.kind = get::scalar(value)?,
                2 => self.key = get::bytes(value)?,
                3 => self.at_ms = get::scalar(value)?,
                4 => self.utc_offset_minutes = get::scalar(value)?,
                5 => get::message(&mut self.user, value)?,
                6 => self.chat_id = get::scalar(value)?,
                7 => get::message(&mut self.message, value)?,
                8 => get::scalars(&mut self.read_ids, value)?,
                9 => self.elapsed_ms = get::scalar(value)?,
                10 => self.internal = get::scalar(value)?,
                _ => {}
            }
            Ok(())
        }
    }

    /// Body of `POST /events`.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct EventBatch {
        /// Events in the order in which they happened.
        pub events: Vec<Event>,
    }

    impl crate::Message for EventBatch {
        const FULL_NAME: &'static str = "fechatter.events.EventBatch";

        fn encode_into(&self, out: &mut Vec<u8>) {
            put::messages(out, 1, &self.events);
        }

        fn merge_field(
            &mut self,
            number: u32,
            value: crate::Value<'_>,
        ) -> Result<(), crate::DecodeError> {
            match number {
                1 => self.events.push(get::element(value)?),
                _ => {}
            }
            Ok(())
        }
    }
}
