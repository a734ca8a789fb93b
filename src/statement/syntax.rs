//! From tokens to what the parser makes of them.

use std::ops::Range;

use sqlparser::ast::{AssignmentTarget, Ident, ObjectName, Statement};
use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::text::{Text, name_bytes};

/// Words behind the verb that change nothing about which rows are written, and that the parser refuses at some verbs.
const MODIFIERS: [&str; 5] = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "IGNORE"];

/// What ends the part of an UPDATE or DELETE that says what is done to which tables.
pub(super) const TAIL: [&str; 4] = ["WHERE", "ORDER", "LIMIT", "RETURNING"];

/// What begins the data of an INSERT.
pub(super) const DATA: [&str; 6] = ["VALUES", "VALUE", "SET", "SELECT", "WITH", "TABLE"];

/// Levels of the parser's own recursion: each takes some kilobytes of stack.
const MAX_RECURSION: usize = 20;

/// Parentheses within parentheses: the parser tries some of them several ways, and the tries multiply.
const MAX_PARENTHESES: usize = 16;

/// Tokens in a row without a comma at one level. `a OR b OR c` nests one deeper with each OR, and so does the freeing of
/// the tree, which knows no limit: a long chain would overflow the stack.
const MAX_CHAIN: usize = 1_000;

/// Tokens of a statement that is parsed as it stands. A longer one is a long list of ids or rows, whose expressions tell
/// the parser nothing.
const MAX_WHOLE: usize = 2_000;

/// Joins in all: the parser goes one level deeper with each, without counting them.
const MAX_JOINS: usize = 16;

/// Where the modifiers behind the verb end, and whether IGNORE is one of them.
pub(super) fn modifiers(text: &Text<'_>, verb: usize) -> (usize, bool) {
    let mut at = verb + 1;
    while MODIFIERS.iter().any(|word| text.is_word(at, word)) {
        at += 1;
    }
    (at, (verb + 1..at).any(|at| text.is_word(at, "IGNORE")))
}

/// Parses the INSERT, REPLACE, UPDATE or DELETE that begins at `verb`: as it stands, else with its expressions blanked
/// out, which keeps the tables and columns that are written.
pub(super) fn parse(text: &Text<'_>, verb: usize) -> Option<Statement> {
    let first_try = text.len() > MAX_WHOLE;
    [first_try, true].into_iter().find_map(|blank| {
        let tokens = prepared(text, verb, blank)?;
        if !is_flat(&tokens) {
            return None;
        }
        let tokens = tokens.into_iter().map(TokenWithSpan::wrap).collect();
        let mut parser =
            Parser::new(&MySqlDialect {}).with_recursion_limit(MAX_RECURSION).with_tokens_with_locations(tokens);
        let statement = parser.parse_statement().ok()?;
        (parser.peek_token_ref().token == Token::EOF).then_some(statement)
    })
}

fn prepared(text: &Text<'_>, verb: usize, blank: bool) -> Option<Vec<Token>> {
    let end = text.len();
    let (at, _) = modifiers(text, verb);
    let mut out = Prepared { text, tokens: vec![text.token(verb)?.clone()] };
    if text.is_word(verb, "UPDATE") {
        let set = text.find(at..end, "SET")?;
        out.head(at..set, true);
        if blank { out.blank_assignments("SET", set + 1..text.find_any(set..end, &TAIL)) } else { out.all(set..end) }
    } else if text.is_word(verb, "DELETE") {
        let tail = text.find_any(at..end, &TAIL);
        out.head(at..tail, false);
        if !blank {
            out.all(tail..end);
        }
    } else {
        let data = text.find_any(at..end, &DATA);
        out.head(at..data, false);
        if !blank {
            out.all(data..end);
            return Some(out.tokens);
        }
        let update = on_duplicate(text, data..end);
        if text.is_word(data, "SET") {
            out.blank_assignments("SET", data + 1..text.find_any(data..end, &["ON", "AS", "RETURNING"]));
        } else if text.is_word(data, "VALUES") || text.is_word(data, "VALUE") {
            out.keywords(&["VALUES"]);
            out.tokens.extend([Token::LParen, one(), Token::RParen]);
        } else {
            out.keywords(&["SELECT"]);
            out.tokens.push(one());
        }
        if let Some(update) = update {
            out.keywords(&["ON", "DUPLICATE", "KEY"]);
            out.blank_assignments("UPDATE", update);
        }
    }
    Some(out.tokens)
}

