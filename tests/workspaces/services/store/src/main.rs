//! Words in a SQLite database: each request adds one and tells them all.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::{http::StatusCode, routing::get, Router};
use rusqlite::Connection;

type Database = Arc<Mutex<Connection>>;

async fn add(
    State(database): State<Database>,
    Path(word): Path<String>,
) -> Result<String, StatusCode> {
    let connection = database.lock().expect("no other request panicked");
    connection
        .execute("insert into words values (?1)", [word])
        .and_then(|_| connection.query_row(ALL, [], |row| row.get(0)))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

const ALL: &str = "select group_concat(word, ' ') from (select word from words order by word)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = Connection::open_in_memory()?;
    connection.execute("create table words (word text not null)", [])?;
    let router = Router::new()
        .route("/{word}", get(add))
        .with_state(Arc::new(Mutex::new(connection)));
    let listener = common::listen().await?;
    axum::serve(listener, router)
        .with_graceful_shutdown(common::terminated())
        .await?;
    Ok(())
}
