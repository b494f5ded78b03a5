//! From method and path to a handler.

use super::message::{HttpError, Method, Request, Response};

/// The parts of a path that a pattern leaves open, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The part called `name` as `T`; one that is no `T` cannot be found.
    pub fn get<T: std::str::FromStr>(&self, name: &str) -> Result<T, HttpError> {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| value.parse().ok())
            .ok_or_else(|| HttpError::new(404, "not found"))
    }
}

type Handler = Box<dyn Fn(&Request, &Params) -> Result<Response, HttpError> + Send + Sync>;

struct Route {
    method: Method,
    pattern: &'static str,
    handler: Handler,
}

/// Routes in order of precedence.
#[derive(Default)]
pub struct Router {
    routes: Vec<Route>,
    fallback: Option<Handler>,
}

impl Router {
    /// A router that finds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route; `{name}` in the pattern stands for any one path segment.
    #[must_use]
    pub fn route<F>(mut self, method: Method, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(&Request, &Params) -> Result<Response, HttpError> + Send + Sync + 'static,
    {
        self.routes.push(Route {
            method,
            pattern,
            handler: Box::new(handler),
        });
        self
    }

    /// Sets the handler for paths that no route matches.
    #[must_use]
    pub fn fallback<F>(mut self, handler: F) -> Self
    where
        F: Fn(&Request, &Params) -> Result<Response, HttpError> + Send + Sync + 'static,
    {
        self.fallback = Some(Box::new(handler));
        self
    }

    /// Answers a request.
    #[must_use]
    pub fn handle(&self, request: &Request) -> Response {
        self.dispatch(request).unwrap_or_else(Response::from)
    }

    fn dispatch(&self, request: &Request) -> Result<Response, HttpError> {
        let mut allowed = Vec::new();
        for route in &self.routes {
            if let Some(params) = matches(route.pattern, request.path()) {
                if route.method == request.method {
                    return (route.handler)(request, &params);
                }
                allowed.push(route.method.as_str());
            }
        }
        if !allowed.is_empty() {
            let mut response = Response::from(HttpError::new(405, "method not allowed"));
            response.headers.push("Allow", &allowed.join(", "));
            return Ok(response);
        }
        match &self.fallback {
            Some(handler) => handler(request, &Params::default()),
            None => Err(HttpError::new(404, "not found")),
        }
    }
}

fn matches(pattern: &'static str, path: &str) -> Option<Params> {
    let mut params = Params::default();
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        let name = expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        match name {
            Some(name) if !segment.is_empty() => params.0.push((name, segment.to_owned())),
            None if segment == expected => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let text = |text: String| Ok(Response::new(200, "text/plain", text.into_bytes()));
        Router::new()
            .route(Method::Get, "/a", move |_, _| text("a".to_owned()))
            .route(Method::Get, "/a/{id}/b", move |_, params| {
                text(params.get::<u64>("id")?.to_string())
            })
            .route(Method::Post, "/a/{id}/b", move |_, _| {
                text("post".to_owned())
            })
    }

    fn answer(method: Method, target: &str) -> (u16, String) {
        let response = router().handle(&Request::new(method, target, Vec::new()));
        (response.status, String::from_utf8(response.body).unwrap())
    }

    #[test]
    fn routes_match_by_method_and_path() {
        assert_eq!(answer(Method::Get, "/a?x=1"), (200, "a".to_owned()));
        assert_eq!(answer(Method::Get, "/a/7/b"), (200, "7".to_owned()));
        assert_eq!(answer(Method::Post, "/a/7/b"), (200, "post".to_owned()));
    }

    #[test]
    fn everything_else_is_refused() {
        for target in ["/", "/a/", "/a//b", "/a/7", "/a/7/b/c", "/a/x/b"] {
            assert_eq!(answer(Method::Get, target).0, 404, "{target}");
        }
        let response = router().handle(&Request::new(Method::Put, "/a/7/b", Vec::new()));
        assert_eq!(response.status, 405);
        assert_eq!(response.headers.get("allow"), Some("GET, POST"));
    }

    #[test]
    fn the_fallback_comes_last() {
        let router = router().fallback(|request, _| Err(HttpError::new(418, request.path())));
        let status = |target| {
            router
                .handle(&Request::new(Method::Get, target, Vec::new()))
                .status
        };
        assert_eq!((status("/a"), status("/b")), (200, 418));
    }
}
