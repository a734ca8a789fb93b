//! Assignments to a key that leave it as it is.

use sqlparser::ast::{Assignment, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Value};

use super::super::syntax::{Name, assigned};

/// Whether an assignment cannot change a key's column: it is to another column, to itself, to `LAST_INSERT_ID(itself)`
/// (the idiom that hands an id over), or to the value that the WHERE asks for (`SET id = 5, … WHERE id = 5`).
pub(in super::super) fn leaves_unchanged(key: &[&str], assignment: &Assignment, selection: Option<&Expr>) -> bool {
    let touched: Vec<_> = assigned(&assignment.target)
        .into_iter()
        .filter_map(|name| key.iter().find(|column| name.own.eq_ignore_ascii_case(column.as_bytes())))
        .collect();
    match touched.as_slice() {
        [] => true,
        [column] => {
            is_column(&assignment.value, column)
                || is_last_insert_id_of(&assignment.value, column)
                || literal(&assignment.value)
                    .is_some_and(|value| selection.is_some_and(|selection| requires(selection, column, value)))
        }
        _ => false,
    }
}

fn is_column(expr: &Expr, column: &str) -> bool {
    match expr {
        Expr::Identifier(Ident { value, .. }) => value.eq_ignore_ascii_case(column),
        // Qualified by another table it may have another value.
        Expr::Nested(inner) => is_column(inner, column),
        _ => false,
    }
}

fn is_last_insert_id_of(expr: &Expr, column: &str) -> bool {
    let Expr::Function(function) = expr else { return false };
    let FunctionArguments::List(list) = &function.args else { return false };
    Name::of(&function.name).is_some_and(|name| name.own.eq_ignore_ascii_case(b"last_insert_id"))
        && matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] if is_column(inner, column))
}

/// Whether the condition holds only for rows whose column has the value.
fn requires(selection: &Expr, column: &str, value: &str) -> bool {
    match selection {
        Expr::Nested(inner) => requires(inner, column, value),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            requires(left, column, value) || requires(right, column, value)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let names = match &**left {
                Expr::CompoundIdentifier(parts) => {
                    parts.last().is_some_and(|part| part.value.eq_ignore_ascii_case(column))
                }
                other => is_column(other, column),
            };
            names && literal(right) == Some(value)
        }
        _ => false,
    }
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) | Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
