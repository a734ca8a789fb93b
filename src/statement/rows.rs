//! UPDATE, DELETE and TRUNCATE: which existing rows they may touch.

use std::ops::Range;

use sqlparser::ast::{Assignment, Delete, FromTable, Statement, TableFactor, TableWithJoins, Update};
use sqlparser::tokenizer::Token;

use super::syntax::{self, Name, TAIL, assigned, ident_bytes};
use super::text::{Text, name_bytes, quoted};
use super::volatile::is_volatile;
use super::{Verb, Watched, Write, watched};

mod unchanged;

pub(super) use unchanged::leaves_unchanged;

/// Reads an UPDATE or DELETE, with or without a WITH before it. `None`: the parser refuses it.
pub(super) fn read(text: &Text<'_>, tables: &[Watched<'_>]) -> Option<Vec<Write>> {
    let mut verb = 0;
    if text.is_word(0, "WITH") {
        verb = text.find_any(0..text.len(), &["UPDATE", "DELETE"]);
        if verb == text.len() {
            return Some(Vec::new());
        }
    }
    match syntax::parse(text, verb)? {
        Statement::Update(update) => updated(text, verb, &update, tables),
        Statement::Delete(delete) => deleted(text, verb, &delete, tables),
        _ => None,
    }
}

/// The write of a TRUNCATE, if the table is watched.
pub(super) fn truncated(text: &Text<'_>, tables: &[Watched<'_>]) -> Option<Write> {
    let at = if text.is_word(1, "TABLE") { 2 } else { 1 };
    let first = name_bytes(text.word(at)?);
    let second = if text.is(at + 1, &Token::Period) { text.word(at + 2).map(name_bytes) } else { None };
    let (schema, table) = match second {
        Some(second) => (Some(first), second),
        None => (None, first),
    };
    watched::find(tables, &table)?;
    let condition = Some(b"TRUE".to_vec());
    Some(Write {
        verb: Verb::Delete,
        table,
        schema,
        condition,
        bounded: None,
        adds: false,
        rows: None,
        replaces: false,
        implicit_commit: true,
    })
}

fn updated(text: &Text<'_>, verb: usize, update: &Update, tables: &[Watched<'_>]) -> Option<Vec<Write>> {
    let (at, _) = syntax::modifiers(text, verb);
    let set = text.find(at..text.len(), "SET")?;
    let sources = Sources::of([&update.table]);
    let clauses = Clauses::of(text, verb, at..set, set, sources);
    let written = |factor: &Factor, assignment: &Assignment| {
        assigned(&assignment.target).iter().any(|name| name.qualifier.as_ref().is_none_or(|by| factor.is_called(by)))
    };
    let writes = clauses.sources.factors.iter().filter_map(|factor| {
        let watched = watched::find(tables, &factor.name)?;
        let own: Vec<&Assignment> =
            update.assignments.iter().filter(|assignment| written(factor, assignment)).collect();
        if own.is_empty() && !clauses.is_single() {
            return None;
        }
        let mut write = clauses.write(Verb::Update, factor, watched);
        let selection = update.selection.as_ref().filter(|_| clauses.is_single());
        let moves = |assignment: &&Assignment| {
            watched.primary().is_some_and(|key| !leaves_unchanged(key, assignment, selection))
        };
        if own.iter().any(moves) {
            // The row after could not be found by the key before.
            (write.condition, write.bounded) = (None, None);
        }
        Some(write)
    });
    Some(writes.collect())
}

fn deleted(text: &Text<'_>, verb: usize, delete: &Delete, tables: &[Watched<'_>]) -> Option<Vec<Write>> {
    let (at, _) = syntax::modifiers(text, verb);
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let listed = |list: &[TableWithJoins]| Sources::of(list).factors.into_iter().map(|factor| factor.named()).collect();
    let start = |keyword: &str| text.find(at..text.len(), keyword).map(|at| at + 1);
    let (names, sources, start): (Vec<Name>, Sources, usize) = match &delete.using {
        Some(using) => (listed(from), Sources::of(using), start("USING")?),
        None if delete.tables.is_empty() => (listed(from), Sources::of(from), start("FROM")?),
        None => (delete.tables.iter().filter_map(Name::of).collect(), Sources::of(from), start("FROM")?),
    };
    let tail = text.find_any(start..text.len(), &TAIL);
    let clauses = Clauses::of(text, verb, start..tail, start, sources);
    let writes = names.iter().filter_map(|name| {
        let factors = &clauses.sources.factors;
        let by_alias = |factor: &&Factor| name.qualifier.is_none() && factor.is_called(&name.own);
        let by_name = |factor: &&Factor| factor.name.eq_ignore_ascii_case(&name.own) && factor.is_in(&name.qualifier);
        match factors.iter().find(by_alias).or_else(|| factors.iter().find(by_name)) {
            Some(factor) => Some(clauses.write(Verb::Delete, factor, watched::find(tables, &factor.name)?)),
            None => {
                watched::find(tables, &name.own)?;
                let factor = Factor { schema: name.qualifier.clone(), name: name.own.clone(), alias: None };
                Some(factor.write(Verb::Delete))
            }
        }
    });
    Some(writes.collect())
}

