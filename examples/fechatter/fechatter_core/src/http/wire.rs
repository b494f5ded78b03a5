//! HTTP/1.1 as bytes, for server and client alike.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::message::{Headers, HttpError, Request, Response};

/// A connection whose reads and writes all together end by a deadline, however
/// slowly the other side trickles its bytes.
pub(super) struct Timed<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl<'a> Timed<'a> {
    pub(super) fn new(stream: &'a TcpStream, timeout: Duration) -> Self {
        Self {
            stream,
            deadline: Instant::now() + timeout,
        }
    }

    fn remaining(&self) -> io::Result<Option<Duration>> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(Some(remaining))
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.remaining()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.remaining()?)?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Why nothing could be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The connection failed, or ended too early.
    Io(io::Error),
    /// What came is not acceptable.
    Http(HttpError),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<HttpError> for ReadError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

fn bad<T>(message: &str) -> Result<T, ReadError> {
    Err(HttpError::new(400, message).into())
}

/// The first line of a message and its header fields.
pub(super) struct Head {
    pub(super) start: String,
    pub(super) headers: Headers,
}

impl Head {
    /// Reads up to the empty line; `None` if the connection ends before.
    pub(super) fn read(reader: impl BufRead, max_bytes: usize) -> Result<Option<Self>, ReadError> {
        let mut reader = reader.take(max_bytes as u64);
        let Some(start) = read_line(&mut reader)? else {
            return Ok(None);
        };
        let mut headers = Headers::default();
        loop {
            let Some(line) = read_line(&mut reader)? else {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            };
            if line.is_empty() {
                return Ok(Some(Self { start, headers }));
            }
            let Some((name, value)) = line.split_once(':') else {
                return bad("malformed header field");
            };
            if name.is_empty() || !name.bytes().all(is_token_byte) {
                return bad("malformed header name");
            }
            headers.push(name, value.trim());
        }
    }

    /// The length of the body; `None` without a `Content-Length`.
    pub(super) fn body_length(&self, max_bytes: usize) -> Result<Option<usize>, ReadError> {
        if self.headers.get("transfer-encoding").is_some() {
            return Err(HttpError::new(501, "transfer encodings are not supported").into());
        }
        let mut lengths = self.headers.all("content-length");
        let Some(length) = lengths.next() else {
            return Ok(None);
        };
        // Two lengths are how requests get smuggled past proxies.
        if lengths.next().is_some() {
            return bad("more than one Content-Length");
        }
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return bad("malformed Content-Length");
        }
        match length.parse() {
            Ok(length) if length <= max_bytes => Ok(Some(length)),
            _ => Err(HttpError::new(413, "the body is too large").into()),
        }
    }

    /// The request that this head begins; its body is left empty.
    pub(super) fn into_request(self) -> Result<Request, ReadError> {
        let mut parts = self.start.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return bad("malformed request line");
        };
        if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
            return Err(HttpError::new(505, "HTTP version not supported").into());
        }
        if !target.starts_with('/') {
            return bad("the request target is not a path");
        }
        let mut request = Request::new(method.parse()?, target, Vec::new());
        request.headers = self.headers;
        Ok(request)
    }

    /// The status code of the response that this head begins.
    pub(super) fn status(&self) -> Result<u16, ReadError> {
        let mut parts = self.start.splitn(3, ' ');
        match (parts.next(), parts.next().map(str::parse)) {
            (Some("HTTP/1.1" | "HTTP/1.0"), Some(Ok(status @ 100..=599))) => Ok(status),
            _ => bad("malformed status line"),
        }
    }
}

/// Reads a line without its end; `None` at the end of the stream.
fn read_line(reader: &mut io::Take<impl BufRead>) -> Result<Option<String>, ReadError> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return if reader.limit() == 0 {
            Err(HttpError::new(431, "the header is too large").into())
        } else if line.is_empty() {
            Ok(None)
        } else {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        };
    }
    line.pop();
    if line.ends_with(b"\r") {
        line.pop();
    }
    match String::from_utf8(line) {
        Ok(line) if !line.contains(|c: char| c.is_control() && c != '\t') => Ok(Some(line)),
        _ => bad("the header is not text"),
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads exactly `length` bytes.
pub(super) fn read_body(reader: impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    reader.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

/// Writes a message at once; the connection is good for one exchange.
pub(super) fn write_message(
    mut writer: impl Write,
    start: &str,
    headers: &Headers,
    body: &[u8],
) -> io::Result<()> {
    let mut bytes = format!("{start}\r\n").into_bytes();
    for (name, value) in headers.iter() {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    let length = body.len();
    write!(
        bytes,
        "Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    bytes.extend_from_slice(body);
    writer.write_all(&bytes)?;
    writer.flush()
}

/// Writes a response.
pub(super) fn write_response(writer: impl Write, response: &Response) -> io::Result<()> {
    let start = format!("HTTP/1.1 {} {}", response.status, reason(response.status));
    write_message(writer, &start, &response.headers, &response.body)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Head, ReadError> {
        Head::read(text.as_bytes(), 200).map(|head| head.expect("there is a head"))
    }

    fn status<T>(result: Result<T, ReadError>) -> u16 {
        match result {
            Err(ReadError::Http(error)) => error.status,
            Err(ReadError::Io(error)) => panic!("{error}"),
            Ok(_) => 0,
        }
    }

    #[test]
    fn requests_are_read() {
        let head = head("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").unwrap();
        assert_eq!(head.body_length(10).unwrap(), Some(3));
        let request = head.into_request().unwrap();
        assert_eq!(request.path(), "/a");
        assert_eq!(request.headers.get("HOST"), Some("x"));
    }

    #[test]
    fn bad_requests_are_refused() {
        let request = |text: &str| status(head(text).and_then(Head::into_request));
        assert_eq!(request("GET /\r\n\r\n"), 400);
        assert_eq!(request("GET / HTTP/2.0\r\n\r\n"), 505);
        assert_eq!(request("BREW / HTTP/1.1\r\n\r\n"), 501);
        assert_eq!(request("GET http://x/ HTTP/1.1\r\n\r\n"), 400);
        assert_eq!(request("GET / HTTP/1.1\r\nno colon\r\n\r\n"), 400);
        assert_eq!(request("GET / HTTP/1.1\r\nspace : x\r\n\r\n"), 400);
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(300));
        assert_eq!(request(&long), 431);
    }

    #[test]
    fn body_lengths_are_checked() {
        let length = |fields: &str| {
            let head = head(&format!("POST / HTTP/1.1\r\n{fields}\r\n")).unwrap();
            status(head.body_length(10))
        };
        assert_eq!(length("Content-Length: 11\r\n"), 413);
        assert_eq!(length("Content-Length: +1\r\n"), 400);
        assert_eq!(length("Content-Length: 1\r\nContent-Length: 2\r\n"), 400);
        assert_eq!(length("Transfer-Encoding: chunked\r\n"), 501);
        assert_eq!(length("Content-Length: 10\r\n"), 0);
    }

    #[test]
    fn an_early_end_is_not_a_message() {
        assert!(matches!(Head::read(&b""[..], 100), Ok(None)));
        let cut = Head::read(&b"GET / HTTP/1.1\r\nHost"[..], 100);
        assert!(matches!(cut, Err(ReadError::Io(_))));
        assert!(read_body(&b"ab"[..], 3).is_err());
    }
}
