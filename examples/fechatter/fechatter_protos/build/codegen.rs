//! Turning descriptors into Rust.
//!
//! Supported is the part of proto3 that the crate uses: messages, enums,
//! strings, bytes, booleans, varint integers, doubles, and lists of those. Any
//! other feature is an error, so that nothing gets lost on the wire unnoticed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::descriptor::{Comments, Enum, Field, File, FileSet, Message};

/// Why no code can be generated, and for which declaration.
#[derive(Debug)]
pub(crate) struct CodegenError {
    subject: String,
    problem: String,
}

impl fmt::Display for CodegenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)
    }
}

impl std::error::Error for CodegenError {}

type Result<T> = std::result::Result<T, CodegenError>;

fn error<T>(subject: &str, problem: impl Into<String>) -> Result<T> {
    Err(CodegenError {
        subject: subject.trim_start_matches('.').to_owned(),
        problem: problem.into(),
    })
}

/// Generates a module for each package in `set`.
pub(crate) fn generate(set: &FileSet) -> Result<String> {
    let types = Types::collect(set)?;
    let mut packages: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in &set.files {
        packages.entry(module_of(file)?).or_default().push(file);
    }

    let mut out = Writer::default();
    out.line("// Generated from proto/*.proto; edit those instead.");
    for (module, files) in packages {
        if let Some(other) = files.iter().find(|file| file.package != files[0].package) {
            return error(
                &other.name,
                format!(
                    "packages `{}` and `{}` would both become module `{module}`",
                    files[0].package, other.package
                ),
            );
        }
        write_package(&mut out, &types, module, &files)?;
    }
    Ok(out.0)
}

/// The module for a file: the last part of its package's name.
fn module_of(file: &File) -> Result<&str> {
    if file.syntax != "proto3" {
        return error(&file.name, "only `syntax = \"proto3\"` is supported");
    }
    if file.has_services {
        return error(&file.name, "services are not supported");
    }
    if file.has_extensions {
        return error(&file.name, "extensions are not supported");
    }
    match file.package.rsplit('.').next() {
        Some("") | None => error(&file.name, "a package is required"),
        Some(module) => Ok(module),
    }
}

/// Where a protobuf type ends up.
#[derive(Debug)]
struct RustType {
    module: String,
    name: String,
}

/// Every declared type by its full name, as field descriptors spell it.
#[derive(Debug, Default)]
struct Types(HashMap<String, RustType>);

impl Types {
    fn collect(set: &FileSet) -> Result<Self> {
        let mut types = Self::default();
        let mut contents = HashMap::new();
        for file in &set.files {
            let module = module_of(file)?;
            let scope = format!(".{}", file.package);
            types.add_enums(module, &scope, "", &file.enums)?;
            types.add_messages(module, &scope, "", &file.messages, &mut contents)?;
        }
        refuse_recursion(&contents)?;
        Ok(types)
    }

    fn add_messages<'a>(
        &mut self,
        module: &str,
        scope: &str,
        prefix: &str,
        messages: &'a [Message],
        contents: &mut HashMap<String, Vec<&'a str>>,
    ) -> Result<()> {
        for message in messages {
            let full_name = format!("{scope}.{}", message.name);
            let rust_name = format!("{prefix}{}", message.name);
            self.add_enums(module, &full_name, &rust_name, &message.enums)?;
            self.add_messages(module, &full_name, &rust_name, &message.messages, contents)?;
            let fields = message.fields.iter();
            contents.insert(
                full_name.clone(),
                fields.map(|field| field.type_name.as_str()).collect(),
            );
            self.add(module, full_name, rust_name)?;
        }
        Ok(())
    }

    fn add_enums(&mut self, module: &str, scope: &str, prefix: &str, enums: &[Enum]) -> Result<()> {
        for declared in enums {
            let full_name = format!("{scope}.{}", declared.name);
            self.add(module, full_name, format!("{prefix}{}", declared.name))?;
        }
        Ok(())
    }

    fn add(&mut self, module: &str, full_name: String, name: String) -> Result<()> {
        // The generated code relies on these names of the prelude.
        const PRELUDE: [&str; 8] = [
            "Clone", "Copy", "Default", "Ok", "Option", "Self", "String", "Vec",
        ];
        if PRELUDE.contains(&name.as_str()) {
            return error(&full_name, "the name is taken by Rust's prelude");
        }
        let taken = |other: &RustType| other.module == module && other.name == name;
        if self.0.values().any(taken) {
            return error(&full_name, format!("`{module}::{name}` exists already"));
        }
        let module = module.to_owned();
        self.0.insert(full_name, RustType { module, name });
        Ok(())
    }

    /// The path of a type as seen from `module`.
    fn path(&self, full_name: &str, module: &str) -> Result<String> {
        match self.0.get(full_name) {
            Some(found) if found.module == module => Ok(found.name.clone()),
            Some(found) => Ok(format!("super::{}::{}", found.module, found.name)),
            None => error(full_name, "the type is not declared"),
        }
    }
}

