//! What a receiver repeats of the owner's own headers in its answer is neither stored nor shown.

use std::time::Duration;

use posthorn::delivery::{Answer, Exchange, Timings, Transport, without_repeated};
use posthorn::dispatcher::sender::attempt;
use posthorn::endpoint::Endpoint;
use posthorn::event::NewEvent;
use posthorn::runtime;
use serde_json::json;

use crate::delivery_receiver::{Receiver, endpoint};
use crate::rig::{self, Queue};

const TOKEN: &str = "t0ken/with\"all&sorts<of>it";

fn own() -> Vec<(String, String)> {
    vec![
        ("Authorization".to_owned(), format!("Bearer {TOKEN}")),
        ("X-Key".to_owned(), "0123456789abcdef".to_owned()),
        ("X-Env".to_owned(), "staging".to_owned()),
    ]
}

fn answered(headers: Vec<(String, String)>, body: &[u8]) -> Exchange {
    let answer = Answer { status: 200, headers, body: body.to_vec(), truncated: false };
    Exchange { started_at: 0, duration: Duration::ZERO, timings: Timings::default(), result: Ok(answer) }
}

/// A receiver that prints the request's headers into its answer, as echo services do.
struct Echo;

impl Transport for Echo {
    fn send(&self, _: &Endpoint, headers: &[(String, String)], _: &str) -> Exchange {
        let repeated = headers.iter().map(|(name, value)| (format!("x-was-{}", name.to_lowercase()), value.clone()));
        answered(repeated.collect(), json!(headers).to_string().as_bytes())
    }
}

#[test]
fn values_are_hidden_however_they_are_written() {
    let json = TOKEN.replace('"', "\\\"");
    let php = json.replace('/', "\\/");
    let html = "t0ken/with&quot;all&amp;sorts&lt;of&gt;it";
    let body = format!("{TOKEN}|{json}|{php}|{html}|Bearer {TOKEN}|0123456789abcdef0123456789abcdef|staging");
    let mut bytes = body.into_bytes();
    bytes.splice(0..0, [0xff, 0xfe]);
    bytes.push(0xff);
    let hidden = without_repeated(answered(vec![("location".to_owned(), format!("/?t={TOKEN}"))], &bytes), &own());
    let answer = hidden.result.unwrap();
    assert_eq!(answer.headers[0].1, "/?t=********");
    let mut expected = vec![0xff, 0xfe];
    expected.extend(b"********|********|********|********|********|****************|staging\xff");
    assert_eq!(String::from_utf8_lossy(&answer.body), String::from_utf8_lossy(&expected));
    assert_eq!(answer.body, expected);
}

#[test]
fn an_answer_that_repeats_nothing_stays_byte_for_byte() {
    let body = [&[0u8, 0xff, 0xc3, 0x28][..], "Zoë Bearer staging t0ken".as_bytes(), &[0xe2, 0x82]].concat();
    let kept = without_repeated(answered(Vec::new(), &body), &own());
    assert_eq!(kept.result.unwrap().body, body);
}

#[test]
fn what_a_delivery_s_receiver_repeats_is_not_kept() {
    let headers = json!({"Authorization": format!("Bearer {TOKEN}"), "X-Key": "0123456789abcdef"});
    let queue = Queue::with(json!([rig::endpoint("crm", json!({"headers": headers}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.turn();
    let outcome = attempt(sending.in_flight.remove(0), &Echo, &*queue.clock);
    let told = format!("{:?}", (&outcome.headers, outcome.exchange.result.as_ref().unwrap()));
    let body = String::from_utf8(outcome.exchange.result.unwrap().body).unwrap();
    assert!(body.contains("contact") || body.contains("Webhook-Id"), "{body}");
    for part in ["t0ken", "0123456789abcdef"] {
        assert!(!told.contains(part) && !body.contains(part), "{part} in {told}");
    }
}

#[test]
fn what_a_tested_receiver_repeats_is_not_shown() {
    let receiver = Receiver::start(|conn| {
        while let Some(request) = conn.request()? {
            conn.write(format!("HTTP/1.1 401 No\r\nContent-Length: {}\r\n\r\n{}", request.head.len(), request.head))?;
        }
        Ok(())
    });
    let endpoint = endpoint(&receiver.url("/in"), json!({"headers": {"Authorization": "Bearer t0ken-t0ken"}}));
    let new = NewEvent::new("test", &json!({"id": 1}), &json!({}), 1 << 20).unwrap();
    let (_, exchange) = runtime::send_now(&endpoint, &runtime::unstored_event(new));
    let body = String::from_utf8(exchange.result.unwrap().body).unwrap();
    assert!(body.contains("Authorization: ********"), "{body}");
    assert!(receiver.requests()[0].has_line("Authorization: Bearer t0ken-t0ken"));
}
