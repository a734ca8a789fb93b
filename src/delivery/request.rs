//! One pass of a request through ureq: out it goes, in comes the answer.

use std::io::Read;

use ureq::http::{HeaderName, HeaderValue, Uri};
use ureq::{Agent, Body, Error};

use super::{Answer, Failure, FailureKind};

/// An answer's body is read this far.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Headers that frame the message or govern the connection; an endpoint cannot set them.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// One pass: the request out, the answer in.
pub(super) fn run(agent: &Agent, uri: &Uri, headers: &[(String, String)], body: &str) -> Result<Answer, Error> {
    let mut request = agent.post(uri.clone());
    for (name, value) in headers {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            let message = format!("the header {name} cannot be set: it belongs to the connection");
            return Err(Failure::new(FailureKind::Settings, message).into());
        }
        // Written as given: some receivers compare names with their capitals.
        request = request.header_raw(name, value.as_bytes());
    }
    let mut response = request.send(body)?;
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = response.status().as_u16();
    let (body, truncated) = read_bounded(response.body_mut())?;
    Ok(Answer { status, headers, body, truncated })
}

/// At most 64 KiB of the body and whether there is more. What is not read takes its connection with it.
fn read_bounded(body: &mut Body) -> Result<(Vec<u8>, bool), Error> {
    let announced = body.content_length();
    let mut reader = body.as_reader();
    let capacity = announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0).min(MAX_BODY_BYTES);
    let mut read = Vec::with_capacity(capacity);
    reader.by_ref().take(MAX_BODY_BYTES as u64).read_to_end(&mut read)?;
    let truncated = match announced {
        _ if read.len() < MAX_BODY_BYTES => false,
        Some(bytes) if bytes > MAX_BODY_BYTES as u64 => true,
        // Reading the end also gives the connection back.
        _ => !matches!(reader.read(&mut [0]), Ok(0)),
    };
    Ok((read, truncated))
}

/// Names the header that HTTP does not allow, without its value.
pub(super) fn bad_header(headers: &[(String, String)]) -> Failure {
    let bad = headers.iter().find(|(name, value)| {
        HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_bytes(value.as_bytes()).is_err()
    });
    let name = bad.map_or("a header", |(name, _)| name.as_str());
    let message =
        format!("{name:?} cannot be sent as a header: a name is letters, digits and dashes, a value one line of text");
    Failure::new(FailureKind::Settings, message)
}
