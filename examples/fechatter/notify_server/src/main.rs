//! Queues notifications for subscribers.

mod queue;
mod routes;

use std::process::ExitCode;

use fechatter_core::cli::{App, Variable};
use fechatter_core::service::Service;

const SERVICE: Service = Service {
    app: App {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        about: "Queues notifications for subscribers of chats.",
        health: "Ask the server that runs on FECHATTER_NOTIFY_ADDR for its health",
        options: &[],
        variables: &[Variable {
            name: "FECHATTER_NOTIFY_ADDR",
            default: "0.0.0.0:6687",
            help: "Address to listen on",
        }],
    },
};

fn main() -> ExitCode {
    SERVICE.main(|_| Ok(routes::router()))
}
