//! A statement's text, its tokens, and where in the text each stands.

use std::borrow::Cow;
use std::ops::Range;

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

/// A token without the blanks around it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub token: Token,
    start: usize,
    end: usize,
}

/// A statement, or one of several in a text. Positions are indices of tokens.
#[derive(Clone, Debug)]
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    pieces: Cow<'a, [Piece]>,
    /// Where the tokenizer gave up; what stands behind is in no token.
    cut_off_at: Option<usize>,
    /// Where comments begin that hold SQL.
    version_comments: Vec<usize>,
}

/// Every server that WordPress supports runs what a comment of a lower version holds. From here on MariaDB skips what
/// MySQL runs.
const ALWAYS_RUN_BELOW: u32 = 50700;

impl<'a> Text<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        // The tokenizer wants UTF-8, a statement may be anything: each byte becomes the character of its number, so
        // that columns are bytes and nothing is lost.
        let chars: Cow<'_, str> = match std::str::from_utf8(bytes) {
            Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
            _ => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        };
        let mut tokens = Vec::new();
        let whole = Tokenizer::new(&MySqlDialect {}, &chars)
            .with_unescape(false)
            .tokenize_with_location_into_buf(&mut tokens)
            .is_ok();
        let lines: Vec<usize> = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1)).collect();
        let offset = |at: Location| {
            let line = lines.get((at.line as usize).saturating_sub(1)).copied().unwrap_or(bytes.len());
            (line + (at.column as usize).saturating_sub(1)).min(bytes.len())
        };
        let mut spans = Vec::with_capacity(tokens.len());
        let mut read_to = 0;
        let mut pieces = Vec::with_capacity(tokens.len());
        for token in tokens {
            let (start, end) = (offset(token.span.start), offset(token.span.end));
            read_to = end;
            spans.push((start, end));
            match token.token {
                Token::Whitespace(_) => {}
                token => pieces.push(Piece { token, start, end: end.max(start) }),
            }
        }
        // The tokenizer gives the tokens of a version comment instead of the comment, from where it begins, as if its marks
        // were not there. So what looks like one is one, unless a token that began before (a string, a comment) covers it.
        let is_token = |at: usize| {
            let before = spans.partition_point(|(start, _)| *start < at);
            before > 0 && spans[before - 1].1 > at
        };
        let marks = memchr::memmem::find_iter(bytes, "/*!").chain(memchr::memmem::find_iter(bytes, "/*M!"));
        let version_comments = marks.filter(|at| !is_token(*at)).collect();
        Text { bytes, pieces: pieces.into(), cut_off_at: (!whole).then_some(read_to), version_comments }
    }

    /// Whether the text ends within a literal or a comment, or has something in it that is no SQL.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off_at.is_some()
    }

    /// What stands behind the last token that could be read.
    pub fn tail(&self) -> &'a [u8] {
        self.cut_off_at.map(|at| &self.bytes[at..]).unwrap_or_default()
    }

    pub fn has_version_comments(&self) -> bool {
        !self.version_comments.is_empty()
    }

    /// The text with blanks for the marks of its version comments, if every server runs what stands in them.
    pub fn without_version_comments(&self) -> Option<Vec<u8>> {
        let mut plain = self.bytes.to_vec();
        for &start in &self.version_comments {
            let inner = self.bytes[start..].strip_prefix(b"/*!")?;
            let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let version = std::str::from_utf8(&inner[..digits]).ok()?;
            // Five digits, or none.
            if digits > 0 && (digits != 5 || version.parse::<u32>().ok()? >= ALWAYS_RUN_BELOW) {
                return None;
            }
            let end = start + 3 + memchr::memmem::find(inner, b"*/")?;
            plain[start..start + 3 + digits].fill(b' ');
            plain[end..end + 2].fill(b' ');
        }
        Some(plain)
    }

    /// The statements, at the semicolons.
    pub fn statements(&self) -> impl Iterator<Item = Text<'_>> {
        self.pieces.split(|piece| piece.token == Token::SemiColon).filter(|pieces| !pieces.is_empty()).map(|pieces| {
            Text { bytes: self.bytes, pieces: pieces.into(), cut_off_at: None, version_comments: Vec::new() }
        })
    }

    /// The statement without parentheses around it and without MariaDB's `SET STATEMENT … FOR` and `ANALYZE` before it.
    pub fn without_wrapping(&self) -> Text<'_> {
        let mut from = 0;
        let mut to = self.len();
        while to > from && self.is(from, &Token::LParen) && self.is(to - 1, &Token::RParen) {
            (from, to) = (from + 1, to - 1);
        }
        if self.is_word(from, "SET") && self.is_word(from + 1, "STATEMENT") {
            from = self.find(from..to, "FOR").map_or(from, |at| at + 1);
        }
        if self.is_word(from, "ANALYZE") {
            let mut inner = from + 1;
            if self.is_word(inner, "FORMAT") && self.is(inner + 1, &Token::Eq) {
                inner += 3;
            }
            if ["INSERT", "REPLACE", "UPDATE", "DELETE", "SELECT", "WITH"].iter().any(|word| self.is_word(inner, word))
            {
                from = inner;
            }
        }
        let pieces = self.pieces[from.min(to)..to].into();
        Text { bytes: self.bytes, pieces, cut_off_at: None, version_comments: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    pub fn token(&self, at: usize) -> Option<&Token> {
        self.pieces.get(at).map(|piece| &piece.token)
    }

    pub fn is(&self, at: usize, token: &Token) -> bool {
        self.token(at) == Some(token)
    }

    /// The name or keyword at a position.
    pub fn word(&self, at: usize) -> Option<&str> {
        match self.token(at) {
            Some(Token::Word(word)) => Some(&word.value),
            _ => None,
        }
    }

    /// Whether this keyword stands there; behind a period, or quoted, it is a name.
    pub fn is_word(&self, at: usize, keyword: &str) -> bool {
        matches!(self.token(at), Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword))
            && !(at > 0 && self.is(at - 1, &Token::Period))
    }

    /// Where a keyword stands first within `range`, outside parentheses.
    pub fn find(&self, range: Range<usize>, keyword: &str) -> Option<usize> {
        self.find_by(range, |at| self.is_word(at, keyword))
    }

    /// Where any of some keywords stands first within `range`, outside parentheses; else the end of the range.
    pub fn find_any(&self, range: Range<usize>, keywords: &[&str]) -> usize {
        let end = range.end;
        self.find_by(range, |at| keywords.iter().any(|keyword| self.is_word(at, keyword))).unwrap_or(end)
    }

    fn find_by(&self, range: Range<usize>, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let mut depth = 0_usize;
        for at in range {
            match self.token(at)? {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Word(_) if depth == 0 && wanted(at) => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// The parts of `range` between the commas outside parentheses.
    pub fn split(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        if range.is_empty() {
            return parts;
        }
        let (mut depth, mut from) = (0_usize, range.start);
        for at in range.clone() {
            match self.token(at) {
                Some(Token::LParen) => depth += 1,
                Some(Token::RParen) => depth = depth.saturating_sub(1),
                Some(Token::Comma) if depth == 0 => {
                    parts.push(from..at);
                    from = at + 1;
                }
                _ => {}
            }
        }
        parts.push(from..range.end);
        parts
    }

    /// The statement's own text of `range`.
    pub fn slice(&self, range: Range<usize>) -> &'a [u8] {
        match (self.pieces.get(range.start), range.end.checked_sub(1).and_then(|last| self.pieces.get(last))) {
            (Some(first), Some(last)) if first.start <= last.end => &self.bytes[first.start..last.end],
            _ => &[],
        }
    }

    /// The text of `range` with other bytes in place of the tokens that `other` knows one for.
    pub fn rewritten(&self, range: Range<usize>, other: impl Fn(usize) -> Option<Vec<u8>>) -> Vec<u8> {
        let mut text = Vec::new();
        let Some(mut from) = self.pieces.get(range.start).map(|piece| piece.start) else { return text };
        for at in range.clone() {
            if let (Some(new), Some(piece)) = (other(at), self.pieces.get(at)) {
                text.extend_from_slice(self.bytes.get(from..piece.start).unwrap_or_default());
                text.extend_from_slice(&new);
                from = piece.end;
            }
        }
        let end = range.end.checked_sub(1).and_then(|last| self.pieces.get(last)).map_or(from, |piece| piece.end);
        text.extend_from_slice(self.bytes.get(from..end).unwrap_or_default());
        text
    }
}

/// A name as the statement has it: what became characters becomes bytes again.
pub(super) fn name_bytes(name: &str) -> Vec<u8> {
    // Below 256 by construction; the quotes within a quoted name stay doubled.
    name.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// A name as an identifier in backticks.
pub(super) fn quoted(name: &[u8]) -> Vec<u8> {
    let mut text = vec![b'`'];
    text.extend(name.iter().flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b'`' { 2 } else { 1 })));
    text.push(b'`');
    text
}
