//! jemalloc in place of musl's allocator.

#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let words: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    println!("{}", words.iter().map(String::len).sum::<usize>());
}
