//! Writes the JSON of the hot answers: a fraction of what a general serializer costs.

use crate::byte_class::classes;

/// A JSON object, member by member. Each member begins with a literal such as `{"name":` or `,"name":`, so that the compiler
/// copies it in one go.
pub(crate) struct Object(Vec<u8>);

impl Object {
    /// An object with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// A member with a string.
    #[inline(always)]
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.0.extend_from_slice(name.as_bytes());
        write(&mut self.0, value);
    }

    /// A member with a string that has no character to escape, by what it is made of.
    #[inline(always)]
    pub(crate) fn plain(&mut self, name: &'static str, value: &str) {
        debug_assert!(!needs_escape(value.as_bytes()), "{value}");
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
    }

    /// A member with an array of strings.
    pub(crate) fn texts<'v>(&mut self, name: &'static str, values: impl Iterator<Item = &'v str>) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'[');
        for (at, value) in values.enumerate() {
            if at > 0 {
                self.0.push(b',');
            }
            write(&mut self.0, value);
        }
        self.0.push(b']');
    }

    /// A member with an integer.
    #[inline(always)]
    pub(crate) fn number(&mut self, name: &'static str, value: i64) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A member as it is.
    #[inline(always)]
    pub(crate) fn literal(&mut self, member: &'static str) {
        self.0.extend_from_slice(member.as_bytes());
    }

    /// The text so far, to which more members may be added.
    pub(crate) fn open(self) -> Vec<u8> {
        self.0
    }

    /// The text of the object.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

fn write(out: &mut Vec<u8>, value: &str) {
    if needs_escape(value.as_bytes()) {
        out.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
        return;
    }
    out.reserve(value.len() + 2);
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn needs_escape(bytes: &[u8]) -> bool {
    let escaped = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    classes(bytes, |byte| u8::from(escaped(byte))) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        let texts = ["", "plain", "Zoë", "a\"b\\c\n\u{0}\u{1f}\u{7f}\u{2028}", "😀"];
        let mut object = Object::with_capacity(0);
        object.texts("{\"list\":", texts.into_iter());
        texts.iter().for_each(|text| object.text(",\"one\":", text));
        object.number(",\"low\":", i64::MIN);
        object.plain(",\"plain\":", "a-b_c");
        object.literal(",\"yes\":true");
        let parsed: serde_json::Value = serde_json::from_slice(&object.end()).unwrap();
        let list: Vec<_> =
            parsed["list"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(list, texts);
        assert_eq!(parsed["one"], texts[4]);
        assert_eq!((parsed["low"].as_i64(), parsed["yes"].as_bool()), (Some(i64::MIN), Some(true)));
        assert_eq!(parsed["plain"], "a-b_c");
    }
}
