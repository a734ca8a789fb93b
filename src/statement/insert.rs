//! INSERT and REPLACE: which existing rows they may replace or update, and which keys they give.

use std::ops::Range;

use sqlparser::ast::{Insert, OnInsert, Statement, TableObject};
use sqlparser::tokenizer::{Token, Word};

use super::rows::leaves_unchanged;
use super::syntax::{self, DATA, Name, assigned};
use super::text::{Text, quoted};
use super::{Verb, Watched, Write, watched};

/// Reads an INSERT or REPLACE. `None`: the parser refuses it.
pub(super) fn read(text: &Text<'_>, tables: &[Watched<'_>]) -> Option<Vec<Write>> {
    let Statement::Insert(insert) = syntax::parse(text, 0)? else { return None };
    let TableObject::TableName(name) = &insert.table else { return None };
    let Name { own, qualifier } = Name::of(name)?;
    let Some(watched) = watched::find(tables, &own) else { return Some(Vec::new()) };
    let verb = if text.is_word(0, "REPLACE") { Verb::Replace } else { Verb::Insert };
    let given = Given::of(text, &insert);
    let replaces = verb == Verb::Replace || matches!(insert.on, Some(OnInsert::DuplicateKeyUpdate(_)));
    let condition = if moves_key(&insert, watched) { None } else { given.condition(watched, replaces) };
    let rows = given.rows.as_ref().map(|rows| rows.len() as u64);
    let write = Write {
        verb,
        table: own,
        schema: qualifier,
        condition,
        bounded: None,
        adds: true,
        rows,
        replaces,
        implicit_commit: false,
    };
    Some(vec![write])
}

/// Whether ON DUPLICATE KEY UPDATE may give a row another primary key.
fn moves_key(insert: &Insert, watched: &Watched<'_>) -> bool {
    let (Some(OnInsert::DuplicateKeyUpdate(assignments)), Some(key)) = (&insert.on, watched.primary()) else {
        return false;
    };
    assignments.iter().any(|assignment| !leaves_unchanged(key, assignment, None))
}

/// What the statement gives.
struct Given<'t> {
    text: &'t Text<'t>,
    columns: Vec<Vec<u8>>,
    /// The values of each row, in the order of the columns; `None` from a query.
    rows: Option<Vec<Vec<Range<usize>>>>,
    ignore: bool,
}

enum Kind {
    /// What it is in a comparison is what it is when it is stored.
    Literal,
    Null,
    Default,
    Other,
}

impl<'t> Given<'t> {
    fn of(text: &'t Text<'t>, insert: &Insert) -> Self {
        let (at, ignore) = syntax::modifiers(text, 0);
        let data = text.find_any(at..text.len(), &DATA);
        let end = text.find_any((data + 1).min(text.len())..text.len(), &["ON", "AS", "RETURNING"]);
        let parts = |range| text.split(range);
        if text.is_word(data, "SET") {
            let columns = insert.assignments.iter().flat_map(|assignment| assigned(&assignment.target));
            let values = parts(data + 1..end).into_iter().map(|part| {
                let equals = part.clone().find(|at| matches!(text.token(*at), Some(Token::Eq | Token::Assignment)));
                equals.map_or(part.end, |at| at + 1)..part.end
            });
            return Given {
                text,
                columns: columns.map(|name| name.own).collect(),
                rows: Some(vec![values.collect()]),
                ignore,
            };
        }
        let columns = insert.columns.iter().filter_map(Name::of).map(|name| name.own).collect();
        let rows = (text.is_word(data, "VALUES") || text.is_word(data, "VALUE")).then(|| {
            let rows = parts(data + 1..end).into_iter().map(|row| {
                let open = if text.is_word(row.start, "ROW") { row.start + 1 } else { row.start };
                parts(open + 1..row.end.saturating_sub(1))
            });
            rows.collect()
        });
        Given { text, columns, rows, ignore }
    }