/// A table in the statement's FROM.
#[derive(Debug)]
struct Factor {
    schema: Option<Vec<u8>>,
    name: Vec<u8>,
    alias: Option<Vec<u8>>,
}

impl Factor {
    fn is_called(&self, name: &[u8]) -> bool {
        self.alias.as_ref().unwrap_or(&self.name).eq_ignore_ascii_case(name)
    }

    fn is_in(&self, schema: &Option<Vec<u8>>) -> bool {
        match (&self.schema, schema) {
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            // One of them names the current database.
            _ => true,
        }
    }

    fn named(self) -> Name {
        Name { own: self.alias.unwrap_or(self.name), qualifier: self.schema }
    }

    fn write(&self, verb: Verb) -> Write {
        Write {
            verb,
            table: self.name.clone(),
            schema: self.schema.clone(),
            condition: None,
            bounded: None,
            adds: false,
            rows: None,
            replaces: false,
            implicit_commit: false,
        }
    }
}

/// What the statement's FROM is made of.
#[derive(Debug, Default)]
struct Sources {
    factors: Vec<Factor>,
    /// Subqueries, table functions.
    others: usize,
}

impl Sources {
    fn of<'a>(tables: impl IntoIterator<Item = &'a TableWithJoins>) -> Self {
        let mut sources = Sources::default();
        tables.into_iter().for_each(|table| sources.add(table));
        sources
    }

    fn add(&mut self, table: &TableWithJoins) {
        let joined = table.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&table.relation).chain(joined) {
            match factor {
                TableFactor::Table { name, alias, args: None, .. } if Name::of(name).is_some() => {
                    let Some(Name { own, qualifier }) = Name::of(name) else { continue };
                    let alias = alias.as_ref().map(|alias| ident_bytes(&alias.name));
                    self.factors.push(Factor { schema: qualifier, name: own, alias });
                }
                TableFactor::NestedJoin { table_with_joins, .. } => self.add(table_with_joins),
                _ => self.others += 1,
            }
        }
    }
}

/// Where the statement's clauses stand.
struct Clauses<'t> {
    text: &'t Text<'t>,
    sources: Sources,
    with: Range<usize>,
    from: Range<usize>,
    condition: Option<Range<usize>>,
    order: Option<Range<usize>>,
    limit: Option<Range<usize>>,
}

impl<'t> Clauses<'t> {
    /// The clauses of the statement at `verb`, whose tables stand in `from` and whose WHERE comes after `after`.
    fn of(text: &'t Text<'t>, verb: usize, from: Range<usize>, after: usize, sources: Sources) -> Self {
        let end = text.find_any(after..text.len(), &["RETURNING"]);
        let clause = |keyword: &str, length: usize, next: &[&str]| {
            let start = text.find(after..end, keyword)? + length;
            Some(start..text.find_any(start..end, next))
        };
        Clauses {
            text,
            sources,
            with: 0..verb,
            from,
            condition: clause("WHERE", 1, &["ORDER", "LIMIT"]),
            order: clause("ORDER", 2, &["LIMIT"]),
            limit: clause("LIMIT", 1, &[]),
        }
    }

    /// Whether there is one table and nothing else that rows come from.
    fn is_single(&self) -> bool {
        self.sources.factors.len() == 1 && self.sources.others == 0 && self.with.is_empty()
    }

    fn write(&self, verb: Verb, factor: &Factor, watched: &Watched<'_>) -> Write {
        let condition = self.condition(factor, watched);
        let bounded = condition.as_ref().and_then(|condition| self.bounded(condition, factor, watched));
        Write { condition, bounded, ..factor.write(verb) }
    }

