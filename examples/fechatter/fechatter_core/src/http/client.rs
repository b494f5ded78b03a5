//! The client.

use std::fmt::{self, Display};
use std::io::{self, BufReader, Read};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use super::message::{Request, Response};
use super::wire::{self, Head, ReadError, Timed};

/// Where a server can be reached: `http://host:port`, or just `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(String);

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let authority = text.strip_prefix("http://").unwrap_or(text);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let valid = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if !authority.chars().all(valid) {
            return Err("expected http://HOST:PORT without a path");
        }
        match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Self(authority.to_owned()))
            }
            _ => Err("expected http://HOST:PORT"),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(addr: SocketAddr) -> Self {
        Self(addr.to_string())
    }
}

impl Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

/// Why there is no response.
#[derive(Debug)]
pub struct ClientError {
    endpoint: Endpoint,
    problem: String,
}

impl Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.problem)
    }
}

impl std::error::Error for ClientError {}

/// Sends requests, each on a connection of its own.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    timeout: Duration,
    max_body_bytes: usize,
}

impl Default for Client {
    fn default() -> Self {
        Self::with_timeout(Duration::from_secs(5))
    }
}

impl Client {
    const MAX_HEAD_BYTES: usize = 16 * 1024;

    /// A client that gives up on connecting, and on the exchange that follows,
    /// after `timeout` each.
    #[must_use]
    pub fn with_timeout(timeout: Duration) -> Self {
        Self {
            timeout,
            max_body_bytes: 8 * 1024 * 1024,
        }
    }

    /// Sends a request and waits for the response.
    pub fn send(&self, endpoint: &Endpoint, request: &Request) -> Result<Response, ClientError> {
        let failed = |problem: String| ClientError {
            endpoint: endpoint.clone(),
            problem,
        };
        let stream = self
            .connect(endpoint)
            .map_err(|error| failed(error.to_string()))?;
        self.exchange(&stream, endpoint, request)
            .map_err(|error| match error {
                ReadError::Io(error) => failed(error.to_string()),
                ReadError::Http(error) => failed(error.message),
            })
    }

    fn connect(&self, endpoint: &Endpoint) -> io::Result<TcpStream> {
        let mut last_error = io::Error::other("the host has no address");
        for addr in endpoint.0.to_socket_addrs()? {
            match TcpStream::connect_timeout(&addr, self.timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    fn exchange(
        &self,
        stream: &TcpStream,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<Response, ReadError> {
        let start = format!(
            "{} {} HTTP/1.1\r\nHost: {}",
            request.method, request.target, endpoint.0
        );
        wire::write_message(
            Timed::new(stream, self.timeout),
            &start,
            &request.headers,
            &request.body,
        )?;

        let mut reader = BufReader::new(Timed::new(stream, self.timeout));
        let head = Head::read(&mut reader, Self::MAX_HEAD_BYTES)?
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let status = head.status()?;
        let body = if let Some(length) = head.body_length(self.max_body_bytes)? {
            wire::read_body(reader, length)?
        } else {
            let mut body = Vec::new();
            let mut reader = reader.take(self.max_body_bytes as u64);
            reader.read_to_end(&mut body)?;
            if reader.limit() == 0 {
                return Err(io::Error::other("the response is too large").into());
            }
            body
        };
        Ok(Response {
            status,
            headers: head.headers,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_need_a_host_and_a_port() {
        let parse = |text: &str| text.parse::<Endpoint>().map(|e| e.to_string());
        assert_eq!(parse("http://chat:80/"), Ok("http://chat:80".to_owned()));
        assert_eq!(parse("[::1]:80"), Ok("http://[::1]:80".to_owned()));
        for text in ["chat", ":80", "chat:http", "https://chat:1", "a:1/b", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
