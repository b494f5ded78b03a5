//! SQLite: a sum.

fn main() {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    let sum: i64 = database
        .query_row("select sum(column1) from (values (19), (23))", [], |row| {
            row.get(0)
        })
        .unwrap();
    println!("{sum}");
}
