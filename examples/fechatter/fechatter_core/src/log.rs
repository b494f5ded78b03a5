//! One line of `key=value` pairs on stderr for each log entry.

use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use std::sync::OnceLock;

use crate::json::quote;
use crate::time::now_ms;

/// What an entry says about its subject.
pub type Fields<'a> = &'a [(&'a str, &'a dyn Display)];

static SERVICE: OnceLock<String> = OnceLock::new();

/// Names the service in all further entries.
pub fn set_service(name: &str) {
    // The first name stays: a process is one service.
    let _ = SERVICE.set(name.to_owned());
}

/// Logs something expected.
pub fn info(message: &str, fields: Fields<'_>) {
    write("info", message, fields);
}

/// Logs something that may need attention.
pub fn warn(message: &str, fields: Fields<'_>) {
    write("warn", message, fields);
}

/// Logs a failure.
pub fn error(message: &str, fields: Fields<'_>) {
    write("error", message, fields);
}

fn write(level: &str, message: &str, fields: Fields<'_>) {
    let service = SERVICE.get().map_or("-", String::as_str);
    let line = format_line(now_ms(), level, service, message, fields);
    // Nothing sensible is left to do when stderr is gone.
    let _ = io::stderr().write_all(line.as_bytes());
}

fn format_line(ms: i64, level: &str, service: &str, message: &str, fields: Fields<'_>) -> String {
    let mut line = format!(
        "ts={}.{:03} level={level} service={service} msg={}",
        ms / 1000,
        ms % 1000,
        quote(message)
    );
    for (key, value) in fields {
        let value = value.to_string();
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
        // Writing to a string cannot fail.
        let _ = if !value.is_empty() && value.chars().all(plain) {
            write!(line, " {key}={value}")
        } else {
            write!(line, " {key}={}", quote(&value))
        };
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_on_its_line() {
        let fields: Fields<'_> = &[("addr", &"0.0.0.0:1"), ("error", &"a\n\"b\"")];
        assert_eq!(
            format_line(1_002, "info", "demo", "it works", fields),
            "ts=1.002 level=info service=demo msg=\"it works\" addr=0.0.0.0:1 error=\"a\\n\\\"b\\\"\"\n"
        );
    }
}
