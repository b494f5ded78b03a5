//! Answers to what people ask of a bot.

use fechatter_core::text::is_name_char;

use crate::{keywords, summarise};

/// Answers a message; `@mentions` at its beginning are not part of the question.
#[must_use]
pub fn reply(message: &str) -> String {
    let question = strip_mentions(message);
    if question.is_empty() {
        return "Yes? Try `keywords: TEXT` or `summarise: TEXT`.".to_owned();
    }
    if let Some((command, text)) = question.split_once(':') {
        match command.trim().to_lowercase().as_str() {
            "keywords" => {
                let found = keywords(text, 5);
                return if found.is_empty() {
                    "I see no keywords there.".to_owned()
                } else {
                    format!("Keywords: {}", found.join(", "))
                };
            }
            "summarise" | "summarize" => {
                let summary = summarise(text, 2);
                return if summary.is_empty() {
                    "There is nothing to summarise.".to_owned()
                } else {
                    format!("In short: {summary}")
                };
            }
            _ => {}
        }
    }
    format!("You said: {question}")
}

fn strip_mentions(message: &str) -> &str {
    let mut rest = message.trim();
    while let Some(mention) = rest.strip_prefix('@') {
        rest = mention
            .trim_start_matches(is_name_char)
            .trim_start_matches([',', ':'])
            .trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_followed() {
        assert_eq!(
            reply("@bot keywords: red tea, red cup"),
            "Keywords: red, tea, cup"
        );
        assert_eq!(
            reply("@bot: Summarise: All is well."),
            "In short: All is well."
        );
        assert_eq!(reply("keywords: the"), "I see no keywords there.");
        assert_eq!(reply("summarise:"), "There is nothing to summarise.");
    }

    #[test]
    fn anything_else_is_echoed() {
        assert_eq!(reply("@bot, @ann hello"), "You said: hello");
        assert_eq!(reply("note: hello"), "You said: note: hello");
        assert!(reply("@bot").starts_with("Yes?"));
    }
}
