//! A bot that answers when it is mentioned.

use fechatter_core::log;
use fechatter_server::api::{ChatMessage, PostMessageRequest, User, UserKind};
use fechatter_server::{ChatClient, ChatError};

/// Watches one chat.
///
/// What it has answered it reads from the chat itself, where its own messages
/// say what they reply to. A restart thus neither repeats nor misses answers.
#[derive(Debug)]
pub struct Bot {
    name: String,
    chat_id: u64,
    last_seen: u64,
    /// To be answered, by ascending id.
    pending: Vec<ChatMessage>,
}

impl Bot {
    /// A bot that has not looked at its chat yet.
    #[must_use]
    pub fn new(name: impl Into<String>, chat_id: u64) -> Self {
        Self {
            name: name.into(),
            chat_id,
            last_seen: 0,
            pending: Vec::new(),
        }
    }

    /// Answers what has come since the last time; returns the number of answers.
    pub fn step(&mut self, client: &ChatClient) -> Result<usize, ChatError> {
        let messages = client.messages_after(self.chat_id, self.last_seen)?;
        self.take(messages);
        let mut answers = 0;
        while let Some(message) = self.pending.first() {
            match client.post(self.chat_id, &self.answer(message)) {
                Ok(_) => answers += 1,
                // Asking again would not change the server's mind.
                Err(ChatError::Refused { status, reason }) if status < 500 => log::warn(
                    "an answer was refused",
                    &[("message", &message.id), ("reason", &reason)],
                ),
                Err(error) => return Err(error),
            }
            self.pending.remove(0);
        }
        Ok(answers)
    }

    /// Notes which of the messages are to be answered.
    fn take(&mut self, messages: Vec<ChatMessage>) {
        for message in messages {
            self.last_seen = self.last_seen.max(message.id);
            if self.is_own(&message) {
                self.pending.retain(|other| other.id != message.reply_to);
            } else if self.concerns(&message) {
                self.pending.push(message);
            }
        }
    }

    fn is_own(&self, message: &ChatMessage) -> bool {
        message
            .author
            .as_ref()
            .is_some_and(|user| user.name == self.name)
    }

    fn concerns(&self, message: &ChatMessage) -> bool {
        // Two bots that answer each other would never stop.
        let from_bot = message
            .author
            .as_ref()
            .is_some_and(|user| user.kind == UserKind::Bot);
        !from_bot && message.mentions.contains(&self.name)
    }

    fn answer(&self, message: &ChatMessage) -> PostMessageRequest {
        let asker = message.author.as_ref().map_or("", |user| &user.name);
        let text = format!("@{asker} {}", ai_sdk::reply(&message.text));
        PostMessageRequest {
            author: Some(User {
                name: self.name.clone(),
                kind: UserKind::Bot,
            }),
            text: shorten(text),
            reply_to: message.id,
        }
    }
}

/// A question of maximal length must not make for an answer beyond it.
fn shorten(text: String) -> String {
    const MAX_CHARS: usize = 2000;

    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64, author: &str, kind: UserKind, reply_to: u64) -> ChatMessage {
        ChatMessage {
            id,
            author: Some(User {
                name: author.to_owned(),
                kind,
            }),
            text: "@bot hello".to_owned(),
            mentions: vec!["bot".to_owned()],
            reply_to,
            ..ChatMessage::default()
        }
    }

    fn pending(bot: &Bot) -> Vec<u64> {
        bot.pending.iter().map(|message| message.id).collect()
    }

    #[test]
    fn mentions_are_answered_once() {
        let mut bot = Bot::new("bot", 1);
        bot.take(vec![
            message(1, "ann", UserKind::Human, 0),
            message(2, "ann", UserKind::Human, 0),
            message(3, "bot", UserKind::Bot, 1),
        ]);
        assert_eq!((pending(&bot), bot.last_seen), (vec![2], 3));
        let answer = bot.answer(&bot.pending[0]);
        assert_eq!(answer.text, "@ann You said: hello");
        assert_eq!(answer.reply_to, 2);
    }

    #[test]
    fn other_bots_and_other_messages_are_ignored() {
        let mut bot = Bot::new("bot", 1);
        let unrelated = ChatMessage {
            mentions: vec!["robot".to_owned()],
            ..message(1, "ann", UserKind::Human, 0)
        };
        bot.take(vec![unrelated, message(2, "other", UserKind::Bot, 0)]);
        assert!(bot.pending.is_empty());
    }

    #[test]
    fn long_answers_are_shortened_at_a_character() {
        let text = shorten("é".repeat(3000));
        assert_eq!(text.chars().count(), 2001);
    }
}
