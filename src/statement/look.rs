//! The first look: most statements of a page are done after it, so it allocates nothing and splits no text into tokens.

use super::Watched;

/// Words that begin a statement which may write rows of the tables that it names.
const WRITING: [&str; 16] = [
    "ANALYZE", "CALL", "CASE", "DELETE", "EXECUTE", "FOR", "IF", "INSERT", "LOAD", "LOOP", "PREPARE", "REPEAT",
    "REPLACE", "UPDATE", "WHILE", "WITH",
];

/// Words that begin a statement which may begin or end a transaction, whatever it names.
const TRANSACTION: [&str; 33] = [
    "ALTER",
    "ANALYZE",
    "BACKUP",
    "BEGIN",
    "CACHE",
    "CHANGE",
    "CHECK",
    "COMMIT",
    "CREATE",
    "DROP",
    "FLUSH",
    "GRANT",
    "IMPORT",
    "INSTALL",
    "LOAD",
    "LOCK",
    "OPTIMIZE",
    "RELEASE",
    "RENAME",
    "REPAIR",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SHUTDOWN",
    "START",
    "STOP",
    "TRUNCATE",
    "UNINSTALL",
    "UNLOCK",
    "XA",
    "CLONE",
    "CASE",
];

/// What makes a SET more than the setting of a variable.
const SET: [&str; 4] = ["autocommit", "statement", "password", "role"];

/// What a statement's first words promise.
#[derive(PartialEq, Eq)]
enum Promise {
    Nothing,
    WritesWhatItNames,
    Matters,
}

/// Whether a statement may write a watched table or concern the transaction, told at a glance: most of a page's do not.
/// `any` is given a test for one table's name, `*` before it or not, and says whether any passes.
pub fn may_matter(sql: &[u8], any: impl FnOnce(&dyn Fn(&[u8]) -> bool) -> bool) -> bool {
    match promise(sql) {
        Promise::Nothing => false,
        Promise::WritesWhatItNames => any(&|name| contains(sql, name.strip_prefix(b"*").unwrap_or(name))),
        Promise::Matters => true,
    }
}

/// Whether a statement may write one of `tables` or concern the transaction.
pub(super) fn worth_reading(sql: &[u8], tables: &[Watched<'_>]) -> bool {
    may_matter(sql, |is_named| tables.iter().any(|table| is_named(table.ending().as_bytes())))
}

fn promise(sql: &[u8]) -> Promise {
    let Some(at) = beginning(sql) else { return Promise::Nothing };
    let sql = &sql[at..];
    if sql.starts_with(b"/*") {
        // A version comment: what stands in it is run.
        return Promise::Matters;
    }
    let end = sql.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(sql.len());
    let is = |word: &str| sql[..end].eq_ignore_ascii_case(word.as_bytes());
    // A block of statements may be labelled.
    let is_labelled = || sql[end..].trim_ascii_start().starts_with(b":");
    if TRANSACTION.iter().any(|word| is(word)) || (is("SET") && SET.iter().any(|word| contains(sql, word.as_bytes()))) {
        Promise::Matters
    } else if WRITING.iter().any(|word| is(word)) || is_labelled() {
        Promise::WritesWhatItNames
    } else {
        Promise::Nothing
    }
}

/// Where the first word begins, after blanks, comments and parentheses.
fn beginning(sql: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &sql[at..];
        match *rest.first()? {
            b'(' | b';' => at += 1,
            byte if byte.is_ascii_whitespace() || byte.is_ascii_control() => at += 1,
            b'#' => at += memchr::memchr(b'\n', rest)? + 1,
            b'-' if rest.starts_with(b"--") => at += memchr::memchr(b'\n', rest)? + 1,
            b'/' if rest.starts_with(b"/*") && !rest.starts_with(b"/*!") && !rest.starts_with(b"/*M!") => {
                at += 2 + memchr::memmem::find(&rest[2..], b"*/")? + 2;
            }
            _ => return Some(at),
        }
    }
}

/// Whether `text` holds `needle` in any case of letters.
///
/// Table names have underscores, which have no case and are rare in text, so these are looked for.
pub(super) fn contains(text: &[u8], needle: &[u8]) -> bool {
    if needle.is_empty() {
        return true;
    }
    let Some(last) = text.len().checked_sub(needle.len()) else { return false };
    let anchor = needle.iter().position(|byte| *byte == b'_').unwrap_or(0);
    let (one, two) = (needle[anchor].to_ascii_lowercase(), needle[anchor].to_ascii_uppercase());
    let (first, end) = (needle[0] | 0x20, needle.len());
    memchr::memchr2_iter(one, two, &text[anchor..last + anchor + 1])
        .any(|at| text[at] | 0x20 == first && text[at..at + end].eq_ignore_ascii_case(needle))
}
