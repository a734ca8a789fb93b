//! Which rows a statement writes.

use std::time::{Duration, Instant};

use posthorn::statement::{Reading, Step, Watched, read};

fn tables() -> Vec<Watched<'static>> {
    vec![
        Watched::new("wp_crm_contacts", vec![vec!["contact_id"], vec!["email"]]).unwrap(),
        Watched::new("*_crm_deals", vec![vec!["deal_id"]]).unwrap(),
        Watched::new("wp_crm_tags", vec![vec!["kind", "item"], vec!["site", "name"]]).unwrap(),
        Watched::new("wp_crm_log", Vec::new()).unwrap(),
    ]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a test sees of a reading: one line for each write.
fn shown(sql: &str) -> String {
    shown_bytes(sql.as_bytes())
}

/// As `shown`, for bytes that need be no text.
fn shown_bytes(sql: &[u8]) -> String {
    match read(sql, &tables()) {
        None => "nothing".to_owned(),
        Some(Reading::Transaction(step)) => match step {
            Step::Begin => "begin".to_owned(),
            Step::Commit { implicit, chain } => {
                format!("commit{}{}", if implicit { " implicit" } else { "" }, if chain { " chain" } else { "" })
            }
            Step::Rollback { savepoint, chain } => {
                let to = savepoint.map(|name| format!(" to {}", text(&name))).unwrap_or_default();
                format!("rollback{to}{}", if chain { " chain" } else { "" })
            }
            Step::Savepoint(name) => format!("savepoint {}", text(&name)),
            Step::Release(name) => format!("release {}", text(&name)),
            Step::Autocommit(on) => format!("autocommit {on:?}"),
        },
        Some(Reading::Writes(writes)) => {
            let lines = writes.iter().map(|write| {
                let schema = write.schema.as_ref().map(|schema| text(schema) + ".").unwrap_or_default();
                let rows = write.rows.map(|rows| format!(" {rows}")).unwrap_or_default();
                let condition = write.condition.as_ref().map_or("?".to_owned(), |condition| text(condition));
                let bounded = write.bounded.as_ref().map(|bounded| format!(" | {}", text(bounded))).unwrap_or_default();
                let commit = if write.implicit_commit { " commit" } else { "" };
                let adds = if write.adds { "+" } else { "" };
                format!(
                    "{}{adds}{rows}{commit} {schema}{}: {condition}{bounded}",
                    write.verb.as_str(),
                    text(&write.table)
                )
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

/// The statements and expectations below a heading of statements.txt.
fn check(heading: &str) {
    let all = include_str!("statements.txt");
    let (_, section) = all.split_once(&format!("## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    for case in section.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let (sql, expected) = case.split_once("\n=> ").unwrap();
        assert_eq!(shown(sql), expected.trim_end().replace("\n=> ", "\n"), "{sql}");
    }
}

#[test]
fn the_condition_of_one_table_is_the_where_as_it_was_written() {
    check("The condition of one table is the WHERE as it was written");
}

#[test]
fn what_the_parser_knows_nothing_of_does_not_change_the_condition() {
    check("What the parser knows nothing of does not change the condition");
}

#[test]
fn order_by_and_limit_bound_a_condition_only_if_they_choose_the_same_rows_each_time() {
    check("ORDER BY and LIMIT bound a condition only if they choose the same rows each time");
}

#[test]
fn an_alias_gives_way_to_the_name_or_stays_with_its_table_in_a_subquery() {
    check("An alias gives way to the table's name, or stays with its table in a subquery");
}

#[test]
fn a_join_is_read_by_the_key_over_the_statements_own_tables() {
    check("A join is read by the key, over the statement's own tables");
}

#[test]
fn a_condition_that_cannot_be_told_in_advance_is_none() {
    check("A condition that cannot be told in advance is none");
}

#[test]
fn a_primary_key_that_is_assigned_cannot_be_told_unless_it_stays_as_it_is() {
    check("A primary key that is assigned cannot be told, unless it stays as it is");
}

#[test]
fn an_insert_is_looked_up_by_the_primary_keys_that_it_gives() {
    check("An INSERT is looked up by the primary keys that it gives");
}

#[test]
fn what_replaces_is_looked_up_by_every_unique_key_that_it_gives() {
    check("What replaces is looked up by every unique key that it gives");
}

#[test]
fn a_table_that_is_only_read_or_only_mentioned_is_not_written() {
    check("A table that is only read or only mentioned is not written");
    assert_eq!(shown(""), "nothing");
}

#[test]
fn what_cannot_be_read_counts_as_a_write_of_every_table_that_it_names() {
    check("What cannot be read counts as a write of every table that it names");
}

#[test]
fn truncate_deletes_every_row_and_commits() {
    check("TRUNCATE deletes every row and commits");
}

#[test]
fn transactions_begin_and_end_in_every_way_there_is() {
    check("Transactions");
}

#[test]
fn some_statements_commit_without_saying_so() {
    check("What commits without saying so");
}

#[test]
fn a_where_with_nothing_in_it_is_no_condition() {
    // Found by fuzzing: as `SELECT * FROM t WHERE ` it would have been a mistake of ours.
    for sql in
        ["UPDATE wp_crm_contacts SET n = 1 WHERE ORDER BY x LIMIT 5", "DELETE FROM wp_crm_contacts WHERE LIMIT 5"]
    {
        assert!(shown(sql).ends_with(" wp_crm_contacts: ?"), "{sql}: {}", shown(sql));
    }
}

#[test]
fn a_condition_keeps_bytes_that_are_no_utf_8() {
    let sql = b"UPDATE wp_crm_contacts AS \xe9 SET a = _binary'\xff\x00\\'\xfe' WHERE \xe9.b = _binary'\xff\xa0\\'' AND \xc3\xa9 = 'Zo\xc3\xab'\n";
    let Some(Reading::Writes(writes)) = read(sql, &tables()) else { panic!() };
    let expected = b"`wp_crm_contacts`.b = _binary'\xff\xa0\\'' AND \xc3\xa9 = 'Zo\xc3\xab'";
    assert_eq!(text(writes[0].condition.as_ref().unwrap()), text(expected));
    assert_eq!(writes[0].condition.as_deref(), Some(expected.as_slice()));
}

#[test]
fn thousands_of_ids_and_rows_are_read() {
    let ids = (1..=5_000).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let sql = format!("UPDATE wp_crm_contacts SET a = 1 WHERE contact_id IN ({ids})");
    assert_eq!(shown(&sql), format!("update wp_crm_contacts: contact_id IN ({ids})"));
    let ors = (1..=5_000).map(|id| format!("contact_id = {id}")).collect::<Vec<_>>().join(" OR ");
    assert_eq!(shown(&format!("DELETE FROM wp_crm_contacts WHERE {ors}")), format!("delete wp_crm_contacts: {ors}"));
    let rows = (1..=5_000).map(|id| format!("({id}, 'a, b')")).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO wp_crm_contacts (contact_id, a) VALUES {rows} ON DUPLICATE KEY UPDATE a = 1");
    let ids = (1..=5_000).map(|id| id.to_string()).collect::<Vec<_>>().join(", ");
    assert_eq!(shown(&sql), format!("insert+ 5000 wp_crm_contacts: `contact_id` IN ({ids})"));
}

#[test]
fn however_deep_or_long_a_statement_is_it_is_read_in_bounded_time_and_stack() {
    for part in [
        "(",
        "((SELECT ",
        "NOT ",
        "- ",
        "~",
        "!",
        "CASE WHEN ",
        "a AND ",
        "a.",
        "a OR (",
        "EXISTS (SELECT 1 WHERE ",
        "BINARY ",
        "INTERVAL ",
        "CAST(a AS ARRAY<",
        "ARRAY<",
        "STRUCT<a ",
        "[",
        "{",
        "a IS NULL IS ",
        "a COLLATE ",
        "f(",
        "a -> ",
        "ROW(",
        "SELECT 1 UNION ",
        "a BETWEEN ",
        "PRIOR ",
        "x IN (",
        "::",
        "CAST(",
        "CONVERT(",
        "@a := ",
        "a JOIN b ON ",
        "b JOIN ",
        "(b JOIN ",
        "WITH a AS (",
        "LATERAL (",
        "VALUES (",
        "/*!",
        "/*! ",
        "/*",
        "'",
        "`",
        "\"",
        "x'",
        "$$",
        "#",
        "--",
        "-- ",
        "\\",
        ";",
        ",",
        "=",
        "0x",
        "1e",
        "._",
    ] {
        let began = Instant::now();
        for (before, after) in [
            ("UPDATE wp_crm_contacts SET a = 1 WHERE ", ""),
            ("UPDATE wp_crm_contacts SET a = ", " WHERE b = 1"),
            ("UPDATE wp_crm_contacts JOIN ", " SET a = 1"),
            ("DELETE FROM wp_crm_contacts WHERE a IN (SELECT ", ")"),
            ("INSERT INTO wp_crm_contacts (a) VALUES (", ")"),
            ("INSERT INTO wp_crm_contacts (a) SELECT ", ""),
            ("INSERT INTO wp_crm_contacts SET a = ", " ON DUPLICATE KEY UPDATE a = 1"),
            ("", "UPDATE wp_crm_contacts SET a = 1"),
        ] {
            for count in [14, 240, 3_000] {
                shown(&format!("{before}{}{after}", part.repeat(count)));
            }
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{part}: {:?}", began.elapsed());
    }
}

#[test]
fn no_mutation_of_a_statement_makes_the_reading_panic() {
    let all = include_str!("statements.txt").as_bytes();
    let statements: Vec<&[u8]> = all.split(|byte| *byte == b'\n').filter(|line| line.len() > 20).collect();
    // Numerical Recipes' generator: the same mutations in each run.
    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below.max(1)
    };
    for _ in 0..20_000 {
        let mut sql = statements[random(statements.len())].to_vec();
        for _ in 0..=random(4) {
            let at = random(sql.len());
            match random(5) {
                0 => sql.truncate(at),
                1 => sql[at] = random(256) as u8,
                2 => sql.insert(at, b"'`\"()/*!;,.@#-\\ \n"[random(17)]),
                3 => drop(sql.drain(at..(at + random(9)).min(sql.len()))),
                _ => {
                    let other = statements[random(statements.len())];
                    let from = random(other.len());
                    sql.splice(at..at, other[from..(from + random(30)).min(other.len())].iter().copied());
                }
            }
            if sql.is_empty() {
                sql.push(b'X');
            }
        }
        shown_bytes(&sql);
    }
}
