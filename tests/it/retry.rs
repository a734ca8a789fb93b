//! What an outcome means for a delivery.

use std::time::Duration;

use posthorn::delivery::{Answer, Exchange, Failure, FailureKind, Timings};
use posthorn::endpoint::Endpoint;
use posthorn::retry::{MAX_FAILURE_TEXT_CHARS, Verdict, decide, failure_text, spread, throttle_pause};
use serde_json::{Value, json};

/// 2026-04-17T12:34:56.789Z
const AT: i64 = 1_776_429_296_789;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn endpoint(mut config: Value) -> Endpoint {
    config["url"] = json!("https://hooks.example/in");
    Endpoint::from_json(&config).unwrap()
}

fn answered(status: u16, headers: &[(&str, &str)]) -> Exchange {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    exchange(Ok(Answer { status, headers, body: Vec::new(), truncated: false }))
}

fn exchange(result: Result<Answer, Failure>) -> Exchange {
    Exchange { started_at: AT, duration: Duration::from_millis(12), timings: Timings::default(), result }
}

fn timed_out() -> Exchange {
    exchange(Err(Failure { kind: FailureKind::Timeout, message: "no answer within 15 s".to_owned() }))
}

fn after(seconds: u64) -> Verdict {
    Verdict::Again { after: Duration::from_secs(seconds) }
}

fn throttled(seconds: Option<u64>) -> Verdict {
    Verdict::Throttled { pause: seconds.map(Duration::from_secs) }
}

#[test]
fn the_default_is_three_attempts_300_seconds_apart() {
    let endpoint = endpoint(json!({}));
    for failed in [answered(500, &[]), answered(404, &[]), timed_out()] {
        assert_eq!(decide(&endpoint, &failed, 1, AT, AT), after(300));
        assert_eq!(decide(&endpoint, &failed, 2, AT, AT), after(300));
        assert_eq!(decide(&endpoint, &failed, 3, AT, AT), Verdict::Dead);
        assert_eq!(decide(&endpoint, &failed, 4, AT, AT), Verdict::Dead);
    }
}

#[test]
fn each_delay_of_a_schedule_follows_its_attempt() {
    let endpoint = endpoint(json!({"schedule": [1, 0.25, 60]}));
    let verdicts: Vec<Verdict> = (1..=4).map(|attempt| decide(&endpoint, &timed_out(), attempt, AT, AT)).collect();
    assert_eq!(verdicts, [after(1), Verdict::Again { after: Duration::from_millis(250) }, after(60), Verdict::Dead]);
    let once = self::endpoint(json!({"schedule": []}));
    assert_eq!(decide(&once, &timed_out(), 1, AT, AT), Verdict::Dead);
}

#[test]
fn every_2xx_is_delivered_and_nothing_else() {
    let endpoint = endpoint(json!({}));
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(decide(&endpoint, &answered(status, &[]), 3, AT, AT + 9 * DAY), Verdict::Delivered);
    }
    for status in [100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 502] {
        assert_eq!(decide(&endpoint, &answered(status, &[]), 1, AT, AT), after(300), "{status}");
    }
}

#[test]
fn a_429_uses_up_no_attempt_with_or_without_retry_after() {
    let endpoint = endpoint(json!({}));
    let decide = |headers: &[(&str, &str)]| decide(&endpoint, &answered(429, headers), 9, AT, AT);
    assert_eq!(decide(&[]), throttled(None));
    assert_eq!(decide(&[("retry-after", "17")]), throttled(Some(17)));
    assert_eq!(decide(&[("retry-after", " 0 ")]), throttled(Some(0)));
    assert_eq!(decide(&[("retry-after", "soon")]), throttled(None));
    assert_eq!(decide(&[("retry-after", "-5")]), throttled(None));
}

