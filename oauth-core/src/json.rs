//! Writes the JSON of the hot answers: a fraction of what a general serializer costs.

use crate::any_byte::any_byte;

/// What is written as one JSON object.
pub(crate) trait Json {
    /// Its members, without the brace at the end.
    fn members(&self, json: &mut impl Members);

    /// The text of the object. Its length is taken first, so that it fills its allocation, and `Bytes` are made of it
    /// without another.
    fn to_json(&self) -> Vec<u8> {
        let mut length = Length(1);
        self.members(&mut length);
        let mut object = Object::with_capacity(length.0);
        self.members(&mut object);
        object.literal("}");
        object.0
    }
}

/// The members of a JSON object, one by one. Each begins with a literal such as `{"name":` or `,"name":`, so that the compiler
/// copies it in one go.
pub(crate) trait Members {
    /// A member as it is.
    fn literal(&mut self, member: &'static str);

    /// A member with a string.
    fn text(&mut self, name: &'static str, value: &str);

    /// A member with a string that has no character to escape, by what it is made of.
    fn plain(&mut self, name: &'static str, value: &str);

    /// A member with an array of strings.
    fn texts<'v>(&mut self, name: &'static str, values: impl Iterator<Item = &'v str>);

    /// A member with an integer.
    fn number(&mut self, name: &'static str, value: i64);
}

/// How long the members are, as long as no character of theirs has to be escaped.
struct Length(usize);

impl Members for Length {
    #[inline(always)]
    fn literal(&mut self, member: &'static str) {
        self.0 += member.len();
    }

    #[inline(always)]
    fn text(&mut self, name: &'static str, value: &str) {
        self.plain(name, value);
    }

    #[inline(always)]
    fn plain(&mut self, name: &'static str, value: &str) {
        self.0 += name.len() + value.len() + 2;
    }

    fn texts<'v>(&mut self, name: &'static str, values: impl Iterator<Item = &'v str>) {
        let (count, length) =
            values.fold((0, 0), |(count, length), value| (count + 1, length + value.len() + 3));
        self.0 += name.len() + 2 + length - usize::from(count > 0);
    }

    #[inline(always)]
    fn number(&mut self, name: &'static str, value: i64) {
        let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
        self.0 += name.len() + digits + usize::from(value < 0);
    }
}

/// The text of an object.
pub(crate) struct Object(Vec<u8>);

impl Object {
    /// An object with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// The text so far, to which more members may be added.
    pub(crate) fn open(self) -> Vec<u8> {
        self.0
    }
}

impl Members for Object {
    #[inline(always)]
    fn literal(&mut self, member: &'static str) {
        self.0.extend_from_slice(member.as_bytes());
    }

    #[inline(always)]
    fn text(&mut self, name: &'static str, value: &str) {
        self.0.extend_from_slice(name.as_bytes());
        write(&mut self.0, value);
    }

    #[inline(always)]
    fn plain(&mut self, name: &'static str, value: &str) {
        debug_assert!(!needs_escape(value.as_bytes()), "{value}");
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
    }

    fn texts<'v>(&mut self, name: &'static str, values: impl Iterator<Item = &'v str>) {
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

    #[inline(always)]
    fn number(&mut self, name: &'static str, value: i64) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
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
    any_byte(bytes, |byte| (byte < 0x20) | (byte == b'"') | (byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 5] = ["", "plain", "Zoë", "a\"b\\c\n\u{0}\u{1f}\u{7f}\u{2028}", "😀"];

    struct Texts<'a>(&'a [&'static str]);

    impl Json for Texts<'_> {
        fn members(&self, json: &mut impl Members) {
            json.texts("{\"list\":", self.0.iter().copied());
            self.0.iter().for_each(|text| json.text(",\"one\":", text));
            json.number(",\"lowest\":", i64::MIN);
            json.number(",\"below\":", -10);
            json.number(",\"none\":", 0);
            json.number(",\"nine\":", 9);
            json.number(",\"ten\":", 10);
            json.number(",\"highest\":", i64::MAX);
            json.plain(",\"plain\":", "a-b_c");
            json.literal(",\"yes\":true");
        }
    }

    #[test]
    fn any_text_comes_back() {
        let parsed: serde_json::Value = serde_json::from_slice(&Texts(&TEXTS).to_json()).unwrap();
        let list: Vec<_> =
            parsed["list"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(list, TEXTS);
        assert_eq!(parsed["one"], TEXTS[4]);
        let numbers =
            ["lowest", "below", "none", "nine", "ten", "highest"].map(|name| parsed[name].as_i64().unwrap());
        assert_eq!(numbers, [i64::MIN, -10, 0, 9, 10, i64::MAX]);
        assert_eq!(parsed["yes"], true);
        assert_eq!(parsed["plain"], "a-b_c");
    }

    #[test]
    fn a_text_without_escapes_fills_its_allocation() {
        for texts in [&["", "plain", "Zoë"][..], &["one"], &[]] {
            let json = Texts(texts).to_json();
            assert_eq!(json.len(), json.capacity());
        }
    }
}
