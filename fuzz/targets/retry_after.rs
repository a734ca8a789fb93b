//! `Retry-After`: eight bytes of the time it is, then the header's text.

use posthorn::delivery::Answer;
use posthorn::retry::{MAX_RETRY_AFTER, retry_after};

pub fn run(data: &[u8]) {
    let Some((now, text)) = data.split_first_chunk::<8>() else { return };
    let text = String::from_utf8_lossy(text).into_owned();
    let answer = Answer {
        status: 429,
        headers: vec![("retry-after".to_owned(), text.clone())],
        body: Vec::new(),
        truncated: false,
    };
    let asked = retry_after(&answer, i64::from_le_bytes(*now));
    assert!(asked.is_none_or(|asked| asked <= MAX_RETRY_AFTER), "{text}");
    if let Ok(seconds) = text.parse::<u64>()
        && !text.starts_with('+')
    {
        assert_eq!(asked.map(|asked| asked.as_secs()), Some(seconds.min(MAX_RETRY_AFTER.as_secs())), "{text}");
    }
}
