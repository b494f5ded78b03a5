//! The part of `google/protobuf/descriptor.proto` that code generation needs.
//!
//! The numbers in the `match` arms are that file's field numbers.

use std::collections::HashMap;

use crate::wire::{DecodeError, Reader, Value};

type Result<T> = std::result::Result<T, DecodeError>;

/// What protoc makes of all files together; imported files come first.
#[derive(Debug, Default)]
pub(crate) struct FileSet {
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) package: String,
    pub(crate) syntax: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) has_services: bool,
    pub(crate) has_extensions: bool,
    pub(crate) comments: Comments,
}

#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
    /// protoc represents a `map` field by a hidden message of this kind.
    pub(crate) is_map_entry: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) label: u64,
    pub(crate) kind: u64,
    /// Full name of the message or enum, with a leading dot.
    pub(crate) type_name: String,
    pub(crate) in_oneof: bool,
    pub(crate) is_optional: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) values: Vec<EnumValue>,
}

#[derive(Debug, Default)]
pub(crate) struct EnumValue {
    pub(crate) name: String,
    pub(crate) number: i32,
}

/// Leading comments by the path of what they describe.
///
/// A path alternates between field numbers of the descriptors and positions in
/// the lists there: `[4, 0, 2, 1]` is the first message's second field.
#[derive(Debug, Default)]
pub(crate) struct Comments(HashMap<Vec<u64>, String>);

impl Comments {
    pub(crate) fn at(&self, path: &[u64]) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

/// Something that is decoded field by field.
trait Descriptor: Default {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()>;
}

fn decode<T: Descriptor>(bytes: &[u8]) -> Result<T> {
    let mut target = T::default();
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        target.merge(number, value)?;
    }
    Ok(target)
}

fn nested<T: Descriptor>(value: Value<'_>) -> Result<T> {
    decode(value.bytes()?)
}

fn string(value: Value<'_>) -> Result<String> {
    value.string().map(str::to_owned)
}

impl FileSet {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes)
    }
}

impl Descriptor for FileSet {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        if number == 1 {
            self.files.push(nested(value)?);
        }
        Ok(())
    }
}

impl Descriptor for File {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        match number {
            1 => self.name = string(value)?,
            2 => self.package = string(value)?,
            4 => self.messages.push(nested(value)?),
            5 => self.enums.push(nested(value)?),
            6 => self.has_services = true,
            7 => self.has_extensions = true,
            9 => self.comments = nested(value)?,
            12 => self.syntax = string(value)?,
            _ => {}
        }
        Ok(())
    }
}

impl Descriptor for Message {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        match number {
            1 => self.name = string(value)?,
            2 => self.fields.push(nested(value)?),
            3 => self.messages.push(nested(value)?),
            4 => self.enums.push(nested(value)?),
            7 => self.is_map_entry = nested::<MessageOptions>(value)?.map_entry,
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct MessageOptions {
    map_entry: bool,
}

impl Descriptor for MessageOptions {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        if number == 7 {
            self.map_entry = value.varint()? != 0;
        }
        Ok(())
    }
}

impl Descriptor for Field {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        match number {
            1 => self.name = string(value)?,
            3 => {
                self.number =
                    u32::try_from(value.varint()?).map_err(|_| DecodeError::InvalidFieldNumber)?;
            }
            4 => self.label = value.varint()?,
            5 => self.kind = value.varint()?,
            6 => self.type_name = string(value)?,
            9 => self.in_oneof = true,
            17 => self.is_optional = value.varint()? != 0,
            _ => {}
        }
        Ok(())
    }
}

impl Descriptor for Enum {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        match number {
            1 => self.name = string(value)?,
            2 => self.values.push(nested(value)?),
            _ => {}
        }
        Ok(())
    }
}

impl Descriptor for EnumValue {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "negative numbers are sign-extended to 64 bits on the wire"
    )]
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        match number {
            1 => self.name = string(value)?,
            2 => self.number = value.varint()? as i32,
            _ => {}
        }
        Ok(())
    }
}

impl Descriptor for Comments {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        if number == 1 {
            let location: Location = nested(value)?;
            if let Some(comment) = location.leading_comment {
                self.0.insert(location.path, comment);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Location {
    path: Vec<u64>,
    leading_comment: Option<String>,
}

impl Descriptor for Location {
    fn merge(&mut self, number: u32, value: Value<'_>) -> Result<()> {
        match number {
            1 => {
                let mut packed = Reader::new(value.bytes()?);
                while !packed.is_empty() {
                    self.path.push(packed.varint()?);
                }
            }
            3 => self.leading_comment = Some(string(value)?),
            _ => {}
        }
        Ok(())
    }
}
