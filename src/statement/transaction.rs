//! Statements that begin or end a transaction, by saying so or by being what they are.
//!
//! What commits implicitly: MySQL 8.4 manual, section 15.3.3; MariaDB's "SQL statements causing an implicit commit".

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::Step;
use super::text::{Text, name_bytes};

/// How many words of a statement say what it is.
const WORDS: usize = 8;

pub(super) const IMPLICIT_COMMIT: Step = Step::Commit { implicit: true, chain: false };

/// What the statement does to the transaction, if anything.
pub(super) fn read(text: &Text<'_>) -> Option<Step> {
    let words: Vec<String> =
        (0..WORDS.min(text.len())).map(|at| text.word(at).map(str::to_ascii_uppercase).unwrap_or_default()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = |at: usize| text.word(at).map(name_bytes);
    match words.as_slice() {
        ["BEGIN", "NOT", ..] => None,
        ["BEGIN", ..] | ["START", "TRANSACTION", ..] | ["XA", "START" | "BEGIN", ..] => Some(Step::Begin),
        ["COMMIT", rest @ ..] => Some(Step::Commit { implicit: false, chain: chains(rest) }),
        ["XA", "COMMIT", ..] => Some(Step::Commit { implicit: false, chain: false }),
        ["XA", "ROLLBACK", ..] => Some(Step::Rollback { savepoint: None, chain: false }),
        ["ROLLBACK", rest @ ..] => {
            // A savepoint may itself be called savepoint.
            let at = match words.iter().position(|word| *word == "TO") {
                Some(to) if words.get(to + 1) == Some(&"SAVEPOINT") && text.len() > to + 2 => Some(to + 2),
                to => to.map(|to| to + 1),
            };
            let savepoint = at.and_then(name);
            Some(Step::Rollback { savepoint, chain: chains(rest) })
        }
        ["SAVEPOINT", ..] => name(1).map(Step::Savepoint),
        ["RELEASE", "SAVEPOINT", ..] => name(2).map(Step::Release),
        ["SET", "PASSWORD", ..] | ["SET", "DEFAULT", "ROLE", ..] => Some(IMPLICIT_COMMIT),
        ["SET", ..] => autocommit(text).map(Step::Autocommit),
        words => commits(words).then_some(IMPLICIT_COMMIT),
    }
}

fn chains(rest: &[&str]) -> bool {
    rest.windows(2).any(|pair| pair == ["AND", "CHAIN"])
}

fn commits(words: &[&str]) -> bool {
    match words {
        // A temporary table is the session's own; a prepared statement is none of the database's things.
        ["CREATE" | "DROP", "TEMPORARY", ..]
        | ["CREATE", "OR", "REPLACE", "TEMPORARY", ..]
        | ["DROP", "PREPARE", ..] => false,
        [
            "ALTER" | "CHANGE" | "CHECK" | "CREATE" | "DROP" | "FLUSH" | "GRANT" | "IMPORT" | "INSTALL" | "OPTIMIZE"
            | "RENAME" | "REPAIR" | "RESET" | "REVOKE" | "SHUTDOWN" | "START" | "STOP" | "TRUNCATE" | "UNINSTALL",
            ..,
        ] => true,
        ["ANALYZE", "TABLE" | "TABLES" | "LOCAL" | "NO_WRITE_TO_BINLOG", ..] => true,
        ["LOCK" | "UNLOCK", "TABLE" | "TABLES", ..] | ["CACHE" | "LOAD", "INDEX", ..] | ["BACKUP", "STAGE", ..] => true,
        _ => false,
    }
}

/// What a SET makes of autocommit: `Some(None)` if that is no literal.
#[allow(clippy::option_option, reason = "set to a value, set to one that cannot be told, or not set")]
fn autocommit(text: &Text<'_>) -> Option<Option<bool>> {
    let mut scope_is_global = false;
    let mut found = None;
    for part in text.split(1..text.len()) {
        let Some(equals) = part.clone().find(|at| matches!(text.token(*at), Some(Token::Eq | Token::Assignment)))
        else {
            continue;
        };
        let words: Vec<String> =
            (part.start..equals).filter_map(|at| text.word(at)).map(str::to_ascii_uppercase).collect();
        match words.first().map(String::as_str) {
            Some("SESSION" | "LOCAL") => scope_is_global = false,
            // It holds for what follows in the list too.
            Some("GLOBAL" | "PERSIST" | "PERSIST_ONLY") => scope_is_global = true,
            _ => {}
        }
        let is_own = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["AUTOCOMMIT"] => !scope_is_global,
            ["@@AUTOCOMMIT"] | ["SESSION" | "LOCAL" | "@@SESSION" | "@@LOCAL", "AUTOCOMMIT"] => true,
            _ => false,
        };
        if is_own {
            found = Some(switch(text, equals + 1..part.end));
        }
    }
    found
}

fn switch(text: &Text<'_>, value: Range<usize>) -> Option<bool> {
    if value.len() != 1 {
        return None;
    }
    let value = match text.token(value.start)? {
        Token::Word(word) => &word.value,
        Token::Number(number, _) => number,
        Token::SingleQuotedString(string) | Token::DoubleQuotedString(string) => string,
        _ => return None,
    };
    match value.to_ascii_uppercase().as_str() {
        "1" | "ON" | "TRUE" => Some(true),
        "0" | "OFF" | "FALSE" => Some(false),
        _ => None,
    }
}
