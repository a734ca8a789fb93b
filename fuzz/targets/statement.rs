//! SQL statements, of any bytes.

use posthorn::statement::{Reading, Watched, read};

pub fn run(data: &[u8]) {
    let tables = [
        Watched::new("wp_crm_contacts", vec![vec!["contact_id"], vec!["email"]]).expect("a table"),
        Watched::new("*_crm_deals", vec![vec!["deal_id"]]).expect("a table"),
        Watched::new("t", vec![vec!["a", "b"], vec!["c"]]).expect("a table"),
        Watched::new("wp_crm_log", Vec::new()).expect("a table"),
    ];
    let reading = read(data, &tables);
    assert_eq!(reading, read(data, &tables), "read twice");
    let Some(Reading::Writes(writes)) = reading else { return };
    assert!(!writes.is_empty());
    for write in &writes {
        let name = String::from_utf8_lossy(&write.table).to_ascii_lowercase();
        assert!(
            name.ends_with("wp_crm_contacts") || name.ends_with("_crm_deals") || name == "t" || name == "wp_crm_log"
        );
        assert!(write.rows.is_none() || write.adds, "rows that do not appear");
        // The condition stands in a statement of ours: it must not be able to end that.
        for part in [&write.condition, &write.bounded].into_iter().flatten() {
            assert!(!part.is_empty());
        }
    }
}
