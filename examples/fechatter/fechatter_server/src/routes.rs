//! The server's routes.

use std::sync::Arc;
use std::time::Instant;

use fechatter_core::domain::{ChatId, MessageId, NewMessage, Store};
use fechatter_core::http::{HttpError, Method, Params, Request, Response, Router, JSON, PROTOBUF};
use fechatter_core::protos::events::{Event, EventKind};
use fechatter_core::protos::Message;
use fechatter_core::time::now_ms;
use fechatter_server::api::{
    Chat, ChatMessage, CreateChatRequest, ListChatsResponse, ListMessagesResponse,
    PostMessageRequest, DEFAULT_LIMIT, MAX_LIMIT,
};

use crate::events::Publisher;
use crate::json::{FromJson, ToJson};

/// What the handlers share.
struct App {
    store: Arc<Store>,
    publisher: Publisher,
}

type Handler = fn(&App, &Request, &Params) -> Result<Response, HttpError>;

pub(crate) fn router(store: Arc<Store>, publisher: Publisher) -> Router {
    const ROUTES: [(Method, &str, Handler); 4] = [
        (Method::Get, "/chats", App::list_chats),
        (Method::Post, "/chats", App::create_chat),
        (Method::Get, "/chats/{id}/messages", App::list_messages),
        (Method::Post, "/chats/{id}/messages", App::post_message),
    ];
    let app = Arc::new(App { store, publisher });
    ROUTES
        .into_iter()
        .fold(Router::new(), |router, (method, pattern, handler)| {
            let app = Arc::clone(&app);
            router.route(method, pattern, move |request, params| {
                handler(&app, request, params)
            })
        })
}

impl App {
    #[allow(clippy::unnecessary_wraps, reason = "one signature for all handlers")]
    fn list_chats(&self, request: &Request, _: &Params) -> Result<Response, HttpError> {
        let chats = self.store.chats().into_iter().map(Chat::from).collect();
        Ok(respond(request, 200, &ListChatsResponse { chats }))
    }

    fn create_chat(&self, request: &Request, _: &Params) -> Result<Response, HttpError> {
        let started = Instant::now();
        let body: CreateChatRequest = body(request)?;
        let chat = Chat::from(self.store.create_chat(&body.name)?);
        self.publisher.publish(
            chat.id,
            Event {
                kind: EventKind::ChatCreated,
                at_ms: now_ms(),
                chat_id: chat.id,
                elapsed_ms: started.elapsed().as_secs_f64() * 1000.0,
                ..Event::default()
            },
        );
        Ok(respond(request, 201, &chat))
    }

    fn list_messages(&self, request: &Request, params: &Params) -> Result<Response, HttpError> {
        let chat_id: ChatId = params.get("id")?;
        let after = request.query_or("after", MessageId(0))?;
        let limit = request.query_or("limit", DEFAULT_LIMIT)?.min(MAX_LIMIT);
        let page = self.store.messages_after(chat_id, after, limit)?;
        let response = ListMessagesResponse {
            messages: page.messages.into_iter().map(ChatMessage::from).collect(),
            remaining: u32::try_from(page.remaining).unwrap_or(u32::MAX),
        };
        Ok(respond(request, 200, &response))
    }

    fn post_message(&self, request: &Request, params: &Params) -> Result<Response, HttpError> {
        let started = Instant::now();
        let chat_id: ChatId = params.get("id")?;
        let body: PostMessageRequest = body(request)?;
        let posted = self
            .store
            .post(chat_id, NewMessage::try_from(body)?, now_ms())?;
        let message = ChatMessage::from(posted);
        self.publisher.publish(
            message.id,
            Event {
                kind: EventKind::MessagePosted,
                at_ms: message.sent_at_ms,
                user: message.author.clone(),
                chat_id: message.chat_id,
                message: Some(message.clone()),
                elapsed_ms: started.elapsed().as_secs_f64() * 1000.0,
                ..Event::default()
            },
        );
        Ok(respond(request, 201, &message))
    }
}

/// Reads a body in the format that it claims to have.
fn body<M: Message + FromJson>(request: &Request) -> Result<M, HttpError> {
    match request.content_type() {
        Some(PROTOBUF) => request.protobuf(),
        Some(JSON) => M::from_json(&request.json()?),
        _ => Err(HttpError::new(
            415,
            format!("the body must be {PROTOBUF} or {JSON}"),
        )),
    }
}

fn respond<M: Message + ToJson>(request: &Request, status: u16, message: &M) -> Response {
    if request.wants_protobuf() {
        Response::protobuf(status, message)
    } else {
        Response::json(status, &message.to_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Sinks;

    fn server() -> Router {
        let store = Store::default();
        store.create_chat("lobby").unwrap();
        router(Arc::new(store), Publisher::start(Sinks::default()).unwrap())
    }

    fn post(server: &Router, target: &str, content_type: &str, body: &[u8]) -> Response {
        let request = Request::new(Method::Post, target, body.to_vec());
        server.handle(&request.with_header("Content-Type", content_type))
    }

    fn text(response: &Response) -> String {
        String::from_utf8(response.body.clone()).unwrap()
    }

    #[test]
    fn json_and_protobuf_meet_in_one_chat() {
        let server = server();
        let body = br#"{"author": "ann", "text": "hi @bob"}"#;
        let posted = post(&server, "/chats/1/messages", JSON, body);
        assert_eq!(posted.status, 201, "{}", text(&posted));

        let request = Request::new(Method::Get, "/chats/1/messages?after=0", Vec::new());
        let listed = server.handle(&request.with_header("Accept", PROTOBUF));
        let listed = ListMessagesResponse::decode(&listed.body).unwrap();
        assert_eq!(listed.messages[0].text, "hi @bob");
        assert_eq!(listed.messages[0].mentions, ["bob"]);
    }

    #[test]
    fn mistakes_get_fitting_statuses() {
        let server = server();
        let message = br#"{"author": "ann", "text": "hi"}"#;
        let status = |target: &str, content_type: &str, body: &[u8]| {
            post(&server, target, content_type, body).status
        };
        assert_eq!(status("/chats/9/messages", JSON, message), 404);
        assert_eq!(status("/chats/1/messages", "text/plain", message), 415);
        assert_eq!(status("/chats/1/messages", JSON, b"{"), 400);
        assert_eq!(status("/chats/1/messages", JSON, b"{}"), 422);
        assert_eq!(status("/chats/1/messages", PROTOBUF, b""), 422);
        assert_eq!(status("/chats/1/messages", PROTOBUF, b"\x0a"), 400);
        assert_eq!(status("/chats", JSON, br#"{"name": " "}"#), 422);
        assert_eq!(status("/chats", JSON, br#"{"name": "dev"}"#), 201);
    }
}
