//! Oniguruma: a match with a look-behind, which Rust's own regular expressions have not.

fn main() {
    let found = onig::Regex::new(r"(?<=the )\w+")
        .unwrap()
        .find("in the text")
        .unwrap();
    println!("{found:?}");
}
