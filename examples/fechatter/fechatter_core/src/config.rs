//! Configuration from environment variables.

use std::env::{self, VarError};
use std::fmt::{self, Display};
use std::str::FromStr;

/// A variable whose value makes no sense.
#[derive(Debug)]
pub struct ConfigError {
    name: String,
    problem: String,
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable {}: {}", self.name, self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// The value of `name`, or `default` where it is unset or empty.
pub fn var<T>(name: &str, default: &str) -> Result<T, ConfigError>
where
    T: FromStr,
    T::Err: Display,
{
    parse(name, env::var(name), default)
}

fn parse<T>(name: &str, value: Result<String, VarError>, default: &str) -> Result<T, ConfigError>
where
    T: FromStr,
    T::Err: Display,
{
    let failed = |problem: String| ConfigError {
        name: name.to_owned(),
        problem,
    };
    let value = match value {
        Ok(value) if !value.trim().is_empty() => value,
        Ok(_) | Err(VarError::NotPresent) => default.to_owned(),
        Err(error @ VarError::NotUnicode(_)) => return Err(failed(error.to_string())),
    };
    let value = value.trim();
    value
        .parse()
        .map_err(|error| failed(format!("cannot use {value:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_stand_in_for_missing_and_empty_values() {
        let missing = parse::<u16>("PORT", Err(VarError::NotPresent), "80");
        assert_eq!(missing.unwrap(), 80);
        let empty = parse::<u16>("PORT", Ok(" ".to_owned()), "80");
        assert_eq!(empty.unwrap(), 80);
    }

    #[test]
    fn errors_name_the_variable_and_the_value() {
        let error = parse::<u16>("PORT", Ok("many".to_owned()), "80").unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable PORT: cannot use \"many\": invalid digit found in string"
        );
    }
}
