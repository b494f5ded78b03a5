//! Zstandard: the length of a text, packed and unpacked again.

fn main() {
    let packed = zstd::encode_all(&b"text".repeat(1000)[..], 3).unwrap();
    println!(
        "{} {}",
        zstd::decode_all(&packed[..]).unwrap().len(),
        packed.len() < 100
    );
}
