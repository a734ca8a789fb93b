//! What the build refuses of the catalogue and the formats.

// The checks of build.rs, which a test cannot reach but by path. Only their refusals are of interest here.
#[allow(dead_code)]
#[path = "../../build/catalogue.rs"]
mod catalogue;
#[allow(dead_code)]
#[path = "../../src/format/definition.rs"]
mod definition;
#[allow(dead_code)]
#[path = "../../build/formats.rs"]
mod formats;
#[path = "../../build/place.rs"]
mod place;
#[allow(dead_code)]
#[path = "../../build/presets.rs"]
mod presets;

/// One event that is right; each case breaks it in one way.
const EVENT: &str = "# a comment
[[event]]
name = 'test'
group = 'Test'
title = 'A test'
entity = 'contact'
source = 'posthorn'
sample = '{\"a\": 1}'
";

#[test]
fn the_build_refuses_a_catalogue_that_is_incomplete_or_ambiguous_and_names_the_line() {
    let refusal = |text: &str| catalogue::read("c.toml", text).err().expect("a refusal");
    assert!(catalogue::read("c.toml", EVENT).is_ok());
    let twice = format!("{EVENT}{}", EVENT.replace("# a comment", ""));
    let other = EVENT.replace("sample", "other_names = [{ name = 'test' }]\nsample");
    for (text, line, rule) in [
        (EVENT.replace("group = 'Test'\n", ""), 2, "missing field `group`"),
        (EVENT.replace("group", "grupo"), 4, "unknown field `grupo`"),
        (EVENT.replace("'posthorn'", "'nobody'"), 7, "unknown variant `nobody`"),
        (EVENT.replace("'A test'", "''"), 3, "title"),
        (EVENT.replace("'contact'", "'A contact'"), 3, "entity"),
        (EVENT.replace("'test'", "'Test'"), 3, "'Test' is no event name"),
        (EVENT.replace("'test'", "'deal.won'"), 1, "there is no event 'test'"),
        (EVENT.replace("'{\"a\": 1}'", "'[1]'"), 8, "not a JSON object"),
        (EVENT.replace("entity", "note = ' a'\nentity"), 3, "note"),
        (format!("{EVENT}previous = '[1]'"), 9, "previous of test: not a JSON object"),
        (format!("{EVENT}previous = '{{\"b\": 1}}'"), 9, "the sample must have 'b', with another value"),
        (format!("{EVENT}previous = '{{\"a\": 1}}'"), 9, "the sample must have 'a', with another value"),
        (twice, 11, "'test' is taken already, in c.toml:3"),
        (other, 8, "'test' is taken already, in c.toml:3"),
        (EVENT.replace("title =", "title"), 5, ""),
    ] {
        let refusal = refusal(&text);
        assert!(refusal.starts_with(&format!("c.toml:{line}: ")) && refusal.contains(rule), "{refusal}");
    }
}

