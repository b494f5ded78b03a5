//! libcurl, with OpenSSL: what it fetches from the URL that is the argument.

use std::io::{stdout, Write};

fn main() {
    let version = curl::Version::get();
    assert!(version
        .ssl_version()
        .is_some_and(|name| name.starts_with("OpenSSL")));
    let url = std::env::args().nth(1).expect("a URL");
    let mut easy = curl::easy::Easy::new();
    easy.url(&url).unwrap();
    easy.write_function(|data| Ok(stdout().write(data).unwrap()))
        .unwrap();
    easy.perform().unwrap();
}
