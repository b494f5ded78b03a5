//! The life of an HTTP service, from its command line to its shutdown.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::{App, Options};
use crate::http::{Client, Endpoint, Limits, Method, Request, Response, Router, Server};
use crate::json::Json;
use crate::shutdown::Shutdown;
use crate::{config, log, BoxError};

/// How long `--health` waits for a connection, and again for the answer.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// A program that serves HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its command line. The first variable is the address to listen on.
    pub app: App,
}

impl Service {
    /// Runs the program with the routes that `routes` makes.
    ///
    /// `GET /version` comes with every service, and so does `GET /health` unless
    /// the service has its own.
    pub fn main<F>(&self, routes: F) -> ExitCode
    where
        F: FnOnce(&Shutdown) -> Result<Router, BoxError>,
    {
        self.app.main(
            || check_health(&self.own_endpoint()?, HEALTH_TIMEOUT),
            |_: &Options| {
                let shutdown = Shutdown::on_signals()?;
                self.serve(routes(&shutdown)?, &shutdown)
            },
        )
    }

    /// Serves `routes` until `shutdown`.
    pub fn serve(&self, routes: Router, shutdown: &Shutdown) -> Result<(), BoxError> {
        let addr = self.addr()?;
        let server = Server::bind(addr, Limits::default())
            .map_err(|error| format!("cannot listen on {addr}: {error}"))?;
        let version = self.app.version;
        let addr = server.local_addr();
        log::info("listening", &[("addr", &addr), ("version", &version)]);
        server.serve(with_common_routes(routes, self.app), shutdown)?;
        log::info("stopped", &[]);
        Ok(())
    }

    /// The endpoint at which this host reaches the service.
    pub fn own_endpoint(&self) -> Result<Endpoint, BoxError> {
        Ok(crate::http::reachable(self.addr()?).into())
    }

    fn addr(&self) -> Result<SocketAddr, BoxError> {
        let variable = self.app.variables.first().ok_or("no address is declared")?;
        Ok(config::var(variable.name, variable.default)?)
    }
}

fn with_common_routes(routes: Router, app: App) -> Router {
    routes
        .route(Method::Get, "/health", |_, _| {
            Ok(Response::json(
                200,
                &Json::object([("status", "ok".into())]),
            ))
        })
        .route(Method::Get, "/version", move |_, _| {
            let members = [("name", app.name.into()), ("version", app.version.into())];
            Ok(Response::json(200, &Json::object(members)))
        })
}

/// Asks a service for its health, as `--health` does.
pub fn check_health(endpoint: &Endpoint, timeout: Duration) -> Result<(), BoxError> {
    let client = Client::with_timeout(timeout);
    let request = Request::new(Method::Get, "/health", Vec::new());
    let response = client.send(endpoint, &request)?;
    if response.is_success() {
        Ok(())
    } else {
        Err(format!("{endpoint} is not healthy: status {}", response.status).into())
    }
}