#[test]
fn the_build_refuses_a_format_that_is_incomplete_or_ambiguous_and_names_the_line() {
    let right = include_str!("../../src/formats/wpresidence.toml");
    let events = catalogue::read("c.toml", include_str!("../../src/catalogue.toml")).ok().unwrap();
    let read = |text: &str| formats::read("f.toml", "wpresidence", text, &events);
    assert!(read(right).is_ok());
    let many = |what: &str, count: usize| (0..count).map(|n| what.replace('#', &n.to_string())).collect::<String>();
    let long = "x".repeat(501);
    // What is replaced by what, the rule that it then breaks, and what stands in the line that is named.
    for (from, to, rule, at) in [
        ("name = \"wpresidence\"", "name = \"other\"", "name must be that of the file", "name = "),
        ("name = \"wpresidence\"", "name = \"Other\"", "name: must be up to 50 of a–z", "name = "),
        ("name = \"wpresidence\"", "name = ", "", "name = "),
        ("title = \"WPResidence CRM\"", "title = \" \"", "title: must be one line", "title = "),
        ("title = \"WPResidence CRM\"", "title = 5", "invalid type: integer", "title = "),
        ("title = \"WPResidence CRM\"", "", "missing field `title`", "S1"),
        ("timeout_s = 15", "timeout_s = 0", "timeout_s: must be 0.1 to 120", "timeout_s = "),
        ("timeout_s = 15", "timeout_s = nan", "timeout_s: must be 0.1 to 120", "timeout_s = "),
        ("[300, 300]", "[-1]", "schedule_s: must be up to 20 delays", "schedule_s = "),
        ("[300, 300]", &format!("[{}]", many("#,", 21)), "schedule_s: must be up to 20 delays", "schedule_s = "),
        ("https_only = false", "schedule_jitter = 1.5\nhttps_only = false", "schedule_jitter: must be", "jitter"),
        ("https_only = false", "circuit_breaker = 5\nhttps_only = false", "invalid type", "circuit_breaker"),
        ("https_only = false", "", "missing field `https_only`", "S1"),
        ("https_only = false", "https_only = false\nhttps = true", "unknown field `https`", "https = true"),
        ("https_only = false", "https_only = false\nhttps_only = true", "duplicate key", "https_only = true"),
        ("needs_secret = false", "", "missing field `needs_secret`", "S1"),
        ("secret_form = \"text\"", "secret_form = \"hex\"", "unknown variant `hex`", "secret_form"),
        ("\"Posthorn/{version}\"", "\"Posthorn\\n\"", "user_agent: must be printable ASCII", "user_agent"),
        ("\"Posthorn/{version}\"", "\"{body}\"", "user_agent: {body} is not known here", "user_agent"),
        ("\"deal.won\"", "\"deal.one\"", "no event 'deal.one'", "\"deal.one\""),
        ("\"deal.won\"", "\"deal.lost\"", "'deal.lost' is there twice", "\"deal.lost\""),
        (
            "\"form_submitted\"",
            "\"deal.closed_won\"",
            "'deal.closed_won' is the event 'deal.won', which is there already",
            "\"deal.closed_won\"",
        ),
        ("\"deal.won\",", &many("\"deal.won\",", 201), "events: must be 200 at most", "events = ["),
        ("key = \"site_url\"", "key = \"event\"", "body[3].key: the key 'event' is there twice", "site_url"),
        ("key = \"site_url\"", "key = \"12\"", "body[3].key: a key must not be a number", "site_url"),
        ("key = \"site_url\"", "key = \"\"", "body[3].key: must have 1 to 50 bytes", "site_url"),
        ("key = \"site_url\"", &format!("key = \"{long}\""), "body[3].key: must have 1 to 50 bytes", "site_url"),
        ("key = \"site_url\", ", "", "missing field `key`", "site_url"),
        ("value = \"time\"", "value = \"times\"", "unknown variant `times`", "times"),
        (
            "value = \"time\" }",
            "value = \"time\", text = \"x\" }",
            "body[1].key: give one of value, text and line",
            "time",
        ),
        (", value = \"time\" }", " }", "body[1].key: give one of value, text and line", "timestamp"),
        (
            "value = \"time\" }",
            &format!("text = \"{long}\" }}"),
            "body[1].text: must be 500 bytes at most",
            "timestamp",
        ),
        ("value = \"time\" }", "line = \"at once\" }", "body[1].line: tells nothing", "timestamp"),
        ("value = \"time\" }", "line = \"{time}\" }", "body[1].line: {time} is not known here", "timestamp"),
        ("value = \"time\" }", "line = \"{event}\\n\" }", "body[1].line: must be one line", "timestamp"),
        ("value = \"data\" }", "text = \"data\" }", "body: no key has the event's data", "body = ["),
        (
            "  { key = \"event\"",
            &format!("{}{{ key = \"event\"", many("{key = \"k#\", text = \"\"},", 47)),
            "body: must have 1 to 50",
            "body = [",
        ),
        (
            "[signature]",
            "[[headers]]\nname = \"X-A\"\nvalue = \"{id\"\n[signature]",
            "headers[0].value: '{id' lacks a closing",
            "value = ",
        ),
        ("[signature]", "[[headers]]\nname = \"X-A\"\n[signature]", "missing field `value`", "[[headers]]"),
        (
            "[signature]",
            "[[headers]]\nname = \"Host\"\nvalue = \"a\"\n[signature]",
            "headers[0].name: 'Host' is Posthorn's own",
            "Host",
        ),
        (
            "[signature]",
            "[[headers]]\nname = \"x-crm-signature\"\nvalue = \"a\"\n[signature]",
            "signature.header: 'X-CRM-Signature' is",
            "header = ",
        ),
        (
            "[signature]",
            &(many("[[headers]]\nname = \"X-#\"\nvalue = \"a\"\n", 21) + "[signature]"),
            "headers: must be 20 at most",
            "[[headers]]",
        ),
        (
            "[signature]",
            "[[headers]]\nname = \"Webhook-ID\"\nvalue = \"{delivery}\"\n[signature]",
            "headers[0].value: must be {id}",
            "value = ",
        ),
        ("\"Posthorn/{version}\"", "\"\"", "user_agent: is empty", "user_agent"),
        ("X-CRM-Signature", "webhook-id", "signature.header: 'webhook-id' is Posthorn's own", "header = "),
        ("X-CRM-Signature", "X CRM", "signature.header: 'X CRM' is no header name", "header = "),
        ("X-CRM-Signature", "Webhook-Attempt", "signature.header: 'Webhook-Attempt' is Posthorn's own", "header = "),
        ("\"{body}\"", "\"{boddy}\"", "signature.signed: {boddy} is not known here", "signed = "),
        ("\"{body}\"", "\"{ts}\"", "signature.signed: what is signed must contain {body} once", "signed = "),
        ("\"{body}\"", "\"{body}{body}\"", "signature.signed: what is signed must contain {body} once", "signed = "),
        ("\"{body}\"", "\"{ts}.{body}\"", "signature.signed: {ts} is signed, but no header", "signed = "),
        ("\"{hex}\"", "\"{hex\"", "signature.each: '{hex' lacks a closing brace", "each = "),
        ("\"{hex}\"", "\"v1\"", "signature.each: must contain {hex} or {base64} once", "each = "),
        ("\"{hex}\"", "\"{hex} ü\"", "signature.each: must be printable ASCII", "each = "),
        ("\"{hex}\"", "\"{hex}\"\nprefix = \"{id}\"", "signature.prefix: {id} is not known here", "prefix = "),
        ("\"{hex}\"", "\"{hex}\"\nseparator = \"\"", "signature.separator: is empty", "separator = "),
        (
            "\"{hex}\"",
            "\"{hex}\"\nseparator = \"f\"",
            "signature.separator: could be part of a signature",
            "separator = ",
        ),
        (
            "\"{hex}\"",
            "\"{hex}\"\nseparator = \"{hex}\"",
            "signature.separator: {hex} is not known here",
            "separator = ",
        ),
        ("\"{hex}\"", "\"{hex}\"\nkey = \"x\"", "unknown field `key`", "key = \"x\""),
        ("each = \"{hex}\"", "", "missing field `each`", "[signature]"),
        ("https_only = false", "https_only = false\nunsigned = true", "unsigned: it has a signature", "unsigned = "),
        (&right[right.find("[signature]").unwrap()..], "", "signature: is missing; if its receivers verify none", "S1"),
        (&right[right.find("[signature]").unwrap()..], "[signature]", "missing field `header`", "[signature]"),
    ] {
        assert!(right.contains(from), "{from}");
        let changed = right.replacen(from, to, 1);
        let refusal = read(&changed).expect_err(rule);
        assert!(refusal.starts_with("f.toml:") && refusal.contains(rule), "{refusal}, not {rule}");
        let line: usize = refusal.split(':').nth(1).unwrap().parse().unwrap();
        let named = changed.lines().nth(line - 1).unwrap();
        assert!(named.contains(at), "{refusal}: {named}");
    }
    let unsigned = include_str!("../../src/formats/slack.toml");
    let read = |text: &str| formats::read("f.toml", "slack", text, &events);
    assert!(read(unsigned).is_ok());
    let refusal = read(&unsigned.replace("needs_secret = false", "needs_secret = true")).expect_err("a refusal");
    let line = unsigned[..unsigned.find("needs_secret").unwrap()].matches('\n').count() + 1;
    assert!(refusal.starts_with(&format!("f.toml:{line}: needs_secret: ")), "{refusal}");
}

