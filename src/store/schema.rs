//! The queue file's form: made when new, brought up to date when old, refused when foreign or newer.

use rusqlite::{Connection, TransactionBehavior};

use super::failed;
use crate::error::{Error, Result};

/// Marks a file as a Posthorn queue: the bytes "POST".
const APPLICATION_ID: i64 = 0x504f_5354;

/// One step a version; `PRAGMA user_version` counts those that a file has been through.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001.sql")];

/// Makes or updates the tables.
///
/// # Errors
/// [`Error::Unavailable`] if the file belongs to another program or to a newer Posthorn.
pub(super) fn prepare(connection: &mut Connection) -> Result<()> {
    if pragma(connection, "user_version")? == MIGRATIONS.len() as i64
        && pragma(connection, "application_id")? == APPLICATION_ID
    {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Read again under the lock: another process may have just done it.
    let version = pragma(&transaction, "user_version")?;
    let application = pragma(&transaction, "application_id")?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(Error::unavailable(
            "queue.db in the data directory is a database of another program; move it away or set another posthorn.data_dir",
        ));
    }
    if version > MIGRATIONS.len() as i64 {
        return Err(Error::unavailable(format!(
            "the queue was written by a newer Posthorn (schema {version}, this one knows {}); reload PHP so that it loads the newer extension",
            MIGRATIONS.len()
        )));
    }
    for migration in &MIGRATIONS[version as usize..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn pragma(connection: &Connection, name: &str) -> Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)
}
