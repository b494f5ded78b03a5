//! Every program as a process, talking to the others.

mod support;

use std::net::{TcpListener, TcpStream};

use fechatter_core::http::{Client, Endpoint, Method, Request, Response, JSON};
use fechatter_core::json::Json;
use fechatter_server::api::{PostMessageRequest, User, UserKind};
use fechatter_server::ChatClient;
use support::{eventually, output, Program, PROGRAMS};

fn send(endpoint: &Endpoint, method: Method, target: &str, body: &str) -> Response {
    let request = Request::new(method, target, body.as_bytes().to_vec());
    let request = request.with_header("Content-Type", JSON);
    Client::default().send(endpoint, &request).unwrap()
}

fn get_json(endpoint: &Endpoint, target: &str) -> Json {
    let response = send(endpoint, Method::Get, target, "");
    assert!(response.is_success(), "{target}: {}", response.status);
    Json::parse(&String::from_utf8(response.body).unwrap()).unwrap()
}

fn number(json: &Json, name: &str) -> u64 {
    json.get(name).and_then(Json::as_u64).unwrap()
}

/// `host:port`, as the variables for addresses want it.
fn addr(endpoint: &Endpoint) -> String {
    endpoint.to_string().replace("http://", "")
}

fn is_healthy(name: &str, variable: &str, value: &str) -> bool {
    let status = output(name, &["--health"], &[(variable, value)]).status;
    match status.code() {
        Some(0) => true,
        Some(1) => false,
        _ => panic!("{name} --health: {status}"),
    }
}

#[test]
fn a_message_reaches_everyone() {
    let (analytics, analytics_at) =
        Program::serve("analytics_server", "FECHATTER_ANALYTICS_ADDR", &[]);
    let (notify, notify_at) = Program::serve("notify_server", "FECHATTER_NOTIFY_ADDR", &[]);
    let sinks = format!("{analytics_at},{notify_at}");
    let (server, server_at) = Program::serve(
        "fechatter_server",
        "FECHATTER_SERVER_ADDR",
        &[("FECHATTER_EVENT_SINKS", &sinks)],
    );
    let server_url = server_at.to_string();
    let (gateway, gateway_at) = Program::serve(
        "fechatter_gateway",
        "FECHATTER_GATEWAY_ADDR",
        &[
            ("FECHATTER_SERVER_URL", &server_url),
            ("FECHATTER_ANALYTICS_URL", &analytics_at.to_string()),
            ("FECHATTER_NOTIFY_URL", &notify_at.to_string()),
        ],
    );
    let worker = [
        ("FECHATTER_SERVER_URL", server_url.as_str()),
        ("FECHATTER_POLL_MS", "20"),
    ];
    let bot = Program::start("bot", &worker);
    let (indexer, indexer_at) = Program::serve("indexer", "FECHATTER_INDEXER_ADDR", &worker);

    for (name, endpoint) in [
        ("fechatter_server", &server_at),
        ("analytics_server", &analytics_at),
        ("notify_server", &notify_at),
        ("fechatter_gateway", &gateway_at),
        ("indexer", &indexer_at),
    ] {
        let version = get_json(endpoint, "/version");
        assert_eq!(version.get("name").and_then(Json::as_str), Some(name));
        let health = get_json(endpoint, "/health");
        assert_eq!(health.get("status").and_then(Json::as_str), Some("ok"));
    }
    assert_eq!(send(&gateway_at, Method::Get, "/ready", "").status, 200);

    // Ann talks JSON through the gateway, the rest is protobuf.
    let subscription = r#"{"user": "bob", "chat_id": 1}"#;
    let target = "/notify/subscriptions";
    let subscribed = send(&gateway_at, Method::Post, target, subscription);
    assert_eq!(subscribed.status, 201);
    let message = r#"{"author": "ann", "text": "@bot keywords: zebra crossing"}"#;
    let target = "/chat/chats/1/messages";
    let posted = send(&gateway_at, Method::Post, target, message);
    assert_eq!(posted.status, 201);

    let client = ChatClient::new(server_at.clone());
    let reply = eventually("the bot replies", || {
        let messages = client.messages_after(1, 0).unwrap();
        messages.into_iter().find(|message| message.reply_to == 1)
    });
    assert_eq!(reply.text, "@ann Keywords: zebra, crossing");

    eventually("the indexer finds both messages", || {
        let found = get_json(&indexer_at, "/search?q=Zebra+crossing");
        (number(&found, "total") == 2).then_some(())
    });
    eventually("both messages are counted", || {
        let counters = get_json(&gateway_at, "/analytics/counters");
        (number(&counters, "events") == 2).then_some(())
    });
    eventually("bob is notified of both messages", || {
        let found = get_json(&gateway_at, "/notify/notifications?user=bob");
        let list = found.get("notifications").and_then(Json::as_array);
        (list.unwrap().len() == 2).then_some(())
    });

    for (name, variable, value) in [
        (
            "fechatter_server",
            "FECHATTER_SERVER_ADDR",
            addr(&server_at),
        ),
        (
            "fechatter_gateway",
            "FECHATTER_GATEWAY_ADDR",
            addr(&gateway_at),
        ),
        ("indexer", "FECHATTER_INDEXER_ADDR", addr(&indexer_at)),
        ("bot", "FECHATTER_SERVER_URL", server_url.clone()),
    ] {
        assert!(is_healthy(name, variable, &value), "{name}");
    }

    for program in [bot, indexer, gateway, server, notify, analytics] {
        assert_eq!(program.end_by("TERM").code(), Some(0));
    }
    assert!(!is_healthy("bot", "FECHATTER_SERVER_URL", &server_url));
}

