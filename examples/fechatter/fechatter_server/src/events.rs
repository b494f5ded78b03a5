//! Telling other servers what happens here.

use std::io;
use std::str::FromStr;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use fechatter_core::http::{Client, Endpoint, Method, Request, PROTOBUF};
use fechatter_core::log;
use fechatter_core::protos::events::{Event, EventBatch};
use fechatter_core::protos::Message;
use fechatter_core::time::now_ms;

/// Events beyond this are dropped while the sinks do not keep up.
const QUEUE_LENGTH: usize = 1024;

/// Events that travel in one request.
const BATCH_LENGTH: usize = 100;

/// The servers that events go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sinks(Vec<Endpoint>);

impl FromStr for Sinks {
    type Err = <Endpoint as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim);
        let sinks = parts.filter(|part| !part.is_empty()).map(str::parse);
        sinks.collect::<Result<_, _>>().map(Self)
    }
}

/// Sends events in the background, so that no request waits for a sink.
///
/// Delivery is best effort: chats matter more than statistics about them.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    /// `None` where nobody listens.
    queue: Option<SyncSender<Event>>,
    /// Tells this process's events from those of the one before it.
    started_ms: i64,
}

impl Publisher {
    pub(crate) fn start(sinks: Sinks) -> io::Result<Self> {
        let queue = if sinks.0.is_empty() {
            None
        } else {
            let (sender, receiver) = mpsc::sync_channel(QUEUE_LENGTH);
            thread::Builder::new()
                .name("events".to_owned())
                .spawn(move || deliver(&receiver, &sinks))?;
            Some(sender)
        };
        Ok(Self {
            queue,
            started_ms: now_ms(),
        })
    }

    /// Queues an event; `serial` tells it from others of its kind.
    pub(crate) fn publish(&self, serial: u64, mut event: Event) {
        let Some(queue) = &self.queue else {
            return;
        };
        let kind = event.kind.number();
        event.key = format!("{}-{kind}-{serial}", self.started_ms).into_bytes();
        if queue.try_send(event).is_err() {
            log::warn("dropped an event", &[("kind", &kind)]);
        }
    }
}

fn deliver(queue: &Receiver<Event>, sinks: &Sinks) {
    let client = Client::with_timeout(Duration::from_secs(2));
    while let Ok(first) = queue.recv() {
        let mut events = vec![first];
        events.extend(queue.try_iter().take(BATCH_LENGTH - 1));
        let body = EventBatch { events }.encode();
        for sink in &sinks.0 {
            let request = Request::new(Method::Post, "/events", body.clone())
                .with_header("Content-Type", PROTOBUF);
            match client.send(sink, &request) {
                Ok(response) if response.is_success() => {}
                Ok(response) => log::warn(
                    "a sink refused events",
                    &[("sink", sink), ("status", &response.status)],
                ),
                Err(error) => log::warn("cannot deliver events", &[("error", &error)]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinks_are_a_list_of_endpoints() {
        let sinks: Sinks = "http://a:1, b:2,".parse().unwrap();
        assert_eq!(sinks.0.len(), 2);
        assert_eq!("".parse(), Ok(Sinks::default()));
        assert!("http://a:1,nonsense".parse::<Sinks>().is_err());
    }
}
