//! Leaving fields out of printed JSON, without reading it into values: what stays, stays byte for byte, however deep it is.

use std::borrow::Cow;

use super::write_str;

/// What the scanner is inside of.
struct Frame {
    is_object: bool,
    /// Whether a member was kept, so that a comma goes before the next one.
    kept: bool,
}

/// `text`, which [`super::to_js_string`] printed, without the fields at `paths`: each a list of names, from the outside in.
/// Lists are looked through: `contacts.note` is the note of each contact.
pub fn without<'a>(text: &'a str, paths: &[Vec<&str>]) -> Cow<'a, str> {
    let paths: Vec<Vec<String>> = paths.iter().map(|path| path.iter().map(|name| printed(name)).collect()).collect();
    let has = |name: &String| memchr::memmem::find(text.as_bytes(), format!("{name}:").as_bytes()).is_some();
    if !paths.iter().any(|path| !path.is_empty() && path.iter().all(has)) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut frames: Vec<Frame> = Vec::new();
    // The printed names that lead to where the scanner is.
    let mut names: Vec<&str> = Vec::new();
    let mut is_value = true;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b',' => {
                at += 1;
                match frames.last() {
                    // A member writes the comma before it itself.
                    Some(frame) if frame.is_object => is_value = false,
                    _ => {
                        out.push(',');
                        is_value = true;
                    }
                }
            }
            open @ (b'{' | b'[') => {
                out.push(open as char);
                frames.push(Frame { is_object: open == b'{', kept: false });
                is_value = open == b'[';
                at += 1;
            }
            close @ (b'}' | b']') => {
                out.push(close as char);
                frames.pop();
                value_ended(&frames, &mut names);
                at += 1;
            }
            b'"' if !is_value => {
                let end = end_of_text(bytes, at);
                let name = &text[at..end];
                // The colon.
                let value = end + 1;
                if paths.iter().any(|path| leads_to(path, &names, name)) {
                    at = end_of_value(bytes, value);
                } else {
                    if let Some(frame) = frames.last_mut()
                        && std::mem::replace(&mut frame.kept, true)
                    {
                        out.push(',');
                    }
                    out.push_str(name);
                    out.push(':');
                    names.push(name);
                    is_value = true;
                    at = value;
                }
            }
            _ => {
                let end = end_of_value(bytes, at).max(at + 1);
                out.push_str(&text[at..end]);
                value_ended(&frames, &mut names);
                at = end;
            }
        }
    }
    Cow::Owned(out)
}

fn printed(name: &str) -> String {
    let mut printed = String::with_capacity(name.len() + 2);
    write_str(&mut printed, name);
    printed
}

fn value_ended(frames: &[Frame], names: &mut Vec<&str>) {
    if frames.last().is_some_and(|frame| frame.is_object) {
        names.pop();
    }
}

fn leads_to(path: &[String], names: &[&str], name: &str) -> bool {
    path.split_last().is_some_and(|(last, before)| last == name && before.iter().eq(names))
}

/// Behind the quote that ends the text that begins at `at`.
pub(super) fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// Behind the value that begins at `at`.
pub(super) fn end_of_value(bytes: &[u8], at: usize) -> usize {
    let (mut end, mut depth) = (at, 0usize);
    while end < bytes.len() {
        match bytes[end] {
            b'"' => {
                end = end_of_text(bytes, end);
                if depth == 0 {
                    return end;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return end,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return end + 1;
                }
            }
            b',' if depth == 0 => return end,
            _ => {}
        }
        end += 1;
    }
    bytes.len()
}