#[test]
fn once_is_enough() {
    let (server, server_at) = Program::serve("fechatter_server", "FECHATTER_SERVER_ADDR", &[]);
    let client = ChatClient::new(server_at.clone());
    let chat = client.create_chat("animals").unwrap();
    let message = PostMessageRequest {
        author: Some(User {
            name: "ann".to_owned(),
            kind: UserKind::Human,
        }),
        text: "@helper do you like okapis?".to_owned(),
        reply_to: 0,
    };
    client.post(chat.id, &message).unwrap();

    let stdout = |name: &str, arguments: &[&str]| {
        let variables = [
            ("FECHATTER_SERVER_URL", server_at.to_string()),
            ("FECHATTER_BOT_NAME", "helper".to_owned()),
            ("FECHATTER_CHAT_ID", chat.id.to_string()),
        ];
        let variables = variables
            .each_ref()
            .map(|(key, value)| (*key, value.as_str()));
        let output = output(name, arguments, &variables);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(stdout("bot", &["--once"]), "1\n");
    // The second run sees its predecessor's answer.
    assert_eq!(stdout("bot", &["--once"]), "0\n");
    let found = stdout("indexer", &["--once", "--query", "okapis"]);
    assert_eq!(number(&Json::parse(&found).unwrap(), "total"), 2);
    drop(server);
}

#[test]
fn programs_end_whatever_they_are_doing() {
    // A connection that never sends its request must not hold up the end.
    let (server, server_at) = Program::serve("fechatter_server", "FECHATTER_SERVER_ADDR", &[]);
    let idle = TcpStream::connect(addr(&server_at)).unwrap();
    assert_eq!(server.end_by("INT").code(), Some(0));
    drop(idle);

    let nobody = [("FECHATTER_SERVER_URL", "http://127.0.0.1:1")];
    let bot = Program::start("bot", &nobody);
    bot.wait_for("will try again");
    assert_eq!(bot.end_by("TERM").code(), Some(0));

    // Nor must a server that takes requests and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = silent.local_addr().unwrap().to_string();
    let bot = Program::start("bot", &[("FECHATTER_SERVER_URL", &silent_url)]);
    let (_asking, _) = silent.accept().unwrap();
    assert_eq!(bot.end_by("TERM").code(), Some(0));
}

#[test]
fn command_lines_are_answered() {
    for name in PROGRAMS {
        let version = output(name, &["--version"], &[]);
        let expected = format!("{name} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8_lossy(&version.stdout), expected);
        assert!(output(name, &["--help"], &[]).status.success());

        let wrong = output(name, &["--frobnicate"], &[]);
        assert_eq!(wrong.status.code(), Some(2), "{name}");
        let stderr = String::from_utf8_lossy(&wrong.stderr);
        assert!(stderr.contains("unexpected argument `--frobnicate`"));
    }
    let half = output("indexer", &["--once"], &[]);
    assert_eq!(half.status.code(), Some(2));
    let variables = [("FECHATTER_SERVER_ADDR", "nowhere")];
    let misconfigured = output("fechatter_server", &[], &variables);
    assert_eq!(misconfigured.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&misconfigured.stderr);
    assert!(stderr.contains("FECHATTER_SERVER_ADDR"), "{stderr}");
}
