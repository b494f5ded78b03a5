//! Counts events, and serves the counters.

mod counters;
mod routes;

use std::process::ExitCode;

use fechatter_core::cli::{App, Variable};
use fechatter_core::service::Service;

const SERVICE: Service = Service {
    app: App {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        about: "Counts what happens in chats.",
        health: "Ask the server that runs on FECHATTER_ANALYTICS_ADDR for its health",
        options: &[],
        variables: &[Variable {
            name: "FECHATTER_ANALYTICS_ADDR",
            default: "0.0.0.0:6690",
            help: "Address to listen on",
        }],
    },
};

fn main() -> ExitCode {
    SERVICE.main(|_| Ok(routes::router()))
}