    /// The rows that may have one of the given keys already. What replaces nothing is still looked up by its primary key:
    /// the row that it makes may stand below the highest one.
    fn condition(&self, watched: &Watched<'_>, replaces: bool) -> Option<Vec<u8>> {
        watched.primary()?;
        let keys = if replaces { watched.keys() } else { &watched.keys()[..1] };
        let mut alternatives = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            match &self.rows {
                _ if self.columns.is_empty() && !self.gives_nothing() => return None,
                None if self.columns_of(key).is_empty() => {}
                None => return None,
                Some(rows) => alternatives.extend(self.alternative(key, rows, n == 0)?),
            }
        }
        Some(if alternatives.is_empty() { b"FALSE".to_vec() } else { alternatives.join(b" OR ".as_slice()) })
    }

    /// `INSERT INTO t () VALUES ()`.
    fn gives_nothing(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.iter().all(Vec::is_empty))
    }

    /// The given columns of a key, with their place in a row. Those that are not given have their default, so the others
    /// alone find more rows, not fewer.
    fn columns_of<'k>(&self, key: &[&'k str]) -> Vec<(usize, &'k str)> {
        let place = |column: &str| self.columns.iter().position(|given| given.eq_ignore_ascii_case(column.as_bytes()));
        key.iter().filter_map(|column| Some((place(column)?, *column))).collect()
    }

    /// The condition for one key: `Some(None)` if nothing can have it, `None` if it cannot be told.
    #[allow(clippy::option_option, reason = "an alternative, none, or not to be told")]
    fn alternative(&self, key: &[&str], rows: &[Vec<Range<usize>>], primary: bool) -> Option<Option<Vec<u8>>> {
        let columns = self.columns_of(key);
        let mut found: Vec<Vec<u8>> = Vec::new();
        for row in rows {
            if row.len() != self.columns.len() {
                return None;
            }
            let mut values: Vec<&[u8]> = Vec::new();
            let mut is_new = false;
            for (place, _) in &columns {
                let value = row[*place].clone();
                match self.kind(value.clone()) {
                    Kind::Literal => values.push(self.text.slice(value)),
                    // An automatic key gets a number that no row has; a column that may be null equals no other.
                    Kind::Null if key.len() == 1 && primary => is_new = true,
                    // Where NULL is not allowed, several rows at once, or IGNORE, make it the type's empty value.
                    Kind::Null if rows.len() > 1 || self.ignore => values.push(b"''"),
                    Kind::Null => is_new = true,
                    Kind::Default if key.len() == 1 => is_new = true,
                    Kind::Default | Kind::Other => return None,
                }
            }
            if !is_new && !values.is_empty() {
                let joined = values.join(b", ".as_slice());
                found.push(if values.len() > 1 { [b"(", joined.as_slice(), b")"].concat() } else { joined });
            }
        }
        if found.is_empty() {
            return Some(None);
        }
        let names: Vec<Vec<u8>> = columns.iter().map(|(_, column)| quoted(column.as_bytes())).collect();
        let names = names.join(b", ".as_slice());
        let left = if columns.len() > 1 { [b"(", names.as_slice(), b")"].concat() } else { names };
        Some(Some([left.as_slice(), b" IN (", &found.join(b", ".as_slice()), b")"].concat()))
    }

    fn kind(&self, range: Range<usize>) -> Kind {
        let tokens: Vec<&Token> = range.clone().filter_map(|at| self.text.token(at)).collect();
        let keyword = |keyword: &str| range.len() == 1 && self.text.is_word(range.start, keyword);
        match tokens.as_slice() {
            [Token::Word(_)] if keyword("NULL") => Kind::Null,
            [Token::Word(_)] if keyword("DEFAULT") => Kind::Default,
            [Token::Word(_)] if keyword("TRUE") || keyword("FALSE") => Kind::Literal,
            // A fraction would be stored rounded and compared exactly.
            [Token::Number(number, _)] | [Token::Minus | Token::Plus, Token::Number(number, _)]
                if number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Kind::Literal
            }
            // A binary string is compared by its bytes, though the key is not.
            [Token::Word(word), strings @ ..] if is_introducer(word) => strings_kind(strings),
            strings => strings_kind(strings),
        }
    }
}

/// `_utf8mb4` before a string.
fn is_introducer(word: &Word) -> bool {
    word.quote_style.is_none() && word.value.starts_with('_') && !word.value.eq_ignore_ascii_case("_binary")
}

fn strings_kind(tokens: &[&Token]) -> Kind {
    let is_exact = |token: &&Token| match token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) | Token::NationalStringLiteral(text) => {
            !is_fraction(text)
        }
        _ => false,
    };
    if !tokens.is_empty() && tokens.iter().all(is_exact) { Kind::Literal } else { Kind::Other }
}

/// A number in quotes that an integer column would store rounded.
fn is_fraction(text: &str) -> bool {
    text.contains(['.', 'e', 'E'])
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+- ".contains(&byte))
}