#[test]
fn a_503_throttles_only_with_a_retry_after() {
    let endpoint = endpoint(json!({}));
    let decide = |headers: &[(&str, &str)]| decide(&endpoint, &answered(503, headers), 1, AT, AT);
    assert_eq!(decide(&[]), after(300));
    // It asks for time, though it does not say how much.
    for unreadable in ["soon", "", "-1", "+7", "7s", "7.0"] {
        assert_eq!(decide(&[("retry-after", unreadable)]), throttled(None), "{unreadable}");
    }
    assert_eq!(decide(&[("retry-after", "2")]), throttled(Some(2)));
}

#[test]
fn retry_after_may_be_a_date_and_is_capped_at_a_day() {
    let endpoint = endpoint(json!({}));
    let pause = |value: &str| decide(&endpoint, &answered(429, &[("retry-after", value)]), 1, AT, AT - 789);
    assert_eq!(pause("Fri, 17 Apr 2026 12:35:56 GMT"), throttled(Some(60)));
    assert_eq!(pause("Fri, 17 Apr 2026 11:00:00 GMT"), throttled(Some(0)));
    assert_eq!(pause("Fri, 17 Apr 2027 12:35:56 GMT"), throttled(Some(86_400)));
    assert_eq!(pause("Fri, 31 Dec 9999 23:59:59 GMT"), throttled(Some(86_400)));
    assert_eq!(pause("86401"), throttled(Some(86_400)));
    assert_eq!(pause("99999999999999999999999999"), throttled(Some(86_400)));
}

#[test]
fn retry_after_may_be_a_date_in_any_of_the_three_forms_of_http() {
    let endpoint = endpoint(json!({}));
    let pause = |value: &str| decide(&endpoint, &answered(503, &[("retry-after", value)]), 1, AT, AT - 789);
    for form in ["Fri, 17 Apr 2026 12:35:56 GMT", "Friday, 17-Apr-26 12:35:56 GMT", "Fri Apr 17 12:35:56 2026"] {
        assert_eq!(pause(form), throttled(Some(60)), "{form}");
    }
    assert_eq!(pause("Wed Apr  1 12:35:56 2026"), throttled(Some(0)));
    for none in ["Friday", "Fri, 99 Apr 2026 12:35:56 GMT", "Friday, 17-Apr-26 12:35:56", "Fri Apr 17 2026", ",", " "] {
        assert_eq!(pause(none), throttled(None), "{none}");
    }
}

#[test]
fn other_5xx_follow_the_schedule_also_with_a_retry_after() {
    let endpoint = endpoint(json!({"format": "standard-webhooks", "schedule": [300]}));
    for status in [500, 502, 504, 507, 599] {
        assert_eq!(decide(&endpoint, &answered(status, &[("retry-after", "9")]), 1, AT, AT), after(300), "{status}");
    }
}

#[test]
fn only_schedules_whose_delays_are_ours_have_jitter() {
    let id = |n: u8| posthorn::event::DeliveryId::from_bytes([n; 16]);
    let delay = Duration::from_secs(300);
    for format in posthorn::format::all() {
        let by_default = endpoint(json!({"format": format.name}));
        let spread_out: std::collections::BTreeSet<Duration> =
            (0..100).map(|n| spread(&by_default, delay, id(n), 1)).collect();
        if ["winnerr", "winnerr-settings", "standard-webhooks"].contains(&format.name.as_str()) {
            assert!(spread_out.len() > 90, "{}", format.name);
            assert!(spread_out.iter().all(|spread| (delay..=delay * 6 / 5).contains(spread)), "{}", format.name);
            // The same attempt has the same delay, another attempt another.
            assert_eq!(spread(&by_default, delay, id(1), 1), spread(&by_default, delay, id(1), 1));
            assert_ne!(spread(&by_default, delay, id(1), 1), spread(&by_default, delay, id(1), 2));
        } else {
            assert_eq!(spread_out.into_iter().collect::<Vec<_>>(), [delay], "{}", format.name);
        }
        let own = endpoint(json!({"format": format.name, "schedule": [300]}));
        assert_eq!(spread(&own, delay, id(1), 1), delay, "{}", format.name);
    }
    let own = endpoint(json!({"schedule": [300], "schedule_jitter": 1}));
    assert!((0..100).any(|n| spread(&own, delay, id(n), 1) > delay * 3 / 2));
}

