//! Writes the JSON of the hot answers: a fraction of what a general serializer costs.

/// A JSON object, member by member.
pub(crate) struct Object(Vec<u8>);

impl Object {
    /// An empty object with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut text = Vec::with_capacity(capacity);
        text.push(b'{');
        Self(text)
    }

    /// A member with a string.
    #[inline]
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.write(value);
    }

    /// A member with an array of strings.
    pub(crate) fn texts<'v>(&mut self, name: &'static str, values: impl Iterator<Item = &'v str>) {
        self.name(name);
        self.0.push(b'[');
        for (at, value) in values.enumerate() {
            if at > 0 {
                self.0.push(b',');
            }
            self.write(value);
        }
        self.0.push(b']');
    }

    /// A member with an integer.
    pub(crate) fn number(&mut self, name: &'static str, value: i64) {
        self.name(name);
        self.0.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A member with `true`.
    pub(crate) fn truth(&mut self, name: &'static str) {
        self.name(name);
        self.0.extend_from_slice(b"true");
    }

    /// The text of the object.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    #[inline]
    fn name(&mut self, name: &'static str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn write(&mut self, value: &str) {
        if needs_escape(value.as_bytes()) {
            self.0.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
            return;
        }
        self.0.reserve(value.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
    }
}

/// Without an early exit, so that it compiles to a vector loop.
fn needs_escape(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, &byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        let texts = ["", "plain", "Zoë", "a\"b\\c\n\u{0}\u{1f}\u{7f}\u{2028}", "😀"];
        let mut object = Object::with_capacity(0);
        object.texts("list", texts.into_iter());
        texts.iter().for_each(|text| object.text("one", text));
        object.number("low", i64::MIN);
        object.truth("yes");
        let parsed: serde_json::Value = serde_json::from_slice(&object.end()).unwrap();
        let list: Vec<_> =
            parsed["list"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(list, texts);
        assert_eq!(parsed["one"], texts[4]);
        assert_eq!((parsed["low"].as_i64(), parsed["yes"].as_bool()), (Some(i64::MIN), Some(true)));
        assert_eq!(Object::with_capacity(0).end(), b"{}");
    }
}
