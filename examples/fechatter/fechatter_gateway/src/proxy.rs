//! Forwarding a request to an upstream server.

use std::time::Duration;

use fechatter_core::http::{Client, Endpoint, Headers, HttpError, Request, Response};
use fechatter_core::log;

/// A server behind the gateway.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// The first segment of the paths that it is responsible for.
    pub(crate) name: &'static str,
    pub(crate) endpoint: Endpoint,
}

/// Fields that concern one connection, and those that every hop writes itself.
const HOP_BY_HOP: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Forwards a request to the upstream that its path names.
pub(crate) fn forward(upstreams: &[Upstream], request: &Request) -> Result<Response, HttpError> {
    let (upstream, target) =
        route(upstreams, &request.target).ok_or_else(|| HttpError::new(404, "not found"))?;
    let forwarded = Request {
        method: request.method,
        target,
        headers: end_to_end(&request.headers),
        body: request.body.clone(),
    };
    let client = Client::with_timeout(Duration::from_secs(5));
    match client.send(&upstream.endpoint, &forwarded) {
        Ok(response) => Ok(Response {
            headers: end_to_end(&response.headers),
            ..response
        }),
        Err(error) => {
            // The client learns which server is missing, but not where it is.
            log::warn(
                "upstream failed",
                &[("upstream", &upstream.name), ("error", &error)],
            );
            let message = format!("the {} server is not available", upstream.name);
            Err(HttpError::new(502, message))
        }
    }
}

/// The upstream for a target, and what the target is called there.
fn route<'a>(upstreams: &'a [Upstream], target: &str) -> Option<(&'a Upstream, String)> {
    let rest = target.strip_prefix('/')?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let upstream = upstreams.iter().find(|upstream| upstream.name == name)?;
    let slash = if rest.starts_with('/') { "" } else { "/" };
    Some((upstream, format!("{slash}{rest}")))
}

fn end_to_end(headers: &Headers) -> Headers {
    // `Connection` may name further fields that end here.
    let named: Vec<&str> = headers
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut kept = Headers::default();
    for (name, value) in headers.iter() {
        let ends_here = |other: &&str| other.eq_ignore_ascii_case(name);
        if !HOP_BY_HOP.iter().any(ends_here) && !named.iter().any(ends_here) {
            kept.push(name, value);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_selects_the_upstream() {
        let upstreams = ["chat", "notify"].map(|name| Upstream {
            name,
            endpoint: "127.0.0.1:1".parse().unwrap(),
        });
        let found = |target| route(&upstreams, target).map(|(found, rest)| (found.name, rest));
        let expected = |name, rest: &str| Some((name, rest.to_owned()));
        assert_eq!(found("/chat/chats?x=1"), expected("chat", "/chats?x=1"));
        assert_eq!(found("/notify?x=/1"), expected("notify", "/?x=/1"));
        assert_eq!(found("/chat"), expected("chat", "/"));
        assert_eq!(found("/chats/1"), None);
        assert_eq!(found("/"), None);
    }

    #[test]
    fn hop_by_hop_fields_end_here() {
        let mut headers = Headers::default();
        headers.push("Host", "x");
        headers.push("Connection", "close, X-Trace");
        headers.push("x-trace", "1");
        headers.push("Content-Type", "text/plain");
        let kept = end_to_end(&headers);
        let names: Vec<_> = kept.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Content-Type"]);
    }
}
