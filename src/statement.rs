//! Which rows of which watched table a SQL statement writes, told before it runs. MySQL's and MariaDB's dialect.
//!
//! What a statement is made of is told by a parser library. Its printed form is never used: a condition is cut out of the
//! statement's own text, so that its literals stay byte for byte what they were. What the parser refuses is parsed again
//! with its expressions blanked out; what it still refuses is reported with a condition that cannot be told. Wherever in
//! doubt, a condition covers more rows than are written, never fewer.

mod insert;
mod look;
mod opaque;
mod rows;
mod syntax;
mod text;
mod transaction;
mod volatile;
mod watched;

use std::borrow::Cow;

pub use look::may_matter;
pub use watched::Watched;

use text::Text;

/// Statements above this are not read whole: their tokens would take many times their size.
const MAX_READ_BYTES: usize = 4 << 20;

/// How much of such a statement is looked at for the tables that it names; they stand before its data.
const HEAD_BYTES: usize = 64 << 10;

/// What a row write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// INSERT, with or without ON DUPLICATE KEY UPDATE; LOAD DATA.
    Insert,
    /// REPLACE; LOAD DATA … REPLACE.
    Replace,
    /// UPDATE; also what may do anything (CALL, EXECUTE).
    Update,
    /// DELETE and TRUNCATE.
    Delete,
}

impl Verb {
    /// The word of the PHP API.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Insert => "insert",
            Verb::Replace => "replace",
            Verb::Update => "update",
            Verb::Delete => "delete",
        }
    }
}

/// One watched table that a statement writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What is done.
    pub verb: Verb,
    /// The table's own name, as the statement has it.
    pub table: Vec<u8>,
    /// The database it was qualified with.
    pub schema: Option<Vec<u8>>,
    /// What `SELECT * FROM table WHERE …` needs to yield at least every existing row that may be changed, deleted or
    /// replaced. `None`: it cannot be told before the statement runs.
    pub condition: Option<Vec<u8>>,
    /// The condition with the statement's own `ORDER BY … LIMIT`, if these choose the same rows each time.
    pub bounded: Option<Vec<u8>>,
    /// Whether rows may appear.
    pub adds: bool,
    /// How many rows an INSERT or REPLACE names.
    pub rows: Option<u64>,
    /// Whether it replaces or updates existing rows that have one of the unique keys that it gives.
    pub replaces: bool,
    /// Whether the statement also commits (TRUNCATE).
    pub implicit_commit: bool,
}

/// What a statement does to the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A transaction begins, which commits the one before.
    Begin,
    /// A commit; `implicit` by a statement that is about something else (CREATE TABLE, LOCK TABLES, …).
    Commit {
        /// Whether the statement is no COMMIT.
        implicit: bool,
        /// Whether the next transaction begins with it.
        chain: bool,
    },
    /// A rollback, of all or back to a savepoint.
    Rollback {
        /// The savepoint that is gone back to.
        savepoint: Option<Vec<u8>>,
        /// Whether the next transaction begins with it.
        chain: bool,
    },
    /// A savepoint is set.
    Savepoint(Vec<u8>),
    /// A savepoint is forgotten.
    Release(Vec<u8>),
    /// Autocommit is switched; `None` if to a value that is no literal.
    Autocommit(Option<bool>),
}

/// What matters in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It writes rows of these watched tables, each named once; never empty.
    Writes(Vec<Write>),
    /// It writes none of them but concerns the transaction.
    Transaction(Step),
}

/// Reads `sql`. `None`: it writes none of `tables` and is about no transaction.
///
/// Never panics, whatever the bytes, and nests no deeper than a fixed limit.
pub fn read(sql: &[u8], tables: &[Watched<'_>]) -> Option<Reading> {
    if !look::worth_reading(sql, tables) {
        return None;
    }
    if sql.len() > MAX_READ_BYTES {
        let head = Text::new(&sql[..HEAD_BYTES]);
        return head.statements().next().and_then(|part| opaque::read(&part, tables));
    }
    let mut sql = Cow::Borrowed(sql);
    let mut text = Text::new(&sql);
    let mut is_opaque = text.is_cut_off() || opaque::is_block(&text);
    if text.has_version_comments() {
        match text.without_version_comments() {
            Some(plain) => {
                sql = Cow::Owned(plain);
                text = Text::new(&sql);
            }
            // Whether the server runs what stands in it depends on its version.
            None => is_opaque = true,
        }
    }
    if is_opaque {
        return opaque::read(&text, tables).or_else(|| transaction::read(&text).map(Reading::Transaction));
    }
    // WordPress's own drivers run one statement at a time; a second one is read for those that do not.
    let mut writes = Vec::new();
    let mut step = None;
    for part in text.statements() {
        match one(&part, tables) {
            Some(Reading::Writes(found)) => found.into_iter().for_each(|write| merge(&mut writes, write)),
            Some(Reading::Transaction(found)) => step = step.or(Some(found)),
            None => {}
        }
    }
    if writes.is_empty() { step.map(Reading::Transaction) } else { Some(Reading::Writes(writes)) }
}

fn one(text: &Text<'_>, tables: &[Watched<'_>]) -> Option<Reading> {
    let text = &text.without_wrapping();
    let writes = match text.word(0)?.to_ascii_uppercase().as_str() {
        "INSERT" | "REPLACE" => insert::read(text, tables),
        "UPDATE" | "DELETE" | "WITH" => rows::read(text, tables),
        "CALL" | "EXECUTE" | "PREPARE" => return opaque::read(text, tables),
        "LOAD" if !text.is_word(1, "INDEX") => return opaque::read(text, tables),
        "TRUNCATE" => match rows::truncated(text, tables) {
            Some(write) => return Some(Reading::Writes(vec![write])),
            None => return Some(Reading::Transaction(transaction::IMPLICIT_COMMIT)),
        },
        _ => return transaction::read(text).map(Reading::Transaction),
    };
    match writes {
        Some(writes) if writes.is_empty() => None,
        Some(writes) => Some(Reading::Writes(writes)),
        None => opaque::read(text, tables),
    }
}

/// Adds `write`, or widens the entry of the same table, so that each table is named once.
fn merge(writes: &mut Vec<Write>, write: Write) {
    let same = |other: &&mut Write| {
        other.table.eq_ignore_ascii_case(&write.table)
            && match (&other.schema, &write.schema) {
                (Some(one), Some(two)) => one.eq_ignore_ascii_case(two),
                (one, two) => one.is_none() == two.is_none(),
            }
    };
    let Some(other) = writes.iter_mut().find(same) else {
        writes.push(write);
        return;
    };
    other.bounded = None;
    other.adds |= write.adds;
    other.replaces |= write.replaces;
    other.implicit_commit |= write.implicit_commit;
    other.rows = None;
    other.condition = match (other.condition.take(), write.condition) {
        (Some(one), Some(two)) if one == two => Some(one),
        (Some(one), Some(two)) => Some([b"(", one.as_slice(), b") OR (", two.as_slice(), b")"].concat()),
        _ => None,
    };
}
