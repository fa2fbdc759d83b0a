//! Which tools a JSON-RPC body calls.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The body is not JSON-RPC, or could be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The names of the tools that a body calls, a batch of messages too. One of the members that decide it is refused where it
/// occurs twice: whoever reads the body next could take the other one.
pub(super) fn called_tools(body: &[u8]) -> Result<Vec<Cow<'_, str>>, Unreadable> {
    let batch = body.trim_ascii_start().starts_with(b"[");
    let messages: Vec<Message<'_>> = if batch {
        serde_json::from_slice(body).map_err(|_| Unreadable)?
    } else {
        vec![serde_json::from_slice(body).map_err(|_| Unreadable)?]
    };
    let calls = messages.into_iter().filter(|message| message.method.as_deref() == Some("tools/call"));
    calls.map(|call| call.params.0.ok_or(Unreadable)).collect()
}

#[derive(serde::Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Params<'a>,
}

/// The `name` of parameters by name.
#[derive(Default)]
struct Params<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Params<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters")
    }

    fn visit_unit<E: Error>(self) -> Result<Params<'de>, E> {
        Ok(Params(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Params<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Params(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Params<'de>, A::Error> {
        let (mut seen, mut name) = (false, None);
        while let Some(key) = members.next_key::<Cow<'de, str>>()? {
            if key != "name" {
                members.next_value::<IgnoredAny>()?;
            } else if std::mem::replace(&mut seen, true) {
                return Err(A::Error::duplicate_field("name"));
            } else {
                name = members.next_value::<Name<'de>>()?.0;
            }
        }
        Ok(Params(name))
    }
}

/// A text, or something else that names no tool.
struct Name<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Other(IgnoredAny),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Text(text) => Some(Cow::Owned(text)),
            Either::Other(_) => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_however_they_are_called() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"name":"x"}}}"#;
        let escaped = r#" {"params":{"n\u0061me":"\u0061dd"},"method":"tools\/c\u0061ll"}"#;
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        for (body, tools) in [
            (call.to_owned(), &["add"][..]),
            (escaped.to_owned(), &["add"]),
            (list.to_owned(), &[]),
            (format!("\n[{list},{call},{call}]"), &["add", "add"]),
            (r#"{"id":1,"result":{"name":"add"}}"#.to_owned(), &[]),
            (r#"{"method":"prompts/get","params":{"name":["add"]}}"#.to_owned(), &[]),
            (r#"{"method":"x","params":[1,{"name":"add"}]}"#.to_owned(), &[]),
            (r#"{"method":"x","params":null}"#.to_owned(), &[]),
            ("[]".to_owned(), &[]),
        ] {
            assert_eq!(
                called_tools(body.as_bytes()).as_deref(),
                Ok(&tools.iter().map(|tool| Cow::Borrowed(*tool)).collect::<Vec<_>>()[..]),
                "{body}"
            );
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for body in [
            r#"{"method":"tools/call","params":{"name":"list","name":"add"}}"#,
            r#"{"method":"tools/call","params":{"name":"list"},"params":{"name":"add"}}"#,
            r#"{"method":"tools/list","method":"tools/call","params":{"name":"add"}}"#,
            r#"{"method":"tools/call","params":{"name":"list","n\u0061me":"add"}}"#,
            r#"{"method":"tools/call","params":{"name":7}}"#,
            r#"{"method":"tools/call","params":{}}"#,
            r#"{"method":"tools/call","params":["add"]}"#,
            r#"{"method":"tools/call"}"#,
            r#"{"method":"tools/call","params":{"name":"list"}} {}"#,
            r#"{"method":7}"#,
            "",
            "{",
            "\u{feff}{}",
        ] {
            assert_eq!(called_tools(body.as_bytes()), Err(Unreadable), "{body}");
        }
    }
}
