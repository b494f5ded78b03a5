//! The configuration that both programs share.

use std::time::Duration;

use fechatter_core::cli::Variable;
use fechatter_core::config;
use fechatter_core::http::Endpoint;
use fechatter_core::BoxError;
use fechatter_server::ChatClient;

/// Where the chat server is.
pub const SERVER_URL: Variable = Variable {
    name: "FECHATTER_SERVER_URL",
    default: "http://127.0.0.1:6688",
    help: "The chat server to work with",
};

/// How often to look for new messages.
pub const POLL_MS: Variable = Variable {
    name: "FECHATTER_POLL_MS",
    default: "500",
    help: "Milliseconds between two looks at the chat server",
};

/// The endpoint of the chat server.
pub fn server_endpoint() -> Result<Endpoint, BoxError> {
    Ok(config::var(SERVER_URL.name, SERVER_URL.default)?)
}

/// A client of the chat server.
pub fn chat_client() -> Result<ChatClient, BoxError> {
    Ok(ChatClient::new(server_endpoint()?))
}

/// The time between two looks.
pub fn poll_interval() -> Result<Duration, BoxError> {
    let milliseconds: u64 = config::var(POLL_MS.name, POLL_MS.default)?;
    // Without any pause a slip of the pen would become a denial of service.
    Ok(Duration::from_millis(milliseconds.max(10)))
}
