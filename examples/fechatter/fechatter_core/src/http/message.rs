//! Requests and responses.

use std::fmt::{self, Display};
use std::str::FromStr;

use crate::domain::DomainError;
use crate::json::Json;
use crate::protos::{DecodeError, Message};

/// The media type of JSON.
pub const JSON: &str = "application/json";

/// The media type of protobuf messages.
pub const PROTOBUF: &str = "application/x-protobuf";

/// The methods that services use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// The name as it is in a request line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = HttpError;

    fn from_str(name: &str) -> Result<Self, HttpError> {
        [Self::Get, Self::Post, Self::Put, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or_else(|| HttpError::new(501, "method not implemented"))
    }
}

/// Header fields in order; names match in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first field called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.iter();
        let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// Every field called `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Every field.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.0.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a field.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, as sent.
    pub target: String,
    /// Header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers.
    #[must_use]
    pub fn new(method: Method, target: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: Headers::default(),
            body,
        }
    }

    /// The same request with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The target up to its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a query parameter, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key) == name).then(|| percent_decode(value))
        })
    }

    /// A query parameter as `T`, or `default` where it is missing.
    pub fn query_or<T: FromStr>(&self, name: &str, default: T) -> Result<T, HttpError> {
        match self.query(name) {
            None => Ok(default),
            Some(value) => value
                .parse()
                .map_err(|_| HttpError::new(400, format!("invalid query parameter `{name}`"))),
        }
    }

    /// The body's media type without its parameters.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        let value = self.headers.get("content-type")?;
        value.split(';').next().map(str::trim)
    }

    /// Whether the client prefers protobuf, be it by `Accept` or by its body.
    #[must_use]
    pub fn wants_protobuf(&self) -> bool {
        match self.headers.get("accept") {
            Some(accept) if accept.contains(PROTOBUF) => true,
            Some(accept) if accept.contains(JSON) => false,
            _ => self.content_type() == Some(PROTOBUF),
        }
    }

    /// The body as a protobuf message.
    pub fn protobuf<M: Message>(&self) -> Result<M, HttpError> {
        Ok(M::decode(&self.body)?)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Json, HttpError> {
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| HttpError::new(400, "the body is not UTF-8"))?;
        Json::parse(text).map_err(|error| HttpError::new(400, error.to_string()))
    }
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response with a body of the given media type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let mut headers = Headers::default();
        headers.push("Content-Type", content_type);
        Self {
            status,
            headers,
            body,
        }
    }

    /// A JSON response.
    #[must_use]
    pub fn json(status: u16, body: &Json) -> Self {
        Self::new(status, JSON, format!("{body}\n").into_bytes())
    }

    /// A protobuf response.
    #[must_use]
    pub fn protobuf(status: u16, message: &impl Message) -> Self {
        Self::new(status, PROTOBUF, message.encode())
    }

    /// Whether the status is one of success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A failure as a client gets to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// The status code.
    pub status: u16,
    /// What went wrong.
    pub message: String,
}

impl HttpError {
    /// A failure.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.status)
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for Response {
    fn from(error: HttpError) -> Self {
        let body = Json::object([("error", error.message.into())]);
        Self::json(error.status, &body)
    }
}

impl From<DecodeError> for HttpError {
    fn from(error: DecodeError) -> Self {
        Self::new(400, format!("invalid protobuf: {error}"))
    }
}

impl From<DomainError> for HttpError {
    fn from(error: DomainError) -> Self {
        let status = match error {
            DomainError::Invalid(_) => 422,
            DomainError::NoSuchChat(_) => 404,
            DomainError::TooManyChats => 507,
        };
        Self::new(status, error.to_string())
    }
}

/// Decodes `%41` and `+`; anything malformed stays as it is.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => {
                        bytes.push((high * 16 + low).to_le_bytes()[0]);
                        rest = after;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let request = Request::new(Method::Get, "/s?q=a%20b+c%2&n=5&x", Vec::new());
        assert_eq!(request.path(), "/s");
        assert_eq!(request.query("q").as_deref(), Some("a b c%2"));
        assert_eq!(request.query("x").as_deref(), Some(""));
        assert_eq!(request.query("y"), None);
        assert_eq!(request.query_or("n", 1_u8), Ok(5));
        assert_eq!(request.query_or("z", 1_u8), Ok(1));
        assert_eq!(request.query_or("q", 1_u8).unwrap_err().status, 400);
    }

    #[test]
    fn clients_get_the_format_that_they_ask_for() {
        let request = Request::new(Method::Post, "/", Vec::new());
        assert!(!request.wants_protobuf());
        let request = request.with_header("Content-Type", "application/x-protobuf; v=1");
        assert!(request.wants_protobuf());
        let request = request.with_header("ACCEPT", JSON);
        assert!(!request.wants_protobuf());
    }
}
