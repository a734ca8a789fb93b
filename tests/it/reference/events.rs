//! The reference page of all events.

use std::fmt::Write as _;

use posthorn::catalogue::{self, Entry, Source};
use posthorn::format;

use super::wrapped;

const HEAD: &str = "\
<!-- Written by `make docs` from src/catalogue.toml. -->
# Events

Every event that Posthorn knows, under Posthorn's own name. A subscription takes that name or any of the other names; a body
carries the one that the endpoint's format has. What a body looks like around `data` is the format's: see the README. The
same in machine-readable form: [asyncapi.json](asyncapi.json).

**Fired by** tells who notices. *The CRM's rows*: Posthorn by itself, from the row before and the row after a write. *WordPress*:
Posthorn by itself, at the end of the page that changed something, for sites whose receivers subscribe to it. Neither fires
if nothing changed. *`posthorn_dispatch()`*: the site cannot know of it; whoever does calls that function.

A subscription to `*` is every event that the endpoint's format knows; any other can be named. Where a fact has a time of its own
(a task that was overdue at noon), the event carries that time. An update has the fields that changed and what they were before, in
the formats that have a place for it. Each event is stored with who acted (the user, if one was logged in) and whether that was a
`person`, `cron`, `cli` or an `import`.

## All of them

| event | means | fired by |
|---|---|---|
";

/// What the catalogue cannot say of where an event comes from.
const NOTES: &[(&str, &str)] = &[
    ("contact.assigned", "`assigned_agent_id` is another, and not 0."),
    ("contact.tagged", "`tags` has one that it did not have; order and blanks do not matter."),
    ("contact.untagged", "`tags` lacks one that it had."),
    ("lead.qualified", "`status` became `Qualified` (also sales or marketing qualified)."),
    ("lead.scored", "A column `score` or `lead_score` changed, where the CRM has one."),
    (
        "task.overdue",
        "`due_date` has passed and the task is not done. WP-Cron looks every five minutes; a day without a time is over when it ends. What was overdue before somebody subscribed is not told.",
    ),
    (
        "appointment.scheduled",
        "An enquiry of the type Schedule Tour. `starts_at` is read from what its meta calls a date and a time; null if there is none.",
    ),
    ("appointment.rescheduled", "An enquiry of the type Schedule Tour says another time."),
    ("appointment.cancelled", "`enquiry_status` of an enquiry of the type Schedule Tour became `Cancelled`."),
    ("appointment.completed", "`enquiry_status` of an enquiry of the type Schedule Tour became `Completed` or `Done`."),
    (
        "communication.email_sent",
        "An activity of the type `email_sent` or `listing_email_sent`. Activities carry their row; what their `meta` has under the names shown here stands beside it, and what is called a password, key, token or secret is left out.",
    ),
    ("communication.call_ended", "An activity of the type `call`, `call_logged` or `call_ended`."),
    ("workflow.triggered", "An activity of the type `automation_triggered`."),
    ("form_submitted", "An activity of the type `form_submission`."),
    (
        "property.created",
        "A post of the type `estate_property` became visible: published, or in a state of the theme's such as `expired`. Drafts and what waits for review are not told. Fields are those of WPResidence; the filter `posthorn_property_fields` adds others.",
    ),
    ("property.deleted", "It was deleted, moved to the trash or made a draft."),
    (
        "property.status_changed",
        "The term in the taxonomy `property_status`; of several terms `Sold` counts, or else the first.",
    ),
    ("property.price_changed", "The field `property_price`."),
    ("property.photos_uploaded", "An image was added to the property; `photos` has all of them."),
    ("user.updated", "Name, address, role or website; never a password or session."),
    ("organization.updated", "Title, tagline, address of the site or its administrator, icon, time zone or language."),
    ("integration.connected", "Any plugin but Posthorn."),
    ("feedback.submitted", "A comment on a property that is no spam, or a post of the type `estate_review` about one."),
];

/// Types of activities that are documented nowhere, and would be called so by the CRM's own convention.
const CONVENTION: &[(&str, &str)] = &[
    ("communication.email_received", "email_received"),
    ("communication.sms_sent", "sms_sent"),
    ("communication.sms_received", "sms_received"),
    ("communication.call_started", "call_started"),
    ("communication.voicemail_received", "voicemail_received"),
    ("call.missed", "call_missed"),
    ("email.opened", "email_opened"),
    ("email.clicked", "email_clicked"),
    ("email.bounced", "email_bounced"),
    ("workflow.step_completed", "automation_step_completed"),
    ("workflow.failed", "automation_failed"),
];

pub fn document() -> String {
    let mut page = String::from(HEAD);
    for entry in catalogue::all() {
        let name = entry.name;
        writeln!(page, "| [`{name}`](#{}) | {} | {} |", name.replace('.', ""), entry.title, fired_by(entry)).unwrap();
    }
    let mut group = "";
    for entry in catalogue::all() {
        if entry.group != group {
            group = entry.group;
            write!(page, "\n## {group}\n").unwrap();
        }
        page += &section(entry);
    }
    page
}

fn fired_by(entry: &Entry) -> &'static str {
    match entry.source {
        Source::Crm => "the CRM's rows",
        Source::Site => "WordPress",
        Source::Dispatch => "`posthorn_dispatch()`",
        Source::Posthorn => "the test button",
    }
}

fn section(entry: &Entry) -> String {
    let mut text = format!("\n### {}\n\n{}.", entry.name, entry.title);
    if let Some((_, note)) = NOTES.iter().find(|(name, _)| *name == entry.name) {
        write!(text, " {note}").unwrap();
    }
    if let Some((_, kind)) = CONVENTION.iter().find(|(name, _)| *name == entry.name) {
        write!(text, " An activity of the type `{kind}`, if the CRM or a plugin records such ones.").unwrap();
    }
    write!(text, "\n\n* Entity: `{}`. Fired by: {}.\n", entry.entity, fired_by(entry)).unwrap();
    for other in entry.other_names {
        let when = match &other.when {
            None => String::new(),
            Some(when) => match when.is {
                Some(is) => format!(", where `{}` is `{is}`", when.field),
                None => format!(", where `{}` is set", when.field),
            },
        };
        writeln!(text, "* Also called `{}`{when}.", other.name).unwrap();
    }
    let formats: Vec<String> = format::all()
        .iter()
        .filter(|format| !format.events.is_empty() && format.knows(entry))
        .map(|format| match format.name_of(entry, &entry.sample()) {
            name if name == entry.name => format!("`{}`", format.name),
            name => format!("`{}` (as `{name}`)", format.name),
        })
        .collect();
    if !formats.is_empty() {
        writeln!(text, "* Part of `*` in {}.", formats.join(", ")).unwrap();
    }
    write!(text, "\n```json\n{}\n```\n", wrapped(&entry.sample(), 110)).unwrap();
    text
}

/// A note about an event that is gone would be read by nobody.
#[test]
fn every_note_is_about_an_event_of_the_catalogue() {
    for (name, _) in NOTES.iter().chain(CONVENTION) {
        assert_eq!(catalogue::find(name).map(|entry| entry.name), Some(*name));
    }
}
