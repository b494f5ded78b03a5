//! The server's routes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fechatter_core::domain::{User, UserKind};
use fechatter_core::http::{HttpError, Method, Params, Request, Response, Router, PROTOBUF};
use fechatter_core::json::Json;
use fechatter_core::protos::events::{EventBatch, EventKind};

use crate::queue::{Notification, Queue, Subscription};

type Handler = fn(&mut Queue, &Request, &Params) -> Result<Response, HttpError>;

pub(crate) fn router() -> Router {
    const ROUTES: [(Method, &str, Handler); 6] = [
        (Method::Get, "/subscriptions", list_subscriptions),
        (Method::Post, "/subscriptions", subscribe),
        (Method::Delete, "/subscriptions/{id}", unsubscribe),
        (Method::Post, "/events", take_events),
        (Method::Get, "/notifications", list_notifications),
        (Method::Delete, "/notifications", acknowledge),
    ];
    let queue = Arc::new(Mutex::new(Queue::default()));
    ROUTES
        .into_iter()
        .fold(Router::new(), |router, (method, pattern, handler)| {
            let queue = Arc::clone(&queue);
            router.route(method, pattern, move |request, params| {
                handler(&mut lock(&queue), request, params)
            })
        })
}

/// The queue stays usable whatever happened to an earlier request.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::unnecessary_wraps, reason = "one signature for all handlers")]
fn list_subscriptions(queue: &mut Queue, _: &Request, _: &Params) -> Result<Response, HttpError> {
    let subscriptions = queue.subscriptions().iter().map(subscription_json);
    let body = Json::object([("subscriptions", subscriptions.collect())]);
    Ok(Response::json(200, &body))
}

fn subscribe(queue: &mut Queue, request: &Request, _: &Params) -> Result<Response, HttpError> {
    let body = request.json()?;
    let name = body.get("user").and_then(Json::as_str);
    let chat_id = body.get("chat_id").and_then(Json::as_u64);
    let (Some(name), Some(chat_id)) = (name, chat_id) else {
        let wanted = "a string `user` and a number `chat_id` are required";
        return Err(HttpError::new(422, wanted));
    };
    let user = User::new(name, UserKind::Human)?;
    let subscription = queue
        .subscribe(user.name(), chat_id)
        .map_err(|_| HttpError::new(507, "there are too many subscriptions"))?;
    Ok(Response::json(201, &subscription_json(&subscription)))
}

fn unsubscribe(queue: &mut Queue, _: &Request, params: &Params) -> Result<Response, HttpError> {
    if queue.unsubscribe(params.get("id")?) {
        Ok(Response::json(200, &Json::object([])))
    } else {
        Err(HttpError::new(404, "there is no such subscription"))
    }
}

fn take_events(queue: &mut Queue, request: &Request, _: &Params) -> Result<Response, HttpError> {
    if request.content_type() != Some(PROTOBUF) {
        return Err(HttpError::new(415, format!("the body must be {PROTOBUF}")));
    }
    let batch: EventBatch = request.protobuf()?;
    let posted = batch
        .events
        .iter()
        .filter(|event| event.kind == EventKind::MessagePosted);
    for message in posted.filter_map(|event| event.message.as_ref()) {
        queue.notify(message);
    }
    Ok(Response::json(202, &Json::object([])))
}

fn list_notifications(
    queue: &mut Queue,
    request: &Request,
    _: &Params,
) -> Result<Response, HttpError> {
    let pending = queue
        .pending(&user(request)?)
        .map(notification_json)
        .collect();
    let body = Json::object([("notifications", pending)]);
    Ok(Response::json(200, &body))
}

fn acknowledge(queue: &mut Queue, request: &Request, _: &Params) -> Result<Response, HttpError> {
    let up_to = request.query_or("up_to", u64::MAX)?;
    let dropped = queue.acknowledge(&user(request)?, up_to);
    let body = Json::object([("acknowledged", (dropped as u64).into())]);
    Ok(Response::json(200, &body))
}

fn user(request: &Request) -> Result<String, HttpError> {
    request
        .query("user")
        .ok_or_else(|| HttpError::new(400, "the query parameter `user` is required"))
}

fn subscription_json(subscription: &Subscription) -> Json {
    Json::object([
        ("id", subscription.id.into()),
        ("user", subscription.user.as_str().into()),
        ("chat_id", subscription.chat_id.into()),
    ])
}

fn notification_json(notification: &Notification) -> Json {
    Json::object([
        ("chat_id", notification.chat_id.into()),
        ("message_id", notification.message_id.into()),
        ("author", notification.author.as_str().into()),
        ("text", notification.text.as_str().into()),
        ("mentioned", notification.mentioned.into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use fechatter_core::protos::chat::ChatMessage;
    use fechatter_core::protos::events::Event;
    use fechatter_core::protos::Message;

    #[test]
    fn an_event_becomes_a_notification() {
        let router = router();
        let body = br#"{"user": "bob", "chat_id": 1}"#.to_vec();
        let request = Request::new(Method::Post, "/subscriptions", body);
        assert_eq!(router.handle(&request).status, 201);

        let message = ChatMessage {
            id: 5,
            chat_id: 1,
            text: "hello".to_owned(),
            ..ChatMessage::default()
        };
        let event = Event {
            kind: EventKind::MessagePosted,
            message: Some(message),
            ..Event::default()
        };
        let batch = EventBatch {
            events: vec![event],
        };
        let request = Request::new(Method::Post, "/events", batch.encode());
        let request = request.with_header("Content-Type", PROTOBUF);
        assert_eq!(router.handle(&request).status, 202);

        let list = Request::new(Method::Get, "/notifications?user=bob", Vec::new());
        let listed = String::from_utf8(router.handle(&list).body).unwrap();
        assert!(listed.contains("\"text\":\"hello\""), "{listed}");

        let request = Request::new(Method::Delete, "/notifications?user=bob", Vec::new());
        assert_eq!(router.handle(&request).body, b"{\"acknowledged\":1}\n");
    }

    #[test]
    fn incomplete_requests_are_refused() {
        let router = router();
        let status = |method, target: &str, body: &[u8]| {
            router
                .handle(&Request::new(method, target, body.to_vec()))
                .status
        };
        assert_eq!(status(Method::Post, "/subscriptions", b"{}"), 422);
        assert_eq!(status(Method::Delete, "/subscriptions/7", b""), 404);
        assert_eq!(status(Method::Get, "/notifications", b""), 400);
    }
}
