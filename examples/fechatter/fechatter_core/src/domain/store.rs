//! Chats in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Chat, ChatId, DomainError, Message, MessageId, NewMessage};

/// Holds every chat, shared between threads.
///
/// Memory stays bounded: each chat keeps its latest messages only.
#[derive(Debug)]
pub struct Store {
    state: RwLock<State>,
    max_chats: usize,
    max_messages: usize,
}

#[derive(Debug, Default)]
struct State {
    chats: BTreeMap<ChatId, Room>,
    last_message: u64,
}

#[derive(Debug)]
struct Room {
    chat: Chat,
    messages: VecDeque<Message>,
}

/// Some of a chat's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// By ascending id.
    pub messages: Vec<Message>,
    /// How many more there are.
    pub remaining: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self::with_limits(1_000, 10_000)
    }
}

impl Store {
    const MAX_NAME_CHARS: usize = 100;

    /// An empty store for so many chats with so many messages each.
    #[must_use]
    pub fn with_limits(max_chats: usize, max_messages: usize) -> Self {
        Self {
            state: RwLock::default(),
            max_chats,
            max_messages,
        }
    }

    /// Creates a chat; ids count from 1.
    pub fn create_chat(&self, name: &str) -> Result<Chat, DomainError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > Self::MAX_NAME_CHARS {
            return Err(DomainError::Invalid(
                "a chat's name has 1 to 100 characters",
            ));
        }
        let mut state = self.write();
        if state.chats.len() >= self.max_chats {
            return Err(DomainError::TooManyChats);
        }
        let id = state.chats.keys().next_back().map_or(1, |last| last.0 + 1);
        let chat = Chat {
            id: ChatId(id),
            name: name.to_owned(),
            message_count: 0,
        };
        let room = Room {
            chat: chat.clone(),
            messages: VecDeque::new(),
        };
        state.chats.insert(chat.id, room);
        Ok(chat)
    }

    /// Every chat, by ascending id.
    #[must_use]
    pub fn chats(&self) -> Vec<Chat> {
        let state = self.read();
        state.chats.values().map(|room| room.chat.clone()).collect()
    }

    /// Adds a message to a chat.
    pub fn post(
        &self,
        chat_id: ChatId,
        message: NewMessage,
        sent_at_ms: i64,
    ) -> Result<Message, DomainError> {
        let mut state = self.write();
        let id = state.last_message + 1;
        let room = state
            .chats
            .get_mut(&chat_id)
            .ok_or(DomainError::NoSuchChat(chat_id))?;
        let message = Message {
            id: MessageId(id),
            chat_id,
            author: message.author,
            text: message.text,
            sent_at_ms,
            reply_to: message.reply_to,
        };
        room.messages.push_back(message.clone());
        if room.messages.len() > self.max_messages {
            room.messages.pop_front();
        }
        room.chat.message_count += 1;
        state.last_message = id;
        Ok(message)
    }

    /// Up to `limit` of a chat's messages that come after `after`.
    pub fn messages_after(
        &self,
        chat_id: ChatId,
        after: MessageId,
        limit: usize,
    ) -> Result<Page, DomainError> {
        let state = self.read();
        let room = state
            .chats
            .get(&chat_id)
            .ok_or(DomainError::NoSuchChat(chat_id))?;
        let start = room.messages.partition_point(|message| message.id <= after);
        let found = room.messages.range(start..);
        let remaining = found.len().saturating_sub(limit);
        let messages = found.take(limit).cloned().collect();
        Ok(Page {
            messages,
            remaining,
        })
    }

    // No method panics halfway through a change, so that even a poisoned lock
    // guards a consistent state.

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{User, UserKind};
    use super::*;

    fn message(text: &str) -> NewMessage {
        let author = User::new("ann", UserKind::Human).unwrap();
        NewMessage::new(author, text, None).unwrap()
    }

    fn ids(page: &Page) -> Vec<u64> {
        page.messages.iter().map(|message| message.id.0).collect()
    }

    #[test]
    fn messages_come_in_pages() {
        let store = Store::default();
        let chat = store.create_chat(" lobby ").unwrap();
        assert_eq!((chat.id, chat.name.as_str()), (ChatId(1), "lobby"));
        for text in ["one", "two", "three"] {
            store.post(chat.id, message(text), 0).unwrap();
        }
        let first = store.messages_after(chat.id, MessageId(0), 2).unwrap();
        assert_eq!((ids(&first), first.remaining), (vec![1, 2], 1));
        let second = store.messages_after(chat.id, MessageId(2), 2).unwrap();
        assert_eq!((ids(&second), second.remaining), (vec![3], 0));
        let none = store.messages_after(chat.id, MessageId(9), 2).unwrap();
        assert_eq!((ids(&none), none.remaining), (vec![], 0));
        assert_eq!(store.chats()[0].message_count, 3);
    }

    #[test]
    fn ids_grow_across_chats() {
        let store = Store::default();
        let first = store.create_chat("a").unwrap().id;
        let second = store.create_chat("b").unwrap().id;
        store.post(first, message("x"), 0).unwrap();
        let posted = store.post(second, message("y"), 0).unwrap();
        assert_eq!((posted.id, posted.chat_id), (MessageId(2), ChatId(2)));
    }

    #[test]
    fn limits_hold() {
        let store = Store::with_limits(1, 2);
        let chat = store.create_chat("a").unwrap().id;
        assert_eq!(store.create_chat("b"), Err(DomainError::TooManyChats));
        for text in ["one", "two", "three"] {
            store.post(chat, message(text), 0).unwrap();
        }
        let page = store.messages_after(chat, MessageId(0), 9).unwrap();
        assert_eq!(ids(&page), [2, 3]);
        assert_eq!(store.chats()[0].message_count, 3);
    }

    #[test]
    fn unknown_chats_are_reported() {
        let store = Store::default();
        let missing = Err(DomainError::NoSuchChat(ChatId(7)));
        assert_eq!(store.post(ChatId(7), message("x"), 0), missing);
        assert!(store.messages_after(ChatId(7), MessageId(0), 1).is_err());
    }
}
