//! The queue file's form: made when new, brought up to date when old, refused when foreign or newer.

use rusqlite::{Connection, TransactionBehavior};

use super::failed;
use crate::error::{Error, Result, Trouble};

/// Marks a file as a Posthorn queue: the bytes "POST".
const APPLICATION_ID: i64 = 0x504f_5354;

/// What a file has that has been through the first step. One that lost a table is damaged.
const TABLES: i64 = 7;

/// One step a version; `PRAGMA user_version` counts those that a file has been through.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
];

/// Refuses a file that is not ours to change.
///
/// # Errors
/// [`Error::Unavailable`] if the file belongs to another program or to a newer Posthorn, or is damaged.
pub(super) fn check_owner(connection: &Connection) -> Result<()> {
    let (all, ours): (i64, i64) = connection
        .query_row(
            "SELECT count(*), count(*) FILTER (WHERE type = 'table'
               AND name IN ('setup', 'site', 'endpoint', 'event', 'delivery', 'attempt', 'tally')) FROM sqlite_schema",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(failed)?;
    if all > 0 && pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(Error::trouble(
            Trouble::Foreign,
            "queue.db in the data directory is a database of another program; move it away or set another posthorn.data_dir",
        ));
    }
    let version = pragma(connection, "user_version")?;
    if version > MIGRATIONS.len() as i64 {
        return Err(Error::trouble(
            Trouble::Newer,
            format!(
                "the queue was written by a newer Posthorn (schema {version}, this one knows {}); reload PHP so that it loads the newer extension",
                MIGRATIONS.len()
            ),
        ));
    }
    if version > 0 && ours < TABLES {
        return Err(Error::trouble(
            Trouble::Damaged,
            format!("the queue file is damaged: {} of its {TABLES} tables are missing", TABLES - ours),
        ));
    }
    Ok(())
}

/// Makes or updates the tables of a file that is ours.
pub(super) fn prepare(connection: &mut Connection) -> Result<()> {
    if pragma(connection, "user_version")? == MIGRATIONS.len() as i64 {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Looked at again under the lock: another process may have just done it, or have made the file its own.
    check_owner(&transaction)?;
    let version = pragma(&transaction, "user_version")?;
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
