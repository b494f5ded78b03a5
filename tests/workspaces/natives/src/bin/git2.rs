//! libgit2: the name that git gives to a blob.

fn main() {
    println!(
        "{}",
        git2::Oid::hash_object(git2::ObjectType::Blob, b"text").unwrap()
    );
}
