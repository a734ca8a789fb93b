//! Expressions that give another result, or do something, when they are evaluated a second time.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::text::Text;

/// Functions whose result differs from call to call or that act. Those of the time are not among them: a condition is
/// read within milliseconds of the statement.
const FUNCTIONS: [&str; 24] = [
    "benchmark",
    "encrypt",
    "found_rows",
    "get_lock",
    "lastval",
    "master_gtid_wait",
    "master_pos_wait",
    "nextval",
    "rand",
    "random_bytes",
    "release_all_locks",
    "release_lock",
    "row_count",
    "setval",
    "sleep",
    "source_pos_wait",
    "sys_guid",
    "uuid",
    "uuid_short",
    "uuid_v4",
    "uuid_v7",
    "wait_for_executed_gtid_set",
    "wait_until_sql_thread_after_gtids",
    "is_free_lock",
];

/// Whether what stands in `range` cannot be evaluated in advance.
pub(super) fn is_volatile(text: &Text<'_>, range: Range<usize>) -> bool {
    range.into_iter().any(|at| match text.token(at) {
        // A user variable; `@@` is a setting.
        Some(Token::Word(word)) if word.quote_style.is_none() && word.value.starts_with('@') => {
            !word.value.starts_with("@@")
        }
        Some(Token::AtSign | Token::Assignment | Token::Placeholder(_)) => true,
        Some(Token::Word(word)) if text.is(at + 1, &Token::LParen) => {
            FUNCTIONS.iter().any(|name| word.value.eq_ignore_ascii_case(name))
                // Without an argument it only tells the id.
                || (word.value.eq_ignore_ascii_case("last_insert_id") && !text.is(at + 2, &Token::RParen))
        }
        Some(Token::Word(_)) => {
            (text.is_word(at, "NEXT") || text.is_word(at, "PREVIOUS"))
                && text.is_word(at + 1, "VALUE")
                && text.is_word(at + 2, "FOR")
        }
        _ => false,
    })
}