#[test]
fn what_is_older_than_max_age_is_dead_whatever_the_schedule_or_the_receiver_says() {
    let endpoint = endpoint(json!({"schedule": [1, 1, 1, 1]}));
    for failed in [answered(500, &[]), answered(429, &[("retry-after", "5")]), answered(503, &[("retry-after", "5")])] {
        assert_ne!(decide(&endpoint, &failed, 1, AT, AT + 3 * DAY), Verdict::Dead);
        assert_eq!(decide(&endpoint, &failed, 1, AT, AT + 3 * DAY + 1), Verdict::Dead);
    }
    let short = self::endpoint(json!({"max_age": 60}));
    assert_eq!(decide(&short, &timed_out(), 1, AT, AT + 60_001), Verdict::Dead);
}

#[test]
fn a_410_suspends() {
    assert_eq!(decide(&endpoint(json!({})), &answered(410, &[]), 1, AT, AT), Verdict::Gone);
}

#[test]
fn the_lanes_own_pause_doubles_from_one_second_to_five_minutes() {
    let pauses: Vec<u64> = [0, 1, 2, 3, 8, 9, 10, 11, u32::MAX].map(|times| throttle_pause(times).as_secs()).into();
    assert_eq!(pauses, [1, 1, 2, 4, 128, 256, 300, 300, 300]);
}

#[test]
fn failures_are_told_in_one_plain_bounded_line() {
    let text = |status, headers: &[(&str, &str)]| failure_text(&answered(status, headers));
    assert_eq!(text(204, &[]), None);
    assert_eq!(text(500, &[]).unwrap(), "the receiver answered 500 Internal Server Error");
    assert_eq!(text(599, &[]).unwrap(), "the receiver answered 599");
    let moved = text(301, &[("location", "https://new.example/in")]).unwrap();
    assert!(moved.contains("301 Moved Permanently") && moved.contains("https://new.example/in"), "{moved}");
    assert!(text(410, &[]).unwrap().contains("410 Gone"));
    assert_eq!(failure_text(&timed_out()).unwrap(), "no answer within 15 s");

    let login = text(302, &[("location", "https://user:pass@x.example/a?b=1")]).unwrap();
    assert!(login.contains("https://x.example/a?b=1") && !login.contains("user") && !login.contains("pass"), "{login}");
    let hostile = text(302, &[("location", "https://x.example/\u{1b}[2J\u{7f}")]).unwrap();
    assert!(!hostile.chars().any(char::is_control));
    assert!(!text(302, &[("location", &"x".repeat(9000))]).unwrap().contains("xxx"));
    let long = exchange(Err(Failure { kind: FailureKind::Protocol, message: "é".repeat(9000) }));
    assert_eq!(failure_text(&long).unwrap().chars().count(), MAX_FAILURE_TEXT_CHARS);
}

#[test]
fn a_refused_signature_is_named_with_the_difference_of_the_clocks() {
    let refusal = |status, body: &str, date: &str| {
        let headers = vec![("date".to_owned(), date.to_owned())];
        let answer = Answer { status, headers, body: body.into(), truncated: false };
        failure_text(&exchange(Ok(answer))).unwrap()
    };
    let in_time = "Fri, 17 Apr 2026 12:34:57 GMT";
    let late = "Fri, 17 Apr 2026 12:41:57 GMT";
    assert_eq!(
        refusal(401, "Invalid Signature", in_time),
        "the receiver answered 401 Unauthorized: it says the signature is wrong; compare the secret on both sides"
    );
    assert!(
        refusal(400, r#"{"error":"bad signature"}"#, late).contains("its clock is 7 minutes ahead of this server's")
    );
    assert!(refusal(403, "no", "Fri, 17 Apr 2026 09:34:56 GMT").contains("its clock is 3 hours behind this server's"));
    assert_eq!(refusal(400, "name is missing", late), "the receiver answered 400 Bad Request");
}
