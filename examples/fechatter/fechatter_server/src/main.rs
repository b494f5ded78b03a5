//! Fechatter's chat server.

mod events;
mod json;
mod routes;

use std::process::ExitCode;
use std::sync::Arc;

use fechatter_core::cli::{App, Variable};
use fechatter_core::config;
use fechatter_core::domain::Store;
use fechatter_core::service::Service;

use crate::events::Publisher;

const SINKS: Variable = Variable {
    name: "FECHATTER_EVENT_SINKS",
    default: "",
    help: "Servers to send events to, as http://HOST:PORT,...",
};

const SERVICE: Service = Service {
    app: App {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        about: "Keeps chats and their messages in memory.",
        health: "Ask the server that runs on FECHATTER_SERVER_ADDR for its health",
        options: &[],
        variables: &[
            Variable {
                name: "FECHATTER_SERVER_ADDR",
                default: "0.0.0.0:6688",
                help: "Address to listen on",
            },
            SINKS,
        ],
    },
};

fn main() -> ExitCode {
    SERVICE.main(|_| {
        let sinks: events::Sinks = config::var(SINKS.name, SINKS.default)?;
        let store = Store::default();
        // Clients can start to talk without any setup.
        store.create_chat("lobby")?;
        Ok(routes::router(Arc::new(store), Publisher::start(sinks)?))
    })
}
