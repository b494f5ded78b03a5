//! The counters.

use std::collections::{BTreeMap, HashSet, VecDeque};

use fechatter_core::json::Json;
use fechatter_protos::events::{Event, EventKind};

/// How many idempotency keys are remembered.
const MAX_KEYS: usize = 10_000;

/// How many chats are counted on their own; the rest counts as a whole only.
const MAX_CHATS: usize = 10_000;

/// What has been counted so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    by_kind: BTreeMap<&'static str, u64>,
    messages_by_chat: BTreeMap<u64, u64>,
    messages_by_local_hour: [u64; 24],
    messages_read: u64,
    elapsed_ms: f64,
    events: u64,
    keys: RecentKeys,
}

impl Counters {
    /// Counts an event; returns whether it was new.
    pub(crate) fn count(&mut self, event: &Event) -> bool {
        if !event.key.is_empty() && !self.keys.insert(&event.key) {
            return false;
        }
        if event.internal {
            return true;
        }
        self.events += 1;
        if event.elapsed_ms.is_finite() {
            self.elapsed_ms += event.elapsed_ms.max(0.0);
        }
        *self.by_kind.entry(kind_name(event.kind)).or_default() += 1;
        match event.kind {
            EventKind::MessagePosted => {
                self.messages_by_local_hour[local_hour(event)] += 1;
                let chats = &mut self.messages_by_chat;
                if chats.len() < MAX_CHATS || chats.contains_key(&event.chat_id) {
                    *chats.entry(event.chat_id).or_default() += 1;
                }
            }
            EventKind::MessagesRead => self.messages_read += event.read_ids.len() as u64,
            _ => {}
        }
        true
    }

    pub(crate) fn to_json(&self) -> Json {
        let by_kind = self.by_kind.iter();
        let by_chat = self.messages_by_chat.iter();
        let by_hour = self.messages_by_local_hour.iter();
        Json::object([
            ("events", self.events.into()),
            (
                "by_kind",
                by_kind
                    .map(|(kind, count)| ((*kind).to_owned(), Json::from(*count)))
                    .collect(),
            ),
            (
                "messages_by_chat",
                by_chat
                    .map(|(chat, count)| (chat.to_string(), Json::from(*count)))
                    .collect(),
            ),
            (
                "messages_by_local_hour",
                by_hour.map(|count| Json::from(*count)).collect(),
            ),
            ("messages_read", self.messages_read.into()),
            ("elapsed_ms", self.elapsed_ms.into()),
        ])
    }
}

fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ChatCreated => "chat_created",
        EventKind::MessagePosted => "message_posted",
        EventKind::MessagesRead => "messages_read",
        EventKind::Unspecified | EventKind::Unrecognized(_) => "other",
    }
}

/// The hour of the day on the user's clock.
fn local_hour(event: &Event) -> usize {
    const MS_PER_HOUR: i64 = 60 * 60 * 1000;

    let offset_ms = i64::from(event.utc_offset_minutes) * 60 * 1000;
    let hour = event
        .at_ms
        .saturating_add(offset_ms)
        .div_euclid(MS_PER_HOUR)
        .rem_euclid(24);
    usize::try_from(hour).unwrap_or(0)
}

/// The latest idempotency keys.
#[derive(Debug, Default)]
struct RecentKeys {
    known: HashSet<Vec<u8>>,
    order: VecDeque<Vec<u8>>,
}

impl RecentKeys {
    /// Remembers a key; returns whether it was new.
    fn insert(&mut self, key: &[u8]) -> bool {
        if !self.known.insert(key.to_vec()) {
            return false;
        }
        self.order.push_back(key.to_vec());
        if self.order.len() > MAX_KEYS {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(key: &[u8], chat_id: u64) -> Event {
        Event {
            kind: EventKind::MessagePosted,
            key: key.to_vec(),
            chat_id,
            ..Event::default()
        }
    }

    #[test]
    fn repeated_events_count_once() {
        let mut counters = Counters::default();
        assert!(counters.count(&posted(b"a", 1)));
        assert!(!counters.count(&posted(b"a", 1)));
        assert!(counters.count(&posted(b"b", 1)));
        assert!(counters.count(&posted(b"", 2)));
        assert!(counters.count(&posted(b"", 2)));
        assert_eq!(counters.messages_by_chat, BTreeMap::from([(1, 2), (2, 2)]));
    }

    #[test]
    fn keys_are_forgotten_in_order() {
        let mut keys = RecentKeys::default();
        for number in 0..=MAX_KEYS {
            assert!(keys.insert(&number.to_le_bytes()));
        }
        assert!(keys.insert(&0_usize.to_le_bytes()));
        assert!(!keys.insert(&2_usize.to_le_bytes()));
        assert_eq!(keys.known.len(), MAX_KEYS);
    }

    #[test]
    fn hours_are_those_of_the_user() {
        let at = |at_ms, utc_offset_minutes| {
            local_hour(&Event {
                at_ms,
                utc_offset_minutes,
                ..Event::default()
            })
        };
        assert_eq!(at(0, 0), 0);
        assert_eq!(at(0, -30), 23);
        assert_eq!(at(0, 330), 5);
        assert_eq!(at(i64::MAX, i32::MAX), at(i64::MAX, 0));
    }

    #[test]
    fn internal_events_stay_out() {
        let mut counters = Counters::default();
        let internal = Event {
            internal: true,
            ..posted(b"", 1)
        };
        assert!(counters.count(&internal));
        assert_eq!(counters.events, 0);
    }
}
