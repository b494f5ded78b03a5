//! The command line that every Fechatter program answers.

use std::ffi::OsString;
use std::fmt::{self, Display, Write as _};
use std::process::ExitCode;

use crate::{log, BoxError};

/// What a program says about itself.
#[derive(Clone, Copy, Debug)]
pub struct App {
    /// The program's name.
    pub name: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// One sentence on its purpose.
    pub about: &'static str,
    /// What `--health` looks at.
    pub health: &'static str,
    /// Options besides the common ones.
    pub options: &'static [Opt],
    /// The environment variables that it reads.
    pub variables: &'static [Variable],
}

/// A command-line option.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// The option with its dashes.
    pub name: &'static str,
    /// What its value is called, if it takes one.
    pub value: Option<&'static str>,
    /// What it does.
    pub help: &'static str,
}

/// An environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The value that is used where it is unset or empty.
    pub default: &'static str,
    /// What it means.
    pub help: &'static str,
}

/// The options that were given, with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<(&'static str, String)>);

impl Options {
    /// Whether an option was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value of an option; an empty one if it takes none.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A command line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl UsageError {
    /// An error about options that do not go together.
    #[must_use]
    pub fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Command {
    Help,
    Version,
    Health,
    Run(Options),
}

const COMMON: [Opt; 3] = [
    Opt {
        name: "--health",
        value: None,
        help: "",
    },
    Opt {
        name: "--version",
        value: None,
        help: "Print name and version, and exit",
    },
    Opt {
        name: "--help",
        value: None,
        help: "Print this help, and exit",
    },
];

impl App {
    /// Does what the process's arguments ask for.
    ///
    /// The process ends with 0 on success, with 1 on failure, and with 2 where
    /// the command line makes no sense.
    pub fn main<H, R>(&self, health: H, run: R) -> ExitCode
    where
        H: FnOnce() -> Result<(), BoxError>,
        R: FnOnce(&Options) -> Result<(), BoxError>,
    {
        let result = match self.parse(std::env::args_os().skip(1)) {
            Err(error) => Err(error.into()),
            Ok(Command::Help) => print(&self.help()),
            Ok(Command::Version) => print(&format!("{} {}\n", self.name, self.version)),
            Ok(Command::Health) => health(),
            Ok(Command::Run(options)) => {
                log::set_service(self.name);
                run(&options)
            }
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error}", self.name);
                if error.is::<UsageError>() {
                    eprintln!("Try `{} --help`.", self.name);
                    ExitCode::from(2)
                } else {
                    ExitCode::FAILURE
                }
            }
        }
    }

    fn parse(&self, arguments: impl Iterator<Item = OsString>) -> Result<Command, UsageError> {
        let mut arguments = arguments.map(|argument| {
            argument.into_string().map_err(|argument| {
                UsageError(format!(
                    "argument `{}` is not UTF-8",
                    argument.to_string_lossy()
                ))
            })
        });
        let mut command = None;
        let mut options = Options::default();
        while let Some(argument) = arguments.next().transpose()? {
            let common = match argument.as_str() {
                "-h" | "--help" => Some(Command::Help),
                "-V" | "--version" => Some(Command::Version),
                "--health" => Some(Command::Health),
                _ => None,
            };
            if let Some(common) = common {
                // With several of these the first decides.
                command.get_or_insert(common);
                continue;
            }
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let Some(option) = self.options.iter().find(|option| option.name == name) else {
                return Err(UsageError(format!("unexpected argument `{argument}`")));
            };
            if options.has(option.name) {
                return Err(UsageError(format!("{name} is given twice")));
            }
            let value = match (option.value, inline) {
                (None, None) => String::new(),
                (None, Some(_)) => return Err(UsageError(format!("{name} takes no value"))),
                (Some(_), Some(value)) => value,
                (Some(wanted), None) => arguments
                    .next()
                    .transpose()?
                    .ok_or_else(|| UsageError(format!("{name} needs a value: {wanted}")))?,
            };
            options.0.push((option.name, value));
        }
        Ok(command.unwrap_or(Command::Run(options)))
    }

    fn help(&self) -> String {
        let mut help = format!(
            "{}\n\nUsage: {} [OPTIONS]\n\nOptions:\n",
            self.about, self.name
        );
        for option in self.options.iter().chain(&COMMON) {
            let name = match option.value {
                Some(value) => format!("{} {value}", option.name),
                None => option.name.to_owned(),
            };
            let text = if option.name == "--health" {
                self.health
            } else {
                option.help
            };
            // Writing to a string cannot fail.
            let _ = writeln!(help, "  {name:<14} {text}");
        }
        help.push_str("\nEnvironment:\n");
        for Variable {
            name,
            default,
            help: text,
        } in self.variables
        {
            let default = if default.is_empty() { "none" } else { default };
            let _ = writeln!(help, "  {name}\n      {text} [default: {default}]");
        }
        help
    }
}

/// Prints to stdout; a reader that has gone away is not an error to panic over.
pub fn print(text: &str) -> Result<(), BoxError> {
    use std::io::Write as _;

    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: App = App {
        name: "demo",
        version: "1.2.3",
        about: "Shows things.",
        health: "Ask the demo for its health",
        options: &[
            Opt {
                name: "--once",
                value: None,
                help: "Stop after one round",
            },
            Opt {
                name: "--query",
                value: Some("WORD"),
                help: "Search for WORD",
            },
        ],
        variables: &[Variable {
            name: "DEMO_ADDR",
            default: "0.0.0.0:1",
            help: "Address to listen on",
        }],
    };

    fn parse(line: &str) -> Result<Command, UsageError> {
        APP.parse(line.split_whitespace().map(OsString::from))
    }

    fn problem(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn options_are_understood() {
        for line in ["--once --query x", "--query=x --once"] {
            let Ok(Command::Run(options)) = parse(line) else {
                panic!("{line}");
            };
            assert!(options.has("--once"));
            assert_eq!(options.value("--query"), Some("x"));
        }
        assert_eq!(parse(""), Ok(Command::Run(Options::default())));
        assert_eq!(parse("--version"), Ok(Command::Version));
        assert_eq!(parse("--once -h"), Ok(Command::Help));
        assert_eq!(parse("--health"), Ok(Command::Health));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(problem("--wat"), "unexpected argument `--wat`");
        assert_eq!(problem("--help wat"), "unexpected argument `wat`");
        assert_eq!(problem("--query"), "--query needs a value: WORD");
        assert_eq!(problem("--once=1"), "--once takes no value");
        assert_eq!(problem("--once --once"), "--once is given twice");
    }

    #[test]
    fn help_lists_everything() {
        let help = APP.help();
        for part in ["--query WORD", "--health", "Ask the demo", "DEMO_ADDR"] {
            assert!(help.contains(part), "{part}");
        }
    }
}