/// A message that contains itself would need boxes to have a size, and a limit
/// on depth to be safe to decode.
fn refuse_recursion(contents: &HashMap<String, Vec<&str>>) -> Result<()> {
    let mut names: Vec<&str> = contents.keys().map(String::as_str).collect();
    names.sort_unstable();
    for name in names {
        let mut seen = Vec::new();
        let mut pending = contents[name].clone();
        while let Some(next) = pending.pop() {
            if next == name {
                return error(name, "recursive messages are not supported");
            }
            if !seen.contains(&next) {
                seen.push(next);
                pending.extend(contents.get(next).into_iter().flatten());
            }
        }
    }
    Ok(())
}

/// Lines of source text.
#[derive(Default)]
struct Writer(String);

impl Writer {
    fn line(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }

    /// A doc comment: the `.proto` file's own, or else `fallback`.
    fn docs(&mut self, indent: &str, comment: Option<&str>, fallback: &str) {
        for line in comment.unwrap_or(fallback).trim_end().lines() {
            let line = line.trim();
            let space = if line.is_empty() { "" } else { " " };
            self.line(format!("{indent}///{space}{line}"));
        }
    }
}

/// Field numbers that lead through descriptors to their comments.
mod path {
    pub(super) const FILE_PACKAGE: u64 = 2;
    pub(super) const FILE_MESSAGE: u64 = 4;
    pub(super) const FILE_ENUM: u64 = 5;
    pub(super) const MESSAGE_FIELD: u64 = 2;
    pub(super) const MESSAGE_MESSAGE: u64 = 3;
    pub(super) const MESSAGE_ENUM: u64 = 4;
    pub(super) const ENUM_VALUE: u64 = 2;
}

fn write_package(out: &mut Writer, types: &Types, module: &str, files: &[&File]) -> Result<()> {
    let comment = files
        .iter()
        .find_map(|file| file.comments.at(&[path::FILE_PACKAGE]));
    out.line("");
    out.docs("", comment, &format!("Package `{}`.", files[0].package));
    out.line(format!("pub mod {module} {{"));
    out.line("    use crate::message::{get, put};");
    for file in files {
        let mut scope = Scope {
            out: &mut *out,
            types,
            comments: &file.comments,
            module,
        };
        let package = format!(".{}", file.package);
        for (index, declared) in (0..).zip(&file.enums) {
            scope.write_enum(&package, declared, &[path::FILE_ENUM, index])?;
        }
        for (index, message) in (0..).zip(&file.messages) {
            scope.write_message(&package, message, &[path::FILE_MESSAGE, index])?;
        }
    }
    out.line("}");
    Ok(())
}

/// What the declarations of one file share.
struct Scope<'a> {
    out: &'a mut Writer,
    types: &'a Types,
    comments: &'a Comments,
    module: &'a str,
}

