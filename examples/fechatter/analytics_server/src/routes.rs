//! The server's routes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fechatter_core::http::{HttpError, Method, Response, Router, PROTOBUF};
use fechatter_core::json::Json;
use fechatter_protos::events::EventBatch;

use crate::counters::Counters;

pub(crate) fn router() -> Router {
    let counters = Arc::new(Mutex::new(Counters::default()));
    let counted = Arc::clone(&counters);
    Router::new()
        .route(Method::Post, "/events", move |request, _| {
            if request.content_type() != Some(PROTOBUF) {
                return Err(HttpError::new(415, format!("the body must be {PROTOBUF}")));
            }
            let batch: EventBatch = request.protobuf()?;
            let mut counters = lock(&counted);
            let (mut accepted, mut duplicates) = (0_u64, 0_u64);
            for event in &batch.events {
                if counters.count(event) {
                    accepted += 1;
                } else {
                    duplicates += 1;
                }
            }
            let body = Json::object([
                ("accepted", accepted.into()),
                ("duplicates", duplicates.into()),
            ]);
            Ok(Response::json(202, &body))
        })
        .route(Method::Get, "/counters", move |_, _| {
            Ok(Response::json(200, &lock(&counters).to_json()))
        })
}

/// Counters stay usable whatever happened to an earlier request.
fn lock(counters: &Mutex<Counters>) -> MutexGuard<'_, Counters> {
    counters.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fechatter_core::http::Request;
    use fechatter_protos::events::Event;
    use fechatter_protos::Message;

    #[test]
    fn events_show_up_in_the_counters() {
        let router = router();
        let event = Event {
            key: b"k".to_vec(),
            ..Event::default()
        };
        let batch = EventBatch {
            events: vec![event.clone(), event],
        };
        let request = Request::new(Method::Post, "/events", batch.encode());
        assert_eq!(router.handle(&request).status, 415);
        let response = router.handle(&request.with_header("Content-Type", PROTOBUF));
        assert_eq!(response.status, 202);
        assert_eq!(response.body, b"{\"accepted\":1,\"duplicates\":1}\n");

        let response = router.handle(&Request::new(Method::Get, "/counters", Vec::new()));
        let counters = Json::parse(&String::from_utf8(response.body).unwrap()).unwrap();
        assert_eq!(counters.get("events").and_then(Json::as_u64), Some(1));
    }
}
