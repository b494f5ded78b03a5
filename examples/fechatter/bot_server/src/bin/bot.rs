//! Answers messages that mention it.

use std::process::ExitCode;

use bot_server::bot::Bot;
use bot_server::config::{chat_client, poll_interval, server_endpoint, POLL_MS, SERVER_URL};
use bot_server::poll::Poller;
use fechatter_core::cli::{self, App, Opt, Options, Variable};
use fechatter_core::domain::{User, UserKind};
use fechatter_core::service::{check_health, HEALTH_TIMEOUT};
use fechatter_core::shutdown::Shutdown;
use fechatter_core::{config, log, BoxError};

const NAME: Variable = Variable {
    name: "FECHATTER_BOT_NAME",
    default: "bot",
    help: "The name that the bot goes by",
};

const CHAT_ID: Variable = Variable {
    name: "FECHATTER_CHAT_ID",
    default: "1",
    help: "The chat to watch",
};

const APP: App = App {
    name: env!("CARGO_BIN_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    about: "Watches a chat, and answers messages that mention it.",
    health: "Ask the chat server, without which the bot is of no use, for its health",
    options: &[Opt {
        name: "--once",
        value: None,
        help: "Answer what there is, and exit",
    }],
    variables: &[SERVER_URL, POLL_MS, NAME, CHAT_ID],
};

fn main() -> ExitCode {
    APP.main(|| check_health(&server_endpoint()?, HEALTH_TIMEOUT), run)
}

fn run(options: &Options) -> Result<(), BoxError> {
    let name: String = config::var(NAME.name, NAME.default)?;
    let user = User::new(name, UserKind::Bot)?;
    let chat_id = config::var(CHAT_ID.name, CHAT_ID.default)?;
    let client = chat_client()?;
    let mut bot = Bot::new(user.name(), chat_id);

    if options.has("--once") {
        let answers = bot.step(&client)?;
        return cli::print(&format!("{answers}\n"));
    }

    let interval = poll_interval()?;
    let shutdown = Shutdown::on_signals()?;
    log::info(
        "watching",
        &[
            ("server", client.endpoint()),
            ("chat", &chat_id),
            ("name", &user.name()),
        ],
    );
    let poller = Poller::start(&shutdown, interval, move || {
        let answers = bot.step(&client)?;
        if answers > 0 {
            log::info("answered", &[("messages", &answers)]);
        }
        Ok(())
    })?;
    shutdown.wait();
    poller.finish();
    log::info("stopped", &[]);
    Ok(())
}
