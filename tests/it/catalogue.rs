//! The catalogue: what is compiled in.

use posthorn::catalogue::{self, Source};
use posthorn::endpoint::Endpoint;
use posthorn::event::NewEvent;
use posthorn::format;
use posthorn::json::to_js_string;
use serde_json::{Value, json};

/// The events of S1, as its settings page offers them.
const S1: [&str; 12] = [
    "contact.created",
    "contact.updated",
    "contact.deleted",
    "lead.created",
    "lead.updated",
    "lead.deleted",
    "enquiry.created",
    "deal.created",
    "deal.stage_changed",
    "deal.won",
    "deal.lost",
    "task.completed",
];

#[test]
fn s1_offers_its_twelve_events_and_knows_one_more() {
    let mut offered: Vec<&str> =
        catalogue::all().iter().filter(|entry| entry.offered).map(|entry| entry.name).collect();
    let mut known = format::find("wpresidence").unwrap().events.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(known.iter().filter(|name| !S1.contains(name)).collect::<Vec<_>>(), [&"form_submitted"]);
    known.retain(|name| S1.contains(name));
    for names in [&mut offered, &mut known] {
        names.sort_unstable();
        let mut expected = S1;
        expected.sort_unstable();
        assert_eq!(*names, expected);
    }
}

/// How many events each source has; which they are is in docs/events.md.
#[test]
fn posthorn_fires_by_itself_what_the_crm_writes_and_what_wordpress_knows() {
    let fired = |source: Source| catalogue::all().iter().filter(move |entry| entry.source == source);
    let groups = |source| {
        let mut groups: Vec<&str> = fired(source).map(|entry| entry.name.split('.').next().unwrap()).collect();
        groups.dedup();
        groups.sort_unstable();
        groups.dedup();
        groups
    };
    assert_eq!(
        groups(Source::Crm),
        [
            "appointment",
            "call",
            "communication",
            "contact",
            "deal",
            "email",
            "enquiry",
            "form_submitted",
            "lead",
            "task",
            "workflow"
        ]
    );
    assert_eq!(groups(Source::Site), ["feedback", "integration", "organization", "property", "user"]);
    let left: Vec<&str> = fired(Source::Dispatch).map(|entry| entry.name).collect();
    assert_eq!(
        left,
        [
            "call.recording_ready",
            "call.transcription_ready",
            "bot.created",
            "bot.updated",
            "bot.activated",
            "bot.deactivated",
            "conversation.started",
            "conversation.message",
            "conversation.ended"
        ]
    );
}

#[test]
fn every_event_has_words_for_the_owner_and_a_sample_that_can_be_sent() {
    for entry in catalogue::all() {
        assert!(!entry.title.is_empty() && !entry.group.is_empty(), "{}", entry.name);
        assert!(!entry.title.ends_with('.'), "{}", entry.name);
        let sample = Value::Object(entry.sample());
        assert_ne!(sample, json!({}), "{}", entry.name);
        let event = NewEvent::new(entry.name, &sample, &json!({}), 1 << 20).unwrap();
        assert_eq!(event.data, to_js_string(&sample));
        // Its own name in every format: the sample is a record that each of its names means.
        for other in entry.other_names {
            assert!(other.when.as_ref().is_none_or(|when| when.holds(&entry.sample())), "{}", other.name);
        }
    }
}

#[test]
fn the_test_is_a_made_up_contact_with_a_message() {
    let sample = catalogue::find("test").unwrap().sample();
    assert!(sample["message"].is_string());
    assert_eq!(sample["email"], "zoe@example.com");
    let contact = catalogue::find("contact.created").unwrap().sample();
    assert!(contact.iter().all(|(field, value)| sample.get(field) == Some(value)));
}

#[test]
fn one_fact_is_found_under_each_of_its_names() {
    for (ours, theirs) in [
        ("deal.won", "deal.closed_won"),
        ("deal.lost", "deal.closed_lost"),
        ("user.created", "user.registered"),
        ("enquiry.created", "property.inquiry_received"),
        ("task.created", "deal.task_created"),
        ("task.completed", "deal.task_completed"),
        ("communication.email_sent", "email.sent"),
        ("communication.email_received", "email.received"),
        ("communication.call_ended", "call.completed"),
        ("appointment.rescheduled", "appointment.updated"),
        ("property.status_changed", "property.sold"),
    ] {
        assert_eq!(catalogue::find(ours).unwrap().name, ours);
        assert_eq!(catalogue::find(theirs).unwrap().name, ours);
    }
    assert!(
        catalogue::find("deal").is_none() && catalogue::find("").is_none() && catalogue::find("Deal.won").is_none()
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let text = |name: &str| catalogue::unknown(name).to_string();
    assert!(text("contact.create").contains("did you mean 'contact.created'?"), "{}", text("contact.create"));
    assert!(text("Deal.Won").contains("did you mean 'deal.won'?"), "{}", text("Deal.Won"));
    assert!(text("deal.exploded").contains("known are deal.created, deal.updated"), "{}", text("deal.exploded"));
    assert!(text("nonsense").contains("Posthorn\\events()"), "{}", text("nonsense"));
    let long = text(&"x\n".repeat(5000));
    assert!(long.len() < 300 && !long.contains('\n'), "{long}");
    assert!(text("x").starts_with("event: "));
}

#[test]
fn every_format_can_be_subscribed_to_in_its_own_words() {
    for format in format::all() {
        let events =
            if format.events.is_empty() { vec!["*"] } else { format.events.iter().map(String::as_str).collect() };
        Endpoint::from_json(&json!({"url": "https://hooks.example/", "format": format.name, "events": events}))
            .unwrap();
    }
}

#[test]
fn what_an_endpoint_may_be_sent_is_told_in_our_own_names() {
    let of = |format: &str| format::find(format).unwrap();
    let wanted = |events: Value, format: &str| posthorn::endpoint::wanted(&events, of(format)).unwrap();
    let all = wanted(json!(["*"]), "wpresidence");
    assert_eq!(all.len(), S1.len() + 1);
    assert!(S1.iter().all(|name| all.contains(name)) && !all.contains(&"contact.tagged"));
    assert_eq!(
        wanted(json!(["deal.closed_won", "property.sold"]), "wpresidence"),
        ["deal.won", "property.status_changed"]
    );
    assert_eq!(wanted(json!(["contact.tagged"]), "wpresidence"), ["contact.tagged"]);
    // In S2's words a task of a deal is something of the deal.
    assert!(wanted(json!(["deal.*"]), "winnerr").contains(&"task.created"));
    assert!(!wanted(json!(["deal.*"]), "wpresidence").contains(&"task.created"));
    assert_eq!(wanted(json!(["*"]), "github").len(), catalogue::all().len() - 1);
    assert!(posthorn::endpoint::wanted(&json!(["deal.wonn"]), of("wpresidence")).is_err());
}
