//! Reading the protobuf wire format.
//!
//! The build script includes this file too: it decodes protoc's descriptor set
//! with the reader that decodes messages at run time.

use std::fmt;

/// Why bytes are not a valid message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends inside a field.
    Truncated,
    /// A varint is longer than 64 bits allow.
    VarintOverflow,
    /// A field number is zero or too large.
    InvalidFieldNumber,
    /// Groups and reserved wire types are not supported.
    UnsupportedWireType(u8),
    /// A known field has another wire type than its declaration asks for.
    UnexpectedWireType,
    /// A string field is not UTF-8.
    InvalidUtf8,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("message ends inside a field"),
            Self::VarintOverflow => f.write_str("varint exceeds 64 bits"),
            Self::InvalidFieldNumber => f.write_str("invalid field number"),
            Self::UnsupportedWireType(wire_type) => {
                write!(f, "unsupported wire type {wire_type}")
            }
            Self::UnexpectedWireType => f.write_str("field has an unexpected wire type"),
            Self::InvalidUtf8 => f.write_str("string field is not UTF-8"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A field's value as it is on the wire, before its declared type is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Integers, booleans and enums.
    Varint(u64),
    /// Doubles, among others.
    Fixed64(u64),
    /// Strings, bytes, messages and packed lists.
    Bytes(&'a [u8]),
    /// Understood only so that unknown fields can be skipped.
    Fixed32(u32),
}

impl<'a> Value<'a> {
    /// The value of a varint field.
    pub fn varint(self) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(DecodeError::UnexpectedWireType),
        }
    }

    /// The value of a 64-bit field.
    pub fn fixed64(self) -> Result<u64, DecodeError> {
        match self {
            Self::Fixed64(value) => Ok(value),
            _ => Err(DecodeError::UnexpectedWireType),
        }
    }

    /// The contents of a length-delimited field.
    pub fn bytes(self) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(value) => Ok(value),
            _ => Err(DecodeError::UnexpectedWireType),
        }
    }

    /// The contents of a string field.
    pub fn string(self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DecodeError::InvalidUtf8)
    }
}

/// The largest field number that protobuf permits.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

/// A cursor over encoded bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads the next field with its number; `None` at the end.
    pub fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, DecodeError> {
        if self.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = match tag >> 3 {
            number @ 1..=MAX_FIELD_NUMBER => {
                u32::try_from(number).map_err(|_| DecodeError::InvalidFieldNumber)?
            }
            _ => return Err(DecodeError::InvalidFieldNumber),
        };
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed64()?),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            other => return Err(DecodeError::UnsupportedWireType(other.to_le_bytes()[0])),
        };
        Ok(Some((number, value)))
    }

    /// Reads a base-128 varint.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for a single bit.
            if shift == 63 && bits > 1 {
                return Err(DecodeError::VarintOverflow);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintOverflow)
    }

    /// Reads eight little-endian bytes.
    pub fn fixed64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_varints_up_to_64_bits() {
        assert_eq!(Reader::new(&[0xac, 0x02]).varint(), Ok(300));
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Reader::new(&max).varint(), Ok(u64::MAX));
    }

    #[test]
    fn refuses_varints_beyond_64_bits() {
        let mut bytes = [0xff; 11];
        bytes[10] = 0;
        let result = Reader::new(&bytes).varint();
        assert_eq!(result, Err(DecodeError::VarintOverflow));
        bytes[9] = 0x02;
        let result = Reader::new(&bytes).varint();
        assert_eq!(result, Err(DecodeError::VarintOverflow));
    }

    #[test]
    fn refuses_a_length_beyond_the_input() {
        let result = Reader::new(&[0x0a, 0x05, b'a']).field();
        assert_eq!(result, Err(DecodeError::Truncated));
    }

    #[test]
    fn refuses_field_number_zero_and_groups() {
        let zero = Reader::new(&[0x02, 0x00]).field();
        assert_eq!(zero, Err(DecodeError::InvalidFieldNumber));
        let group = Reader::new(&[0x0b]).field();
        assert_eq!(group, Err(DecodeError::UnsupportedWireType(3)));
    }
}