impl Scope<'_> {
    fn write_enum(&mut self, parent: &str, declared: &Enum, path: &[u64]) -> Result<()> {
        let full_name = format!("{parent}.{}", declared.name);
        let proto_name = &full_name[1..];
        let name = self.types.path(&full_name, self.module)?;
        let variants = variants(proto_name, declared)?;

        let out = &mut *self.out;
        out.line("");
        let fallback = format!("Enum `{proto_name}`.");
        out.docs("    ", self.comments.at(path), &fallback);
        out.line("    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]");
        out.line(format!("    pub enum {name} {{"));
        for (index, (variant, number)) in (0..).zip(&variants) {
            let path = [path, &[path::ENUM_VALUE, index]].concat();
            let fallback = format!("Number {number}.");
            out.docs("        ", self.comments.at(&path), &fallback);
            if index == 0 {
                out.line("        #[default]");
            }
            out.line(format!("        {variant},"));
        }
        out.line("        /// A number that this build has no name for.");
        out.line("        Unrecognized(i32),");
        out.line("    }");

        out.line("");
        out.line(format!("    impl {name} {{"));
        out.line("        /// The number that stands for the value on the wire.");
        out.line("        #[must_use]");
        out.line("        pub const fn number(self) -> i32 {");
        out.line("            match self {");
        for (variant, number) in &variants {
            out.line(format!("                Self::{variant} => {number},"));
        }
        out.line("                Self::Unrecognized(number) => number,");
        out.line("            }");
        out.line("        }");
        out.line("");
        out.line("        /// The value that `number` stands for.");
        out.line("        #[must_use]");
        out.line("        pub const fn from_number(number: i32) -> Self {");
        out.line("            match number {");
        for (variant, number) in &variants {
            out.line(format!("                {number} => Self::{variant},"));
        }
        out.line("                number => Self::Unrecognized(number),");
        out.line("            }");
        out.line("        }");
        out.line("    }");

        out.line("");
        out.line(format!("    impl crate::Scalar for {name} {{"));
        out.line("        fn to_bits(self) -> u64 {");
        out.line("            crate::Scalar::to_bits(self.number())");
        out.line("        }");
        out.line("");
        out.line("        fn from_bits(bits: u64) -> Self {");
        out.line("            Self::from_number(crate::Scalar::from_bits(bits))");
        out.line("        }");
        out.line("    }");
        Ok(())
    }

    fn write_message(&mut self, parent: &str, message: &Message, path: &[u64]) -> Result<()> {
        let full_name = format!("{parent}.{}", message.name);
        let proto_name = &full_name[1..];
        let name = self.types.path(&full_name, self.module)?;
        if message.is_map_entry {
            return error(parent, "map fields are not supported");
        }

        for (index, declared) in (0..).zip(&message.enums) {
            let path = [path, &[path::MESSAGE_ENUM, index]].concat();
            self.write_enum(&full_name, declared, &path)?;
        }
        for (index, nested) in (0..).zip(&message.messages) {
            let path = [path, &[path::MESSAGE_MESSAGE, index]].concat();
            self.write_message(&full_name, nested, &path)?;
        }

        let mut members = Vec::new();
        for field in &message.fields {
            members.push(Member::new(proto_name, field, self.types, self.module)?);
        }

        let out = &mut *self.out;
        out.line("");
        let fallback = format!("Message `{proto_name}`.");
        out.docs("    ", self.comments.at(path), &fallback);
        out.line("    #[derive(Clone, Debug, Default, PartialEq)]");
        out.line(format!("    pub struct {name} {{"));
        for (index, member) in (0..).zip(&members) {
            let path = [path, &[path::MESSAGE_FIELD, index]].concat();
            let fallback = format!("Field {}.", member.number);
            out.docs("        ", self.comments.at(&path), &fallback);
            let Member {
                name, rust_type, ..
            } = member;
            out.line(format!("        pub {name}: {rust_type},"));
        }
        out.line("    }");

        members.sort_by_key(|member| member.number);
        out.line("");
        out.line(format!("    impl crate::Message for {name} {{"));
        out.line(format!(
            "        const FULL_NAME: &'static str = \"{proto_name}\";"
        ));
        out.line("");
        out.line("        fn encode_into(&self, out: &mut Vec<u8>) {");
        for member in &members {
            out.line(format!("            {};", member.encoder));
        }
        out.line("        }");
        out.line("");
        out.line("        fn merge_field(");
        out.line("            &mut self,");
        out.line("            number: u32,");
        out.line("            value: crate::Value<'_>,");
        out.line("        ) -> Result<(), crate::DecodeError> {");
        out.line("            match number {");
        for Member {
            number, decoder, ..
        } in &members
        {
            out.line(format!("                {number} => {decoder},"));
        }
        out.line("                _ => {}");
        out.line("            }");
        out.line("            Ok(())");
        out.line("        }");
        out.line("    }");
        Ok(())
    }
}

