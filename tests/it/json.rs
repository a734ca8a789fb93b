//! Bodies survive a JavaScript round trip.

use std::io::Write as _;
use std::process::{Command, Stdio};

use posthorn::event::NewEvent;
use posthorn::json::{kind, read, to_js_string, without};
use serde_json::{Map, Value, json};

#[test]
fn every_shared_vector_is_printed_as_node_printed_it() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/js-stable.json")).unwrap();
    assert!(vectors.len() >= 17);
    for vector in &vectors {
        let value: Value = serde_json::from_str(vector["json"].as_str().unwrap()).unwrap();
        assert_eq!(to_js_string(&value), vector["stable"].as_str().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn an_integer_beyond_what_a_double_holds_exactly_becomes_a_string() {
    let max = (1_i64 << 53) - 1;
    assert_eq!(to_js_string(&json!([max, -max])), "[9007199254740991,-9007199254740991]");
    assert_eq!(to_js_string(&json!([max + 1, -max - 1])), r#"["9007199254740992","-9007199254740992"]"#);
    assert_eq!(to_js_string(&json!([i64::MIN, u64::MAX])), r#"["-9223372036854775808","18446744073709551615"]"#);
}

#[test]
fn fields_are_left_out_of_what_is_printed_and_the_rest_stays_byte_for_byte() {
    let text = |value: Value| to_js_string(&value);
    let value = json!({"a": 1, "b": {"a": "x\"}, \\\"", "c": [{"a": 1, "d": []}, [{"a": {}}], 5, "a"]}, "e": {}, "é\"": 1.5e300});
    for (paths, rest) in [
        (vec![vec!["a"]], json!({"b": value["b"], "e": {}, "é\"": 1.5e300})),
        (vec![vec!["é\""], vec!["e"], vec!["a"]], json!({"b": value["b"]})),
        (vec![vec!["b", "a"]], json!({"a": 1, "b": {"c": value["b"]["c"]}, "e": {}, "é\"": 1.5e300})),
        (vec![vec!["b"]], json!({"a": 1, "e": {}, "é\"": 1.5e300})),
        (
            vec![vec!["b", "c", "a"], vec!["e"]],
            json!({"a": 1, "b": {"a": value["b"]["a"], "c": [{"d": []}, [{}], 5, "a"]}, "é\"": 1.5e300}),
        ),
        (vec![vec!["x"], vec!["a", "b"], vec!["e", "a"], vec![]], value.clone()),
    ] {
        assert_eq!(without(&text(value.clone()), &paths), text(rest), "{paths:?}");
    }
    // However deep it is, and though nobody printed it.
    let deep = "{\"a\":".repeat(5000) + "1" + &"}".repeat(5000);
    assert_eq!(without(&deep, &[vec!["a"; 5000]]), deep.replace("\"a\":1", ""));
    for broken in ["{\"a\":", "{\"a", "{\"a\"", "{\"a\":{", "\"a\":1}", "{\"a\":\"\\", "}}{\"a\":1,,", "{\"é\":\"é"] {
        without(broken, &[vec!["a"]]);
        without(&format!("[{broken}"), &[vec!["é"], vec!["a"]]);
    }
}

#[test]
fn kinds_are_told_in_words_of_php() {
    for (value, words) in [
        (json!(null), "null"),
        (json!(true), "true"),
        (json!(3), "an integer"),
        (json!(3.5), "a float"),
        (json!("x"), "a string"),
        (json!([]), "an empty array"),
        (json!([1]), "a list"),
        (json!({"a": 1}), "an array with named keys"),
    ] {
        assert_eq!(kind(&value), words);
    }
}

/// Node is the judge: it parses and prints what we printed, line by line, and every line must come back unchanged.
#[test]
fn node_prints_generated_hostile_values_back_byte_for_byte() {
    let mut random = Random(0x5eed);
    let lines: Vec<String> = (0..4000).map(|_| to_js_string(&random.value(4))).collect();

    let script = "const out = require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)
        .map((line) => JSON.stringify(JSON.parse(line)) + '\\n'); process.stdout.write(out.join(''));";
    let mut node = Command::new("node")
        .args(["-e", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need node, the judge of what JavaScript prints");
    let mut input = node.stdin.take().unwrap();
    let sent = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(sent.as_bytes()).unwrap());
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());

    let answered = String::from_utf8(output.stdout).unwrap();
    let answered: Vec<&str> = answered.split('\n').collect();
    assert_eq!(answered.len(), lines.len() + 1);
    for (ours, nodes) in lines.iter().zip(answered) {
        assert_eq!(ours, nodes);
    }
}

/// Marsaglia's xorshift64: the same values on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 7 } else { 11 }) {
            0 => Value::Null,
            1 => self.below(2).eq(&0).into(),
            2 => (self.below(u64::MAX) as i64).into(),
            3 => (self.below(2_000_000) as i64 - 1_000_000).into(),
            // Any bit pattern is a double; those that JSON cannot hold become null.
            4 => f64::from_bits(self.below(u64::MAX)).into(),
            5 => ((self.below(1 << 20) as f64 - 500_000.0) / 1000.0).into(),
            6 => self.text().into(),
            7 | 8 => (0..self.below(5)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let mut map = Map::new();
                for _ in 0..self.below(7) {
                    map.insert(self.key(), self.value(depth - 1));
                }
                map.into()
            }
        }
    }

    fn text(&mut self) -> String {
        const CHARS: &[char] = &[
            '"', '\\', '/', '\u{0}', '\u{8}', '\u{b}', '\u{c}', '\n', '\r', '\t', '\u{1f}', '\u{7f}', '\u{80}',
            '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffd}', '\u{ffff}', '🏡', 'é', '中', 'a', ' ', '<', '&', '\'',
        ];
        (0..self.below(12)).map(|_| CHARS[self.below(CHARS.len() as u64) as usize]).collect()
    }

    fn key(&mut self) -> String {
        const KEYS: &[&str] = &[
            "__proto__",
            "constructor",
            "toString",
            "0",
            "00",
            "01",
            "1",
            "-1",
            "-0",
            "10",
            "9",
            "1.5",
            "1e3",
            "4294967294",
            "4294967295",
            "4294967296",
            "99999999999999999999",
            "",
            " 1",
            "length",
        ];
        match self.below(3) {
            0 => self.below(200).to_string(),
            1 => KEYS[self.below(KEYS.len() as u64) as usize].to_owned(),
            _ => self.text(),
        }
    }
}

#[test]
fn what_needs_an_escape_gets_it_wherever_it_stands() {
    for at in 0..70 {
        for (raw, printed) in [("\"", "\\\""), ("\u{1f}", "\\u001f"), ("\n", "\\n")] {
            let before = "é".repeat(at / 2) + &"a".repeat(at % 2);
            let after = "ü".repeat(at);
            assert_eq!(
                to_js_string(&Value::String(format!("{before}{raw}{after}"))),
                format!("\"{before}{printed}{after}\"")
            );
        }
    }
}

#[test]
fn what_was_printed_and_read_is_printed_the_same_again() {
    // Found by fuzzing: a whole float past 2^53 came back as an integer and was then sent as a string.
    let value =
        json!([1.2345678901234568e17, -9007199254740994.0, 1e20, 9007199254740993_i64, 1, 1.5, 0.30000000000000004]);
    let printed = to_js_string(&value);
    assert_eq!(
        printed,
        r#"[123456789012345680,-9007199254740994,100000000000000000000,"9007199254740993",1,1.5,0.30000000000000004]"#
    );
    assert_eq!(to_js_string(&read(&printed).unwrap()), printed);
}

#[test]
fn a_large_float_of_a_context_is_a_number_in_the_body_too() {
    let context = json!({"previous": {"amount": 1.2345678901234568e17}});
    let new = NewEvent::new("deal.won", &json!({"amount": 1}), &context, 1 << 20).unwrap();
    assert_eq!(to_js_string(&new.context.details().into()), r#"{"previous":{"amount":123456789012345680}}"#);
}