    fn condition(&self, factor: &Factor, watched: &Watched<'_>) -> Option<Vec<u8>> {
        let mut parts = self.condition.iter().chain([&self.from, &self.with]);
        // An empty one is a column called `order` or `limit`, or no SQL.
        let is_empty = self.condition.as_ref().is_some_and(|range| self.text.slice(range.clone()).is_empty());
        if is_empty || parts.any(|part| is_volatile(self.text, part.clone())) {
            return None;
        }
        if !self.is_single() {
            return self.by_key(factor, watched);
        }
        let Some(range) = self.condition.clone() else { return Some(b"TRUE".to_vec()) };
        if self.names_alias(factor, range.clone()) && self.has_subquery(range.clone()) {
            // The subquery may have a table of that name of its own.
            return self.by_key(factor, watched);
        }
        Some(self.without_alias(factor, range))
    }

    /// `key IN (SELECT key FROM … WHERE …)`: the original tables and condition as they stand.
    fn by_key(&self, factor: &Factor, watched: &Watched<'_>) -> Option<Vec<u8>> {
        let key = watched.primary()?;
        let own: Vec<Vec<u8>> = key.iter().map(|column| quoted(column.as_bytes())).collect();
        let qualifier = match (&factor.alias, &factor.schema) {
            (Some(alias), _) => quoted(alias),
            (None, Some(schema)) => [quoted(schema), quoted(&factor.name)].join(&b'.'),
            (None, None) => quoted(&factor.name),
        };
        let selected: Vec<Vec<u8>> = own.iter().map(|column| [qualifier.clone(), column.clone()].join(&b'.')).collect();
        let left = own.join(b", ".as_slice());
        let mut text = if own.len() > 1 { [b"(", left.as_slice(), b")"].concat() } else { left };
        text.extend_from_slice(b" IN (");
        if !self.with.is_empty() {
            text.extend_from_slice(self.text.slice(self.with.clone()));
            text.push(b' ');
        }
        text.extend_from_slice(b"SELECT ");
        text.extend_from_slice(&selected.join(b", ".as_slice()));
        text.extend_from_slice(b" FROM ");
        text.extend_from_slice(self.text.slice(self.from.clone()));
        if let Some(range) = &self.condition {
            text.extend_from_slice(b" WHERE ");
            text.extend_from_slice(self.text.slice(range.clone()));
        }
        text.push(b')');
        Some(text)
    }

    /// With ORDER BY and LIMIT: they choose the same rows each time only if the order ends ties, so if it has the
    /// primary key in it.
    fn bounded(&self, condition: &[u8], factor: &Factor, watched: &Watched<'_>) -> Option<Vec<u8>> {
        let (order, limit) = (self.order.clone()?, self.limit.clone()?);
        let is_number = limit.len() == 1 && matches!(self.text.token(limit.start), Some(Token::Number(..)));
        if !is_number || !self.is_single() || is_volatile(self.text, order.clone()) || self.has_subquery(order.clone())
        {
            return None;
        }
        let ordered: Vec<&str> =
            self.text.split(order.clone()).into_iter().filter_map(|item| self.column(item)).collect();
        let has = |column: &&str| ordered.iter().any(|by| by.eq_ignore_ascii_case(column));
        if !watched.primary()?.iter().all(has) {
            return None;
        }
        let order = self.without_alias(factor, order);
        Some([condition, b" ORDER BY ", &order, b" LIMIT ", self.text.slice(limit)].concat())
    }

    /// The column that an item of ORDER BY is, if it is nothing else.
    fn column(&self, item: Range<usize>) -> Option<&str> {
        let direction =
            item.end.checked_sub(1).filter(|last| ["ASC", "DESC"].iter().any(|word| self.text.is_word(*last, word)));
        let item = item.start..direction.unwrap_or(item.end);
        let qualified = item.len() == 3 && self.text.is(item.start + 1, &Token::Period);
        if item.len() == 1 || qualified { self.text.word(item.end - 1) } else { None }
    }

    fn has_subquery(&self, mut range: Range<usize>) -> bool {
        range.any(|at| self.text.is_word(at, "SELECT"))
    }

    fn is_alias(&self, factor: &Factor, at: usize) -> bool {
        let Some(alias) = &factor.alias else { return false };
        self.text.is(at + 1, &Token::Period)
            && !(at > 0 && self.text.is(at - 1, &Token::Period))
            && self.text.word(at).is_some_and(|word| name_bytes(word).eq_ignore_ascii_case(alias))
    }

    fn names_alias(&self, factor: &Factor, mut range: Range<usize>) -> bool {
        range.any(|at| self.is_alias(factor, at))
    }

    /// The text of `range` with the table's own name in place of its alias.
    fn without_alias(&self, factor: &Factor, range: Range<usize>) -> Vec<u8> {
        self.text.rewritten(range, |at| self.is_alias(factor, at).then(|| quoted(&factor.name)))
    }
}
