//! The trait that generated messages implement, and what their code calls.

use crate::wire::{DecodeError, Reader, Value};

/// A protobuf message.
pub trait Message: Default {
    /// The message's name with its package, such as `fechatter.chat.Chat`.
    const FULL_NAME: &'static str;

    /// Appends the encoded message to `out`.
    fn encode_into(&self, out: &mut Vec<u8>);

    /// Takes over one field; unknown ones are ignored, as proto3 asks.
    fn merge_field(&mut self, number: u32, value: Value<'_>) -> Result<(), DecodeError>;

    /// Takes over every field in `bytes`.
    fn merge(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(bytes);
        while let Some((number, value)) = reader.field()? {
            self.merge_field(number, value)?;
        }
        Ok(())
    }

    /// The encoded message.
    #[must_use]
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Decodes a message.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut message = Self::default();
        message.merge(bytes)?;
        Ok(message)
    }
}

/// How a scalar is laid out on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Variable length, seven bits a byte.
    Varint,
    /// Eight bytes, little-endian.
    Fixed64,
}

impl Encoding {
    fn wire_type(self) -> u8 {
        match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
        }
    }
}

/// A type whose values fit into 64 bits: numbers, booleans and enums.
pub trait Scalar: Copy {
    /// The layout that the type's fields use.
    const ENCODING: Encoding = Encoding::Varint;

    /// The value as it is on the wire; the default value is all zeros.
    fn to_bits(self) -> u64;

    /// The inverse of [`Scalar::to_bits`].
    fn from_bits(bits: u64) -> Self;
}

impl Scalar for u64 {
    fn to_bits(self) -> u64 {
        self
    }
    fn from_bits(bits: u64) -> Self {
        bits
    }
}

impl Scalar for bool {
    fn to_bits(self) -> u64 {
        self.into()
    }
    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}

impl Scalar for f64 {
    const ENCODING: Encoding = Encoding::Fixed64;

    fn to_bits(self) -> u64 {
        self.to_bits()
    }
    fn from_bits(bits: u64) -> Self {
        Self::from_bits(bits)
    }
}

macro_rules! integer_scalar {
    ($($integer:ty),+) => {$(
        #[allow(
            clippy::cast_lossless,
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            clippy::cast_sign_loss,
            reason = "protobuf sign-extends to 64 bits, and truncates back"
        )]
        impl Scalar for $integer {
            fn to_bits(self) -> u64 {
                self as u64
            }
            fn from_bits(bits: u64) -> Self {
                bits as Self
            }
        }
    )+};
}

integer_scalar!(i32, i64, u32);

/// What generated `encode_into` functions call.
pub(crate) mod put {
    use super::{Encoding, Message, Scalar};

    const LENGTH_DELIMITED: u8 = 2;

    fn varint(out: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        out.push(value.to_le_bytes()[0]);
    }

    fn tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
        varint(out, u64::from(number) << 3 | u64::from(wire_type));
    }

    fn scalar_bits<T: Scalar>(out: &mut Vec<u8>, value: T) {
        match T::ENCODING {
            Encoding::Varint => varint(out, value.to_bits()),
            Encoding::Fixed64 => out.extend_from_slice(&value.to_bits().to_le_bytes()),
        }
    }

    fn delimited(out: &mut Vec<u8>, number: u32, contents: &[u8]) {
        tag(out, number, LENGTH_DELIMITED);
        varint(out, contents.len() as u64);
        out.extend_from_slice(contents);
    }

    pub(crate) fn scalar<T: Scalar>(out: &mut Vec<u8>, number: u32, value: T) {
        if value.to_bits() != 0 {
            tag(out, number, T::ENCODING.wire_type());
            scalar_bits(out, value);
        }
    }

    pub(crate) fn scalars<T: Scalar>(out: &mut Vec<u8>, number: u32, values: &[T]) {
        if !values.is_empty() {
            let mut packed = Vec::new();
            for value in values {
                scalar_bits(&mut packed, *value);
            }
            delimited(out, number, &packed);
        }
    }

    pub(crate) fn blob(out: &mut Vec<u8>, number: u32, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        if !value.is_empty() {
            delimited(out, number, value);
        }
    }

    pub(crate) fn blobs<T: AsRef<[u8]>>(out: &mut Vec<u8>, number: u32, values: &[T]) {
        for value in values {
            delimited(out, number, value.as_ref());
        }
    }

    pub(crate) fn messages<'a, M: Message + 'a>(
        out: &mut Vec<u8>,
        number: u32,
        values: impl IntoIterator<Item = &'a M>,
    ) {
        for value in values {
            delimited(out, number, &value.encode());
        }
    }
}

/// What generated `merge_field` functions call.
pub(crate) mod get {
    use super::{DecodeError, Encoding, Message, Reader, Scalar, Value};

    pub(crate) fn scalar<T: Scalar>(value: Value<'_>) -> Result<T, DecodeError> {
        let bits = match T::ENCODING {
            Encoding::Varint => value.varint()?,
            Encoding::Fixed64 => value.fixed64()?,
        };
        Ok(T::from_bits(bits))
    }

    /// Accepts packed and plain lists alike, as every proto3 parser must.
    pub(crate) fn scalars<T: Scalar>(
        into: &mut Vec<T>,
        value: Value<'_>,
    ) -> Result<(), DecodeError> {
        let Value::Bytes(packed) = value else {
            into.push(scalar(value)?);
            return Ok(());
        };
        let mut reader = Reader::new(packed);
        while !reader.is_empty() {
            into.push(T::from_bits(match T::ENCODING {
                Encoding::Varint => reader.varint()?,
                Encoding::Fixed64 => reader.fixed64()?,
            }));
        }
        Ok(())
    }

    pub(crate) fn string(value: Value<'_>) -> Result<String, DecodeError> {
        value.string().map(str::to_owned)
    }

    pub(crate) fn bytes(value: Value<'_>) -> Result<Vec<u8>, DecodeError> {
        value.bytes().map(<[u8]>::to_vec)
    }

    /// A repeated occurrence of a singular message merges into the first.
    pub(crate) fn message<M: Message>(
        into: &mut Option<M>,
        value: Value<'_>,
    ) -> Result<(), DecodeError> {
        into.get_or_insert_with(M::default).merge(value.bytes()?)
    }

    /// One message of a list.
    pub(crate) fn element<M: Message>(value: Value<'_>) -> Result<M, DecodeError> {
        M::decode(value.bytes()?)
    }
}
