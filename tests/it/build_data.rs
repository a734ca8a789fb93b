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
    for (from, to, rule) in [
        ("name = \"wpresidence\"", "name = \"other\"", "name must be that of the file"),
        ("timeout_s = 15", "timeout_s = 0", "timeout_s: must be"),
        ("[300, 300]", "[-1]", "schedule_s: must be"),
        ("https_only = false", "schedule_jitter = 1.5\nhttps_only = false", "schedule_jitter: must be"),
        ("https_only = false", "circuit_breaker = 5\nhttps_only = false", "invalid type"),
        ("\"deal.won\"", "\"deal.one\"", "no event 'deal.one'"),
        ("\"deal.won\"", "\"deal.lost\"", "'deal.lost' is there twice"),
        ("key = \"site_url\"", "key = \"event\"", "'event' is there twice"),
        ("value = \"time\"", "value = \"times\"", "unknown variant `times`"),
        ("value = \"time\" }", "value = \"time\", text = \"x\" }", "either value or text"),
        ("X-CRM-Signature", "X CRM", "no header name"),
        ("\"{body}\"", "\"{boddy}\"", "{boddy} is not known here"),
        ("\"{body}\"", "\"{ts}\"", "must contain {body}"),
        ("\"{hex}\"", "\"{hex\"", "lacks a closing brace"),
        ("https_only = false", "", "missing field `https_only`"),
        ("X-CRM-Signature", "Webhook-Attempt", "Posthorn's own"),
        ("value = \"data\" }", "text = \"data\" }", "no key has the event's data"),
        ("\"{hex}\"", "\"v1\"", "must contain {hex} or {base64}"),
        ("\"{hex}\"", "\"{hex} ü\"", "printable ASCII"),
        ("\"{body}\"", "\"{ts}.{body}\"", "{ts} is signed, but"),
        ("\"Posthorn/{version}\"", "\"Posthorn\\n\"", "printable ASCII"),
    ] {
        assert!(right.contains(from), "{from}");
        let refusal = read(&right.replacen(from, to, 1)).expect_err(rule);
        let line = right[..right.find(from).unwrap()].matches('\n').count() + 1;
        assert!(refusal.starts_with("f.toml:") && refusal.contains(rule), "{refusal}");
        let named: usize = refusal.split(':').nth(1).unwrap().parse().unwrap();
        assert!(
            named == line
                || rule.starts_with("missing")
                || rule.contains("twice")
                // That of the whole body.
                || (rule.starts_with("no key") && named < line),
            "{refusal}, expected line {line}"
        );
    }
}

#[test]
fn the_build_refuses_presets_that_are_incomplete_or_ambiguous_and_names_the_line() {
    let right = include_str!("../../src/presets.toml");
    let read = |text: &str| presets::read("p.toml", text, &["wpresidence"]);
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
        ("rate_per_second = 30", "format = \"slack\"", "no format 'slack'"),
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