#[test]
fn the_build_refuses_presets_that_are_incomplete_or_ambiguous_and_names_the_line() {
    let right = include_str!("../../src/presets.toml");
    let read = |text: &str| presets::read("p.toml", text, &["wpresidence", "slack"]);
    assert!(read(right).is_ok());
    for (from, to, rule) in [
        ("name = \"make\"", "name = \"zapier\"", "'zapier' is there twice"),
        ("name = \"make\"", "name = \"Make\"", "'Make' is no name"),
        ("title = \"Make\"", "title = \" \"", "title is empty"),
        ("\"n8n.cloud\"", "\"https://n8n.cloud\"", "is no host in lower case"),
        ("\"n8n.cloud\"", "\"cloud\"", "is no host in lower case"),
        ("\"n8n.cloud\"", "\"hook.make.com\"", "'hook.make.com' and 'make.com' overlap"),
        ("rate_per_second = 30", "rate_per_second = 0", "rate_per_second must be"),
        ("rate_per_second = 30", "rate = 30", "unknown field `rate`"),
        ("rate_per_second = 30", "timeout_s = 0", "timeout_s must be"),
        ("rate_per_second = 30", "format = \"soap\"", "no format 'soap'"),
        ("max_body_bytes = 5_000_000", "max_body_bytes = 5", "max_body_bytes must be"),
        ("title = \"Make\"\n", "", "missing field `title`"),
    ] {
        assert!(right.contains(from), "{from}");
        let refusal = read(&right.replacen(from, to, 1)).err().expect(rule);
        assert!(refusal.starts_with("p.toml:") && refusal.contains(rule), "{refusal}");
        let line = right[..right.find(from).unwrap()].matches('\n').count() + 1;
        let named: usize = refusal.split(':').nth(1).unwrap().parse().unwrap();
        assert!(named.abs_diff(line) <= 2, "{refusal}, expected about line {line}");
    }
}
