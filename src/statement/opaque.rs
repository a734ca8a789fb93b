//! Statements that cannot be read: what they name is taken as written, in a way that cannot be told in advance.

use sqlparser::tokenizer::Token;

use super::text::{Text, name_bytes};
use super::{Reading, Verb, Watched, Write, watched};

/// Words that begin a block of statements outside a stored program (MariaDB).
const BLOCKS: [&str; 6] = ["CASE", "FOR", "IF", "LOOP", "REPEAT", "WHILE"];

/// Whether it is a block of statements.
pub(super) fn is_block(text: &Text<'_>) -> bool {
    (text.is_word(0, "BEGIN") && text.is_word(1, "NOT"))
        || BLOCKS.iter().any(|word| text.is_word(0, word))
        || (text.word(0).is_some() && text.is(1, &Token::Colon))
}

/// One write of every watched table that is named, none of which can be told in advance.
pub(super) fn read(text: &Text<'_>, tables: &[Watched<'_>]) -> Option<Reading> {
    let (verb, adds, runs_strings) = match text.word(0)?.to_ascii_uppercase().as_str() {
        "INSERT" => (Verb::Insert, true, false),
        "REPLACE" => (Verb::Replace, true, false),
        "LOAD" => {
            let replaces = (0..text.len()).any(|at| text.is_word(at, "REPLACE") && text.is_word(at + 1, "INTO"));
            (if replaces { Verb::Replace } else { Verb::Insert }, true, false)
        }
        "UPDATE" => (Verb::Update, false, false),
        "DELETE" => (Verb::Delete, false, false),
        "WITH" if text.find(0..text.len(), "DELETE").is_some() => (Verb::Delete, false, false),
        "WITH" => (Verb::Update, false, false),
        "CALL" | "EXECUTE" | "PREPARE" => (Verb::Update, true, true),
        _ if is_block(text) => (Verb::Update, true, true),
        _ => return None,
    };
    let mut writes: Vec<Write> = Vec::new();
    let mut add = |schema: Option<Vec<u8>>, table: Vec<u8>| {
        if watched::find(tables, &table).is_none()
            || writes.iter().any(|write| write.table.eq_ignore_ascii_case(&table))
        {
            return;
        }
        let (condition, bounded, rows) = (None, None, None);
        writes.push(Write {
            verb,
            table,
            schema,
            condition,
            bounded,
            adds,
            rows,
            replaces: false,
            implicit_commit: false,
        });
    };
    for at in 0..text.len() {
        match text.token(at) {
            Some(Token::Word(word)) => {
                let qualified = at > 1 && text.is(at - 1, &Token::Period);
                let schema = if qualified { text.word(at - 2).map(name_bytes) } else { None };
                add(schema, name_bytes(&word.value));
            }
            Some(Token::SingleQuotedString(string) | Token::DoubleQuotedString(string)) if runs_strings => {
                names(&name_bytes(string)).for_each(|name| add(None, name.to_vec()));
            }
            _ => {}
        }
    }
    names(text.tail()).for_each(|name| add(None, name.to_vec()));
    (!writes.is_empty()).then_some(Reading::Writes(writes))
}

/// What could be names in a text that is no SQL, or SQL within a string.
fn names(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || *byte >= 0x80))
        .filter(|name| !name.is_empty())
}
