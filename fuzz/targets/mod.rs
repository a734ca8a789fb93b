//! Everything of the core that reads what comes from outside, each with what must hold whatever it is given. The fuzzer
//! calls one of these with bytes that it makes up, `cargo test` all of them with the seeds and small changes to them.

mod address;
mod answer;
mod endpoint;
mod environment;
mod filter;
mod format;
mod json;
mod retry_after;
mod rows;
mod statement;
mod url;

/// A target: panics if something does not hold.
pub type Target = fn(&[u8]);

/// All targets; each has a folder of seeds by its name.
pub const TARGETS: [(&str, Target); 11] = [
    ("address", address::run),
    ("answer", answer::run),
    ("endpoint", endpoint::run),
    ("environment", environment::run),
    ("filter", filter::run),
    ("format", format::run),
    ("json", json::run),
    ("retry_after", retry_after::run),
    ("rows", rows::run),
    ("statement", statement::run),
    ("url", url::run),
];

/// Runs the target called `name`.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(other, _)| *other == name);
    found.expect("a target of this name").1(data);
}