/// The variants of an enum with their numbers, in order of declaration.
fn variants(proto_name: &str, declared: &Enum) -> Result<Vec<(String, i32)>> {
    let mut variants: Vec<(String, i32)> = Vec::new();
    for value in &declared.values {
        let name = variant_name(&declared.name, &value.name);
        if !name.starts_with(|first: char| first.is_ascii_uppercase()) || name == "Self" {
            return error(
                proto_name,
                format!("value `{}` does not make a Rust identifier", value.name),
            );
        }
        if name == "Unrecognized" {
            return error(proto_name, "`Unrecognized` is reserved for unknown numbers");
        }
        if variants.iter().any(|(_, number)| *number == value.number) {
            return error(proto_name, "aliases (allow_alias) are not supported");
        }
        if variants.iter().any(|(other, _)| *other == name) {
            return error(proto_name, format!("two values would be named `{name}`"));
        }
        variants.push((name, value.number));
    }
    Ok(variants)
}

/// `USER_KIND_BOT` of `UserKind` becomes `Bot`.
fn variant_name(enum_name: &str, value_name: &str) -> String {
    let mut prefix = String::new();
    for character in enum_name.chars() {
        if character.is_ascii_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.push(character.to_ascii_uppercase());
    }
    prefix.push('_');

    let stem = value_name.strip_prefix(&prefix).unwrap_or(value_name);
    let mut name = String::new();
    for word in stem.split('_') {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(characters.map(|other| other.to_ascii_lowercase()));
    }
    name
}

/// A field as the generated code sees it.
struct Member {
    name: String,
    number: u32,
    rust_type: String,
    encoder: String,
    decoder: String,
}

impl Member {
    fn new(message: &str, field: &Field, types: &Types, module: &str) -> Result<Self> {
        const REPEATED: u64 = 3;

        let subject = format!("{message}.{}", field.name);
        if field.is_optional {
            return error(&subject, "`optional` fields are not supported");
        }
        if field.in_oneof {
            return error(&subject, "oneofs are not supported");
        }

        let kind = Kind::of(&subject, field, types, module)?;
        let name = identifier(&field.name);
        let number = field.number;
        let repeated = field.label == REPEATED;
        let rust_type = kind.rust_type(repeated);
        let (encoder, decoder) = match (&kind, repeated) {
            (Kind::Scalar(_), false) => (
                format!("put::scalar(out, {number}, self.{name})"),
                format!("self.{name} = get::scalar(value)?"),
            ),
            (Kind::Scalar(_), true) => (
                format!("put::scalars(out, {number}, &self.{name})"),
                format!("get::scalars(&mut self.{name}, value)?"),
            ),
            (Kind::String | Kind::Bytes, false) => (
                format!("put::blob(out, {number}, &self.{name})"),
                format!("self.{name} = get::{}(value)?", kind.getter()),
            ),
            (Kind::String | Kind::Bytes, true) => (
                format!("put::blobs(out, {number}, &self.{name})"),
                format!("self.{name}.push(get::{}(value)?)", kind.getter()),
            ),
            (Kind::Message(_), false) => (
                format!("put::messages(out, {number}, &self.{name})"),
                format!("get::message(&mut self.{name}, value)?"),
            ),
            (Kind::Message(_), true) => (
                format!("put::messages(out, {number}, &self.{name})"),
                format!("self.{name}.push(get::element(value)?)"),
            ),
        };
        Ok(Self {
            name,
            number,
            rust_type,
            encoder,
            decoder,
        })
    }
}

/// How a field is represented, apart from being repeated.
enum Kind {
    Scalar(String),
    String,
    Bytes,
    Message(String),
}

impl Kind {
    fn of(subject: &str, field: &Field, types: &Types, module: &str) -> Result<Self> {
        let scalar = |name: &str| Ok(Self::Scalar(name.to_owned()));
        let unsupported = |name| error(subject, format!("type `{name}` is not supported"));
        // The numbers of FieldDescriptorProto.Type.
        match field.kind {
            1 => scalar("f64"),
            2 => unsupported("float"),
            3 => scalar("i64"),
            4 => scalar("u64"),
            5 => scalar("i32"),
            6 => unsupported("fixed64"),
            7 => unsupported("fixed32"),
            8 => scalar("bool"),
            9 => Ok(Self::String),
            10 => unsupported("group"),
            11 => types.path(&field.type_name, module).map(Self::Message),
            12 => Ok(Self::Bytes),
            13 => scalar("u32"),
            14 => types.path(&field.type_name, module).map(Self::Scalar),
            15 => unsupported("sfixed32"),
            16 => unsupported("sfixed64"),
            17 => unsupported("sint32"),
            18 => unsupported("sint64"),
            other => error(subject, format!("type number {other} is unknown")),
        }
    }

