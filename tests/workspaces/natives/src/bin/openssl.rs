//! OpenSSL: the SHA-256 of a text.

fn main() {
    for byte in openssl::sha::sha256(b"text") {
        print!("{byte:02x}");
    }
    println!();
}
