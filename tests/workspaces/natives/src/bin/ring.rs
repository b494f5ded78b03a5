//! ring: the SHA-256 of a text.

use ring::digest::{digest, SHA256};

fn main() {
    for byte in digest(&SHA256, b"text").as_ref() {
        print!("{byte:02x}");
    }
    println!();
}