    fn rust_type(&self, repeated: bool) -> String {
        match (self, repeated) {
            (Self::Scalar(name), false) => name.clone(),
            (Self::String, false) => "String".to_owned(),
            (Self::Bytes, false) => "Vec<u8>".to_owned(),
            (Self::Message(name), false) => format!("Option<{name}>"),
            (Self::Scalar(name) | Self::Message(name), true) => format!("Vec<{name}>"),
            (Self::String, true) => "Vec<String>".to_owned(),
            (Self::Bytes, true) => "Vec<Vec<u8>>".to_owned(),
        }
    }

    fn getter(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Message(_) => "message",
        }
    }
}

/// A field's name as a Rust identifier.
fn identifier(name: &str) -> String {
    const KEYWORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in",
        "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
        "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe",
        "unsized", "use", "virtual", "where", "while", "yield",
    ];
    match name {
        // These cannot be written as raw identifiers.
        "self" | "super" | "crate" | "Self" | "_" => format!("{name}_"),
        _ if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::EnumValue;

    fn field(name: &str, kind: u64) -> Field {
        Field {
            name: name.to_owned(),
            number: 1,
            label: 1,
            kind,
            ..Field::default()
        }
    }

    fn set(message: Message) -> FileSet {
        FileSet {
            files: vec![File {
                name: "test.proto".to_owned(),
                package: "demo.test".to_owned(),
                syntax: "proto3".to_owned(),
                messages: vec![message],
                ..File::default()
            }],
        }
    }

    fn with_field(field: Field) -> FileSet {
        set(Message {
            name: "Sample".to_owned(),
            fields: vec![field],
            ..Message::default()
        })
    }

    fn problem(set: &FileSet) -> String {
        generate(set).expect_err("must be refused").to_string()
    }

    #[test]
    fn names_variants_after_their_values() {
        assert_eq!(variant_name("UserKind", "USER_KIND_BOT"), "Bot");
        assert_eq!(variant_name("Kind", "KIND_MESSAGES_READ"), "MessagesRead");
        assert_eq!(variant_name("Kind", "OTHER"), "Other");
    }

    #[test]
    fn escapes_keywords() {
        let code = generate(&with_field(field("type", 9))).unwrap();
        assert!(code.contains("pub r#type: String,"), "{code}");
    }

    #[test]
    fn refuses_unsupported_types_by_name() {
        assert_eq!(
            problem(&with_field(field("delta", 17))),
            "demo.test.Sample.delta: type `sint32` is not supported"
        );
    }

    #[test]
    fn refuses_presence_tracking_and_oneofs() {
        let optional = Field {
            is_optional: true,
            in_oneof: true,
            ..field("nick", 9)
        };
        assert!(problem(&with_field(optional)).contains("`optional`"));
        let oneof = Field {
            in_oneof: true,
            ..field("nick", 9)
        };
        assert!(problem(&with_field(oneof)).contains("oneofs"));
    }

    #[test]
    fn refuses_maps() {
        let entry = Message {
            name: "LabelsEntry".to_owned(),
            is_map_entry: true,
            ..Message::default()
        };
        let set = set(Message {
            name: "Sample".to_owned(),
            messages: vec![entry],
            ..Message::default()
        });
        assert_eq!(
            problem(&set),
            "demo.test.Sample: map fields are not supported"
        );
    }

    #[test]
    fn refuses_recursion() {
        let recursive = Field {
            type_name: ".demo.test.Sample".to_owned(),
            ..field("child", 11)
        };
        assert!(problem(&with_field(recursive)).contains("recursive"));
    }

    #[test]
    fn refuses_other_syntaxes_and_services() {
        let mut proto2 = with_field(field("name", 9));
        proto2.files[0].syntax.clear();
        assert!(problem(&proto2).contains("proto3"));

        let mut service = with_field(field("name", 9));
        service.files[0].has_services = true;
        assert!(problem(&service).contains("services"));
    }

    #[test]
    fn refuses_enum_aliases() {
        let value = |name: &str| EnumValue {
            name: name.to_owned(),
            number: 0,
        };
        let mut set = set(Message::default());
        set.files[0].messages.clear();
        set.files[0].enums.push(Enum {
            name: "Kind".to_owned(),
            values: vec![value("KIND_ONE"), value("KIND_ALSO_ONE")],
        });
        assert!(problem(&set).contains("allow_alias"));
    }
}
