//! What a text is about.

use std::cmp::Reverse;
use std::collections::HashMap;

use fechatter_core::text::words;

/// Words that say little about a text.
const STOP_WORDS: [&str; 48] = [
    "a", "about", "all", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "for",
    "from", "has", "have", "i", "if", "in", "is", "it", "its", "me", "my", "no", "not", "of", "on",
    "or", "our", "she", "so", "that", "the", "their", "they", "this", "to", "us", "was", "we",
    "were", "what", "will", "with", "you", "your",
];

/// The `count` most frequent words that carry meaning; of equally frequent
/// ones, those that come first.
#[must_use]
pub fn keywords(text: &str, count: usize) -> Vec<String> {
    let mut frequencies = frequencies(text);
    frequencies.sort_by_key(|(_, frequency)| Reverse(*frequency));
    frequencies.truncate(count);
    frequencies.into_iter().map(|(word, _)| word).collect()
}

/// The `count` sentences that hold the most frequent words, in their order.
#[must_use]
pub fn summarise(text: &str, count: usize) -> String {
    let weights: HashMap<String, usize> = frequencies(text).into_iter().collect();
    let sentences = sentences(text);
    let mut ranking: Vec<usize> = (0..sentences.len()).collect();
    // The sort is stable: of equal sentences the earlier one wins.
    ranking.sort_by_key(|&index| {
        let weigh = |word: String| weights.get(&word).copied().unwrap_or(0);
        Reverse(words(sentences[index]).map(weigh).sum::<usize>())
    });
    ranking.truncate(count);
    ranking.sort_unstable();
    let chosen: Vec<&str> = ranking.into_iter().map(|index| sentences[index]).collect();
    chosen.join(" ")
}

/// How often each meaningful word occurs, by first occurrence.
fn frequencies(text: &str) -> Vec<(String, usize)> {
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut frequencies: Vec<(String, usize)> = Vec::new();
    for word in words(text) {
        if word.chars().count() < 2 || STOP_WORDS.contains(&word.as_str()) {
            continue;
        }
        let position = *positions.entry(word.clone()).or_insert(frequencies.len());
        match frequencies.get_mut(position) {
            Some((_, frequency)) => *frequency += 1,
            None => frequencies.push((word, 1)),
        }
    }
    frequencies
}

fn sentences(text: &str) -> Vec<&str> {
    let ends = |c| matches!(c, '.' | '!' | '?' | '\n');
    text.split_inclusive(ends)
        .map(str::trim)
        .filter(|sentence| sentence.chars().any(char::is_alphanumeric))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The build is slow. I like tea! A slow build needs a cache, \
                        and the cache needs care. Bye.";

    #[test]
    fn keywords_are_ordered_by_frequency() {
        assert_eq!(keywords(TEXT, 3), ["build", "slow", "needs"]);
        assert!(keywords("the of and", 3).is_empty());
    }

    #[test]
    fn summaries_keep_the_weightiest_sentences_in_order() {
        assert_eq!(
            summarise(TEXT, 2),
            "The build is slow. A slow build needs a cache, and the cache needs care."
        );
        assert_eq!(summarise("", 2), "");
    }
}
