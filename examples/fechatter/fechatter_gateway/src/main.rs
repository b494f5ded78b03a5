//! One front door for Fechatter's servers.

mod proxy;
mod routes;

use std::process::ExitCode;

use fechatter_core::cli::{App, Variable};
use fechatter_core::config;
use fechatter_core::service::Service;

use crate::proxy::Upstream;

const ADDR: Variable = Variable {
    name: "FECHATTER_GATEWAY_ADDR",
    default: "0.0.0.0:8080",
    help: "Address to listen on",
};

const CHAT: Variable = Variable {
    name: "FECHATTER_SERVER_URL",
    default: "http://127.0.0.1:6688",
    help: "The chat server, for paths below /chat/",
};

const ANALYTICS: Variable = Variable {
    name: "FECHATTER_ANALYTICS_URL",
    default: "http://127.0.0.1:6690",
    help: "The analytics server, for paths below /analytics/",
};

const NOTIFY: Variable = Variable {
    name: "FECHATTER_NOTIFY_URL",
    default: "http://127.0.0.1:6687",
    help: "The notification server, for paths below /notify/",
};

const SERVICE: Service = Service {
    app: App {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        about: "Forwards requests to Fechatter's servers by the prefix of their paths.",
        health: "Ask the gateway that runs on FECHATTER_GATEWAY_ADDR for its health",
        options: &[],
        variables: &[ADDR, CHAT, ANALYTICS, NOTIFY],
    },
};

fn main() -> ExitCode {
    SERVICE.main(|_| {
        let mut upstreams = Vec::new();
        for (name, variable) in [("chat", CHAT), ("analytics", ANALYTICS), ("notify", NOTIFY)] {
            let endpoint = config::var(variable.name, variable.default)?;
            upstreams.push(Upstream { name, endpoint });
        }
        Ok(routes::router(upstreams))
    })
}
