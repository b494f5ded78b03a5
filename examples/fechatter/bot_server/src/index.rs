//! An inverted index over messages.

use std::collections::{BTreeMap, BTreeSet};

use fechatter_core::json::Json;
use fechatter_core::text::words;
use fechatter_server::api::ChatMessage;
use fechatter_server::{ChatClient, ChatError};

/// Finds messages by their words.
#[derive(Debug, Default)]
pub struct Index {
    /// The ids of the messages that each word occurs in.
    postings: BTreeMap<String, BTreeSet<u64>>,
    messages: BTreeMap<u64, ChatMessage>,
    /// The last message that was seen of each chat.
    last_seen: BTreeMap<u64, u64>,
}

impl Index {
    /// How many messages are indexed; beyond this the oldest ones leave.
    const MAX_MESSAGES: usize = 100_000;

    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages can be found.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is nothing to find.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The last message of a chat that has been indexed.
    #[must_use]
    pub fn last_seen(&self, chat_id: u64) -> u64 {
        self.last_seen.get(&chat_id).copied().unwrap_or(0)
    }

    /// Adds a message.
    pub fn add(&mut self, message: ChatMessage) {
        let last_seen = self.last_seen.entry(message.chat_id).or_default();
        *last_seen = message.id.max(*last_seen);
        for word in words(&message.text) {
            self.postings.entry(word).or_default().insert(message.id);
        }
        self.messages.insert(message.id, message);
        if self.messages.len() > Self::MAX_MESSAGES {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        let Some((id, message)) = self.messages.pop_first() else {
            return;
        };
        for word in words(&message.text) {
            if let Some(ids) = self.postings.get_mut(&word) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.postings.remove(&word);
                }
            }
        }
    }

    /// The messages that hold every word of `query`, latest first.
    #[must_use]
    pub fn search(&self, query: &str) -> Vec<&ChatMessage> {
        let nothing = BTreeSet::new();
        let mut found: Option<BTreeSet<u64>> = None;
        for word in words(query) {
            let ids = self.postings.get(&word).unwrap_or(&nothing);
            found = Some(match found {
                Some(found) => &found & ids,
                None => ids.clone(),
            });
        }
        let ids = found.unwrap_or_default().into_iter().rev();
        ids.filter_map(|id| self.messages.get(&id)).collect()
    }

    /// The result of a search as JSON.
    #[must_use]
    pub fn search_json(&self, query: &str) -> Json {
        let found = self.search(query);
        let total = found.len() as u64;
        let matches = found.into_iter().take(100).map(|message| {
            let author = message.author.as_ref().map_or("", |user| &user.name);
            Json::object([
                ("id", message.id.into()),
                ("chat_id", message.chat_id.into()),
                ("author", author.into()),
                ("text", message.text.as_str().into()),
            ])
        });
        Json::object([
            ("query", query.into()),
            ("total", total.into()),
            ("matches", matches.collect()),
        ])
    }
}

/// The messages of every chat that `last_seen` says are new.
pub fn fetch(
    client: &ChatClient,
    last_seen: impl Fn(u64) -> u64,
) -> Result<Vec<ChatMessage>, ChatError> {
    let mut messages = Vec::new();
    for chat in client.chats()? {
        messages.extend(client.messages_after(chat.id, last_seen(chat.id))?);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(texts: &[&str]) -> Index {
        let mut index = Index::new();
        for (id, text) in (1..).zip(texts) {
            index.add(ChatMessage {
                id,
                chat_id: 1,
                text: (*text).to_owned(),
                ..ChatMessage::default()
            });
        }
        index
    }

    fn ids(index: &Index, query: &str) -> Vec<u64> {
        index
            .search(query)
            .iter()
            .map(|message| message.id)
            .collect()
    }

    #[test]
    fn every_word_must_match() {
        let index = index(&["Green tea, please", "black TEA", "coffee"]);
        assert_eq!(ids(&index, "tea"), [2, 1]);
        assert_eq!(ids(&index, "TEA green"), [1]);
        assert!(ids(&index, "tea coffee").is_empty());
        assert!(ids(&index, "te").is_empty());
        assert!(ids(&index, " ?").is_empty());
        assert_eq!((index.last_seen(1), index.last_seen(2)), (3, 0));
    }

    #[test]
    fn the_oldest_message_leaves_without_a_trace() {
        let mut index = index(&["tea tea cup", "tea"]);
        index.remove_oldest();
        assert_eq!(ids(&index, "tea"), [2]);
        assert_eq!(index.postings.len(), 1);
        assert_eq!(index.len(), 1);
    }

    #[test]
    fn results_are_json() {
        let json = index(&["say \"hi\""]).search_json("hi");
        assert_eq!(json.get("total").and_then(Json::as_u64), Some(1));
        let matches = json.get("matches").and_then(Json::as_array).unwrap();
        assert_eq!(matches[0].get("text").unwrap().as_str(), Some("say \"hi\""));
    }
}
