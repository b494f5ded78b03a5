//! zlib-ng, which is built with cmake: the length of a text, packed and unpacked again.

use std::io::{Read, Write};

fn main() {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&b"text".repeat(1000)).unwrap();
    let packed = encoder.finish().unwrap();
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    println!("{} {}", text.len(), packed.len() < 100);
}