/// The assignments behind ON DUPLICATE KEY UPDATE.
pub(super) fn on_duplicate(text: &Text<'_>, range: Range<usize>) -> Option<Range<usize>> {
    let mut from = range.start;
    while let Some(at) = text.find(from..range.end, "ON") {
        if text.is_word(at + 1, "DUPLICATE") {
            let first = (at + 4).min(range.end);
            return Some(first..text.find_any(first..range.end, &["RETURNING"]));
        }
        from = at + 1;
    }
    None
}

struct Prepared<'t> {
    text: &'t Text<'t>,
    tokens: Vec<Token>,
}

impl Prepared<'_> {
    fn all(&mut self, range: Range<usize>) {
        self.tokens.extend(range.filter_map(|at| self.text.token(at).cloned()));
    }

    fn keywords(&mut self, words: &[&str]) {
        self.tokens.extend(words.iter().map(|word| Token::make_keyword(word)));
    }

    /// The tables, without what the parser does not know: partitions, `t.*`, and in an UPDATE the comma between tables.
    fn head(&mut self, range: Range<usize>, commas_join: bool) {
        let mut depth = 0_usize;
        let mut at = range.start;
        while at < range.end {
            let Some(token) = self.text.token(at) else { return };
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 && commas_join => {
                    self.keywords(&["CROSS", "JOIN"]);
                    at += 1;
                    continue;
                }
                Token::Period if depth == 0 && self.text.is(at + 1, &Token::Mul) => {
                    at += 2;
                    continue;
                }
                Token::Word(_) if self.text.is_word(at, "PARTITION") && self.text.is(at + 1, &Token::LParen) => {
                    at = (at..range.end).find(|at| self.text.is(*at, &Token::RParen)).map_or(range.end, |end| end + 1);
                    continue;
                }
                _ => {}
            }
            self.tokens.push(token.clone());
            at += 1;
        }
    }

    fn blank_assignments(&mut self, keyword: &str, range: Range<usize>) {
        self.keywords(&[keyword]);
        for (n, part) in self.text.split(range).into_iter().enumerate() {
            if n > 0 {
                self.tokens.push(Token::Comma);
            }
            let equals = part.clone().find(|at| matches!(self.text.token(*at), Some(Token::Eq | Token::Assignment)));
            self.all(part.start..equals.unwrap_or(part.end));
            self.tokens.extend([Token::Eq, one()]);
        }
    }
}

fn one() -> Token {
    Token::Number("1".to_owned(), false)
}

/// Whether the parser can be trusted with them.
fn is_flat(tokens: &[Token]) -> bool {
    let mut chains = vec![0_usize];
    let mut joins = 0;
    for token in tokens {
        match token {
            Token::LParen => chains.push(0),
            Token::RParen if chains.len() > 1 => {
                chains.pop();
            }
            Token::Comma => chains.iter_mut().last().into_iter().for_each(|chain| *chain = 0),
            Token::Word(word) if matches!(word.keyword, Keyword::JOIN | Keyword::STRAIGHT_JOIN) => joins += 1,
            _ => {}
        }
        let Some(chain) = chains.last_mut() else { return false };
        *chain += 1;
        if *chain > MAX_CHAIN || chains.len() > MAX_PARENTHESES || joins > MAX_JOINS {
            return false;
        }
    }
    true
}

/// A name of one to three parts: the last one, and what it is qualified with.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub own: Vec<u8>,
    pub qualifier: Option<Vec<u8>>,
}

impl Name {
    pub fn of(name: &ObjectName) -> Option<Name> {
        let mut parts = name.0.iter().rev().map(|part| part.as_ident().map(ident_bytes));
        Some(Name { own: parts.next()??, qualifier: parts.next().flatten() })
    }
}

pub(super) fn ident_bytes(ident: &Ident) -> Vec<u8> {
    name_bytes(&ident.value)
}

/// The columns of an assignment's left side.
pub(super) fn assigned(target: &AssignmentTarget) -> Vec<Name> {
    match target {
        AssignmentTarget::ColumnName(name) => Name::of(name).into_iter().collect(),
        AssignmentTarget::Tuple(names) => names.iter().filter_map(Name::of).collect(),
    }
}
