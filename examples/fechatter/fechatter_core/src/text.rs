//! Taking texts apart.

/// The words of `text` in lower case, in order.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// The names that `text` mentions with an `@`, each once, in order.
///
/// An `@` inside a word, as in a mail address, mentions nobody.
#[must_use]
pub fn mentions(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut previous = None;
    for (position, character) in text.char_indices() {
        if character == '@' && !previous.is_some_and(char::is_alphanumeric) {
            let rest = &text[position + 1..];
            let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
            // A hyphen at the end is punctuation.
            let name = rest[..end].trim_end_matches('-');
            if !name.is_empty() && !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        previous = Some(character);
    }
    names
}

/// Whether `character` may be part of a user's name.
#[must_use]
pub fn is_name_char(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_freed_from_punctuation() {
        let found: Vec<_> = words("Über-Uns: hello, World_2!").collect();
        assert_eq!(found, ["über", "uns", "hello", "world_2"]);
    }

    #[test]
    fn mentions_are_found_once_and_in_order() {
        assert_eq!(
            mentions("@bob, (@ann) and @bob-- @ @zoé_1"),
            ["bob", "ann", "zoé_1"]
        );
        assert!(mentions("mail ann@example.org").is_empty());
    }
}
