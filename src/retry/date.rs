//! HTTP's dates.

use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

use crate::clock::Millis;

/// The obsolete forms, of RFC 850 and asctime, which a recipient has to read as well. Without the weekday before them, which
/// changes nothing: one that does not fit its date is the receiver's slip.
const OBSOLETE: [(char, &str); 2] = [(',', "%d-%b-%y %H:%M:%S GMT"), (' ', "%b %d %H:%M:%S %Y")];

/// Reads an HTTP date in any of its three forms (RFC 9110, 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Millis> {
    if let Ok(at) = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text) {
        return Some(at.as_millisecond());
    }
    OBSOLETE.iter().find_map(|(after_weekday, format)| {
        let (_, date) = text.split_once(*after_weekday)?;
        let at = DateTime::strptime(format, date.trim_start()).ok()?;
        Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
    })
}
