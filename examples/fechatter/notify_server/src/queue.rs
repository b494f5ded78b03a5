//! Subscriptions, and the notifications that wait for their subscribers.

use std::collections::{BTreeMap, VecDeque};

use fechatter_core::protos::chat::ChatMessage;

/// Notifications that wait for one user; the oldest make room for new ones.
const MAX_PENDING: usize = 1_000;

/// Subscriptions of all users together.
const MAX_SUBSCRIPTIONS: usize = 10_000;

/// A user's wish to hear of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    pub(crate) user: String,
    pub(crate) chat_id: u64,
}

/// A message that a user has not acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) chat_id: u64,
    pub(crate) message_id: u64,
    pub(crate) author: String,
    pub(crate) text: String,
    /// Whether the message mentions the user.
    pub(crate) mentioned: bool,
}

/// There are too many subscriptions already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

#[derive(Debug, Default)]
pub(crate) struct Queue {
    subscriptions: Vec<Subscription>,
    last_id: u64,
    pending: BTreeMap<String, VecDeque<Notification>>,
}

impl Queue {
    /// Subscribes a user; doing so twice is the same as once.
    pub(crate) fn subscribe(&mut self, user: &str, chat_id: u64) -> Result<Subscription, Full> {
        let same = |other: &&Subscription| other.user == user && other.chat_id == chat_id;
        if let Some(existing) = self.subscriptions.iter().find(same) {
            return Ok(existing.clone());
        }
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(Full);
        }
        self.last_id += 1;
        let subscription = Subscription {
            id: self.last_id,
            user: user.to_owned(),
            chat_id,
        };
        self.subscriptions.push(subscription.clone());
        Ok(subscription)
    }

    /// Ends a subscription; returns whether it existed.
    pub(crate) fn unsubscribe(&mut self, id: u64) -> bool {
        let position = self.subscriptions.iter().position(|other| other.id == id);
        let Some(position) = position else {
            return false;
        };
        let ended = self.subscriptions.remove(position);
        // Without this, users who have gone would keep their queues for good.
        if !self
            .subscriptions
            .iter()
            .any(|other| other.user == ended.user)
        {
            self.pending.remove(&ended.user);
        }
        true
    }

    pub(crate) fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// Queues a message for the chat's subscribers, except for its author.
    pub(crate) fn notify(&mut self, message: &ChatMessage) {
        let author = message.author.as_ref().map_or("", |user| &user.name);
        for subscription in &self.subscriptions {
            let user = &subscription.user;
            if subscription.chat_id != message.chat_id || user == author {
                continue;
            }
            let pending = self.pending.entry(user.clone()).or_default();
            // Events may be delivered more than once.
            if pending.iter().any(|other| other.message_id == message.id) {
                continue;
            }
            if pending.len() >= MAX_PENDING {
                pending.pop_front();
            }
            pending.push_back(Notification {
                chat_id: message.chat_id,
                message_id: message.id,
                author: author.to_owned(),
                text: message.text.clone(),
                mentioned: message.mentions.contains(user),
            });
        }
    }

    /// What waits for a user, oldest first.
    pub(crate) fn pending(&self, user: &str) -> impl Iterator<Item = &Notification> {
        self.pending.get(user).into_iter().flatten()
    }

    /// Drops what a user has seen, up to a message; returns how many that were.
    pub(crate) fn acknowledge(&mut self, user: &str, up_to: u64) -> usize {
        let Some(pending) = self.pending.get_mut(user) else {
            return 0;
        };
        let before = pending.len();
        pending.retain(|notification| notification.message_id > up_to);
        before - pending.len()
    }
}

#[cfg(test)]
mod tests {
    use fechatter_core::protos::common::User;

    use super::*;

    fn message(id: u64, author: &str) -> ChatMessage {
        ChatMessage {
            id,
            chat_id: 1,
            author: Some(User {
                name: author.to_owned(),
                ..User::default()
            }),
            mentions: vec!["bob".to_owned()],
            ..ChatMessage::default()
        }
    }

    fn ids(queue: &Queue, user: &str) -> Vec<u64> {
        let pending = queue.pending(user);
        pending
            .map(|notification| notification.message_id)
            .collect()
    }

    #[test]
    fn subscribers_hear_of_others_messages() {
        let mut queue = Queue::default();
        queue.subscribe("ann", 1).unwrap();
        queue.subscribe("bob", 1).unwrap();
        queue.subscribe("cid", 2).unwrap();
        queue.notify(&message(1, "ann"));
        queue.notify(&message(1, "ann"));
        assert_eq!(ids(&queue, "bob"), [1]);
        assert!(ids(&queue, "ann").is_empty() && ids(&queue, "cid").is_empty());
        assert!(queue
            .pending("bob")
            .all(|notification| notification.mentioned));
    }

    #[test]
    fn acknowledged_notifications_are_gone() {
        let mut queue = Queue::default();
        queue.subscribe("bob", 1).unwrap();
        for id in 1..=3 {
            queue.notify(&message(id, "ann"));
        }
        assert_eq!(queue.acknowledge("bob", 2), 2);
        assert_eq!(ids(&queue, "bob"), [3]);
        assert_eq!(queue.acknowledge("ann", 2), 0);
    }

    #[test]
    fn subscriptions_are_unique_and_can_end() {
        let mut queue = Queue::default();
        let id = queue.subscribe("bob", 1).unwrap().id;
        assert_eq!(queue.subscribe("bob", 1).unwrap().id, id);
        queue.notify(&message(1, "ann"));
        assert!(queue.unsubscribe(id));
        assert!(!queue.unsubscribe(id));
        assert!(ids(&queue, "bob").is_empty());
        assert!(queue.subscriptions().is_empty());
    }

    #[test]
    fn queues_are_bounded() {
        let mut queue = Queue::default();
        queue.subscribe("bob", 1).unwrap();
        for id in 0..=MAX_PENDING as u64 {
            queue.notify(&message(id, "ann"));
        }
        let ids = ids(&queue, "bob");
        assert_eq!((ids.len(), ids[0]), (MAX_PENDING, 1));
    }
}
