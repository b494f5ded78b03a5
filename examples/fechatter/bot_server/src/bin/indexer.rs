//! Makes messages searchable.

use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};

use bot_server::config::{chat_client, poll_interval, POLL_MS, SERVER_URL};
use bot_server::index::{fetch, Index};
use bot_server::poll::Poller;
use fechatter_core::cli::{self, App, Opt, UsageError, Variable};
use fechatter_core::http::{HttpError, Method, Response, Router};
use fechatter_core::service::{check_health, Service, HEALTH_TIMEOUT};
use fechatter_core::shutdown::Shutdown;
use fechatter_core::BoxError;

const SERVICE: Service = Service {
    app: App {
        name: env!("CARGO_BIN_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        about: "Indexes the messages of every chat, and serves searches at GET /search?q=WORDS.",
        health: "Ask the indexer that runs on FECHATTER_INDEXER_ADDR for its health",
        options: &[
            Opt {
                name: "--once",
                value: None,
                help: "Index what there is, print the result of --query, and exit",
            },
            Opt {
                name: "--query",
                value: Some("WORDS"),
                help: "What --once searches for",
            },
        ],
        variables: &[
            Variable {
                name: "FECHATTER_INDEXER_ADDR",
                default: "0.0.0.0:6689",
                help: "Address to listen on",
            },
            SERVER_URL,
            POLL_MS,
        ],
    },
};

fn main() -> ExitCode {
    SERVICE.app.main(
        || check_health(&SERVICE.own_endpoint()?, HEALTH_TIMEOUT),
        |options| match (options.has("--once"), options.value("--query")) {
            (true, Some(query)) => search_once(query),
            (false, None) => serve(),
            _ => Err(UsageError::new("--once and --query go together").into()),
        },
    )
}

fn search_once(query: &str) -> Result<(), BoxError> {
    let mut index = Index::new();
    for message in fetch(&chat_client()?, |_| 0)? {
        index.add(message);
    }
    cli::print(&format!("{}\n", index.search_json(query)))
}

fn serve() -> Result<(), BoxError> {
    let client = chat_client()?;
    let interval = poll_interval()?;
    let shutdown = Shutdown::on_signals()?;
    let index = Arc::new(RwLock::new(Index::new()));

    let searched = Arc::clone(&index);
    let routes = Router::new().route(Method::Get, "/search", move |request, _| {
        let query = request
            .query("q")
            .ok_or_else(|| HttpError::new(400, "the query parameter `q` is required"))?;
        let index = searched.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Response::json(200, &index.search_json(&query)))
    });

    Poller::start(&shutdown, interval, move || {
        // Searches need not wait for the network: only the short time that
        // adding takes asks for the lock.
        let last_seen = |chat_id| {
            let index = index.read().unwrap_or_else(PoisonError::into_inner);
            index.last_seen(chat_id)
        };
        let messages = fetch(&client, last_seen)?;
        let mut index = index.write().unwrap_or_else(PoisonError::into_inner);
        for message in messages {
            index.add(message);
        }
        Ok(())
    })?;
    SERVICE.serve(routes, &shutdown)
}
