//! The gateway's own routes.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use fechatter_core::http::{Method, Response, Router};
use fechatter_core::json::Json;
use fechatter_core::service::check_health;

use crate::proxy::{self, Upstream};

/// Well below what the gateway's own callers wait for its health.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

pub(crate) fn router(upstreams: Vec<Upstream>) -> Router {
    let upstreams: Arc<[Upstream]> = upstreams.into();
    let [healthy, ready, proxied] = [(); 3].map(|()| Arc::clone(&upstreams));
    Router::new()
        // The gateway itself is healthy while it answers: to restart it would
        // not bring an upstream back. Whoever wants the whole asks /ready.
        .route(Method::Get, "/health", move |_, _| {
            Ok(report(&healthy, 200))
        })
        .route(Method::Get, "/ready", move |_, _| Ok(report(&ready, 503)))
        .fallback(move |request, _| proxy::forward(&proxied, request))
}

/// Asks every upstream for its health; `degraded_status` is for when not all
/// are well.
fn report(upstreams: &[Upstream], degraded_status: u16) -> Response {
    // All at once, lest one that hangs adds its timeout to that of the others.
    let results: Vec<(String, bool)> = thread::scope(|scope| {
        let checks: Vec<_> = upstreams
            .iter()
            .map(|upstream| scope.spawn(|| check_health(&upstream.endpoint, PROBE_TIMEOUT).is_ok()))
            .collect();
        let names = upstreams.iter().map(|upstream| upstream.name.to_owned());
        names
            .zip(checks)
            .map(|(name, check)| (name, check.join().unwrap_or(false)))
            .collect()
    });
    let all_well = results.iter().all(|(_, well)| *well);
    let upstreams = results.into_iter().map(|(name, well)| {
        let status = if well { "ok" } else { "unavailable" };
        (name, Json::from(status))
    });
    let body = Json::object([
        ("status", if all_well { "ok" } else { "degraded" }.into()),
        ("upstreams", upstreams.collect()),
    ]);
    Response::json(if all_well { 200 } else { degraded_status }, &body)
}

#[cfg(test)]
mod tests {
    use fechatter_core::http::Request;

    use super::*;

    #[test]
    fn a_missing_upstream_degrades_the_gateway() {
        // Port 0 cannot be connected to.
        let router = router(vec![Upstream {
            name: "chat",
            endpoint: "127.0.0.1:0".parse().unwrap(),
        }]);
        let get = |target: &str| router.handle(&Request::new(Method::Get, target, Vec::new()));
        let health = get("/health");
        assert_eq!(health.status, 200);
        assert_eq!(
            health.body,
            b"{\"status\":\"degraded\",\"upstreams\":{\"chat\":\"unavailable\"}}\n"
        );
        assert_eq!(get("/ready").status, 503);
        assert_eq!(get("/chat/chats").status, 502);
        assert_eq!(get("/other").status, 404);
    }
}
