//! HTTP's dates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

use crate::clock::Millis;

/// The preferred form and the obsolete ones, of RFC 850 and asctime, which a recipient has to read as well. Without the weekday
/// before them, which changes nothing: one that does not fit its date is the receiver's slip.
const FORMS: [(char, &str); 3] =
    [(',', "%d %b %Y %H:%M:%S GMT"), (',', "%d-%b-%y %H:%M:%S GMT"), (' ', "%b %d %H:%M:%S %Y")];

/// Reads an HTTP date in any of its three forms (RFC 9110, 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Millis> {
    if let Ok(at) = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text) {
        return Some(at.as_millisecond());
    }
    FORMS.iter().find_map(|(after_weekday, format)| {
        let (_, date) = text.split_once(*after_weekday)?;
        let at = DateTime::strptime(format, date.trim_start()).ok()?;
        // The last two hours of the year 9999, which somebody says who means never, are past what a timestamp holds.
        Some(at.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp()).as_millisecond())
    })
}
