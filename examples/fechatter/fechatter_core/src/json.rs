//! Just enough JSON.

use std::fmt::{self, Display, Write as _};

/// A JSON value; objects keep the order of their members.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction or exponent; wide enough for `i64` and `u64`.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Members by name.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object with the given members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        let own = |(name, value): (&str, Json)| (name.to_owned(), value);
        Self::Object(members.into_iter().map(own).collect())
    }

    /// The member `name` of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Self::Object(members) = self else {
            return None;
        };
        let found = members.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    }

    /// The contents of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a non-negative integer.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The elements of a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Parses a document.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let mut parser = Parser { text, position: 0 };
        let value = parser.value(0)?;
        parser.skip_space();
        if parser.position < text.len() {
            return parser.fail("unexpected text after the value");
        }
        Ok(value)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Int(value.into())
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(elements: I) -> Self {
        Self::Array(elements.into_iter().collect())
    }
}

impl FromIterator<(String, Json)> for Json {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        Self::Object(members.into_iter().collect())
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) if value.is_finite() => write!(f, "{value:?}"),
            // JSON has no way to write infinities and NaN.
            Self::Null | Self::Float(_) => f.write_str("null"),
            Self::String(text) => f.write_str(&quote(text)),
            Self::Array(elements) => {
                f.write_char('[')?;
                for (index, element) in elements.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "," };
                    write!(f, "{separator}{element}")?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "," };
                    write!(f, "{separator}{}:{value}", quote(name))?;
                }
                f.write_char('}')
            }
        }
    }
}

/// `text` as a JSON string literal.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Besides what JSON demands: characters that terminals or scripts
            // take for line ends.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Where and why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    position: usize,
    problem: &'static str,
}

impl Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid JSON at byte {}: {}",
            self.position, self.problem
        )
    }
}

impl std::error::Error for JsonError {}

/// Nesting beyond this is refused, to keep the parser's recursion bounded.
const MAX_DEPTH: usize = 32;

struct Parser<'a> {
    text: &'a str,
    /// Always at a character boundary.
    position: usize,
}

impl Parser<'_> {
    fn fail<T>(&self, problem: &'static str) -> Result<T, JsonError> {
        Err(JsonError {
            position: self.position,
            problem,
        })
    }

    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn skip_space(&mut self) {
        let space = |c| matches!(c, ' ' | '\t' | '\n' | '\r');
        self.position = self.text.len() - self.rest().trim_start_matches(space).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.position += token.len();
        }
        found
    }

    fn next_char(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.position += character.len_utf8();
        Some(character)
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > MAX_DEPTH {
            return self.fail("too deeply nested");
        }
        self.skip_space();
        if self.eat("null") {
            Ok(Json::Null)
        } else if self.eat("true") {
            Ok(Json::Bool(true))
        } else if self.eat("false") {
            Ok(Json::Bool(false))
        } else if self.eat("\"") {
            self.string().map(Json::String)
        } else if self.eat("[") {
            self.array(depth)
        } else if self.eat("{") {
            self.object(depth)
        } else {
            self.number()
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        let mut elements = Vec::new();
        self.skip_space();
        if self.eat("]") {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat("]") {
                return Ok(Json::Array(elements));
            }
            if !self.eat(",") {
                return self.fail("expected `,` or `]`");
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        let mut members = Vec::new();
        self.skip_space();
        if self.eat("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            if !self.eat("\"") {
                return self.fail("expected a member's name");
            }
            let name = self.string()?;
            self.skip_space();
            if !self.eat(":") {
                return self.fail("expected `:`");
            }
            members.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.eat("}") {
                return Ok(Json::Object(members));
            }
            if !self.eat(",") {
                return self.fail("expected `,` or `}`");
            }
        }
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self) -> Result<String, JsonError> {
        let mut text = String::new();
        loop {
            match self.next_char() {
                None => return self.fail("unterminated string"),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) if c < ' ' => return self.fail("control character in a string"),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        match self.next_char() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode_escape(),
            _ => self.fail("unknown escape"),
        }
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.eat("\\u") {
                    return self.fail("lone surrogate");
                }
                match self.hex4()? {
                    second @ 0xdc00..=0xdfff => {
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => return self.fail("lone surrogate"),
                }
            }
            other => other,
        };
        match char::from_u32(code) {
            Some(character) => Ok(character),
            None => self.fail("lone surrogate"),
        }
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            match self.next_char().and_then(|c| c.to_digit(16)) {
                Some(digit) => code = code << 4 | digit,
                None => return self.fail("expected four hexadecimal digits"),
            }
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let rest = self.rest();
        let literal = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        if !is_number(literal) {
            return self.fail("expected a value");
        }
        let number = if literal.contains(['.', 'e', 'E']) {
            literal.parse().ok().map(Json::Float)
        } else {
            literal.parse().ok().map(Json::Int)
        };
        let Some(number) = number else {
            return self.fail("number out of range");
        };
        self.position += literal.len();
        Ok(number)
    }
}

/// Whether `literal` follows JSON's grammar, which is stricter than Rust's.
fn is_number(literal: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = literal.strip_prefix('-').unwrap_or(literal);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let value = Json::object([
            ("text", "tab\t quote\" \u{1f600} \u{1}\u{2028}".into()),
            ("big", u64::MAX.into()),
            ("negative", i64::MIN.into()),
            ("ratio", 0.5.into()),
            ("list", [Json::Null, true.into()].into_iter().collect()),
            ("none", Json::Object(Vec::new())),
        ]);
        let text = value.to_string();
        assert!(text.is_ascii() || text.contains('\u{1f600}'));
        assert!(!text.chars().any(char::is_control));
        assert_eq!(Json::parse(&text), Ok(value));
    }

    #[test]
    fn escapes_are_understood() {
        assert_eq!(
            Json::parse(r#" "\u00e9\ud83d\ude00\/" "#),
            Ok(Json::String("é😀/".to_owned()))
        );
        assert!(Json::parse(r#""\ud83d""#).is_err());
        assert!(Json::parse(r#""\udc00""#).is_err());
    }

    #[test]
    fn invalid_documents_are_refused() {
        for text in [
            "", "{", "[1,]", "{\"a\"}", "01", "+1", "1.", ".5", "1e", "--1", "tru", "\"\n\"",
            "1 2", "NaN", "'a'",
        ] {
            assert!(Json::parse(text).is_err(), "{text:?}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn members_are_found_by_name() {
        let value = Json::parse(r#"{"a": [1, -2], "b": "x"}"#).unwrap();
        assert_eq!(value.get("b").and_then(Json::as_str), Some("x"));
        let list = value.get("a").and_then(Json::as_array).unwrap();
        assert_eq!(list[0].as_u64(), Some(1));
        assert_eq!(list[1].as_u64(), None);
        assert_eq!(value.get("c"), None);
    }
}
