//! Answers, and what an attack may get.

use http::HeaderMap;
use url::form_urlencoded;

use crate::ISSUER;

/// A response with all its body.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A header's one value.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().expect("header text"));
        assert!(values.next().is_none(), "{name} is there twice: {:?}", self.headers);
        value
    }

    /// `Location`.
    #[track_caller]
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no Location: {self:?}"))
    }

    /// Every parameter of the query of `Location`, decoded.
    #[track_caller]
    pub fn params(&self) -> Vec<(String, String)> {
        let query = self.location().split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The one value of a parameter of `Location`.
    #[track_caller]
    pub fn param(&self, name: &str) -> Option<String> {
        let mut values = self.params().into_iter().filter(|(own, _)| own == name);
        let value = values.next();
        assert!(values.next().is_none(), "{name} is there twice: {}", self.location());
        value.map(|(_, value)| value)
    }

    /// The code of a success response, which is checked in all points.
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.status, 303, "{self:?}");
        assert_kept_by_nobody(self);
        assert_eq!(self.param("iss").as_deref(), Some(ISSUER));
        assert_eq!(self.param("error"), None);
        self.param("code").unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A member of the JSON body that is a string.
    #[track_caller]
    pub fn text(&self, member: &str) -> String {
        let json = self.json();
        json[member].as_str().unwrap_or_else(|| panic!("no {member}: {json}")).to_owned()
    }

    /// Whether the app behind the server answered.
    pub fn is_from_app(&self) -> bool {
        self.headers.contains_key("x-inner")
    }

    /// The value of a hidden field of the page.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.body.split_once(&start).unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A page of the server's own: a 4xx, no redirect, no code, not framed, not kept, and nothing that runs.
#[track_caller]
pub fn assert_page(reply: &Reply) {
    assert!((400..500).contains(&reply.status), "{reply:?}");
    assert!(!reply.is_from_app(), "{reply:?}");
    assert_eq!(reply.header("location"), None, "{reply:?}");
    assert_eq!(reply.header("refresh"), None, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{reply:?}");
    assert_guarded(reply);
    let page = reply.body.to_ascii_lowercase();
    for never in ["oac_", "<script", "javascript:", "http-equiv=\"refresh\"", "evil", "onerror"] {
        assert!(!page.contains(never), "{never}: {page}");
    }
}

/// The same with a given status.
#[track_caller]
pub fn assert_refused(reply: &Reply, status: u16) {
    assert_page(reply);
    assert_eq!(reply.status, status, "{reply:?}");
}

/// The headers of any page.
#[track_caller]
pub(crate) fn assert_guarded(reply: &Reply) {
    let csp = reply.header("content-security-policy").unwrap_or_default();
    assert!(csp.contains("frame-ancestors 'none'") && csp.contains("default-src 'none'"), "{reply:?}");
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_kept_by_nobody(reply);
}

#[track_caller]
fn assert_kept_by_nobody(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    assert_eq!(reply.header("pragma"), Some("no-cache"), "{reply:?}");
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), None, "{reply:?}");
}

/// An error at a redirect URI that has been validated: 303, `error`, exactly this `state`, `iss`, no code, and nothing twice.
#[track_caller]
pub fn assert_redirect(reply: &Reply, redirect_uri: &str, error: &str, state: Option<&str>) {
    assert_eq!(reply.status, 303, "{reply:?}");
    assert_kept_by_nobody(reply);
    let location = reply.location();
    let rest = location.strip_prefix(redirect_uri).unwrap_or_else(|| panic!("goes to {location}"));
    assert!(rest.starts_with(['?', '&']), "goes to {location}");
    assert!(!location.contains('#'), "{location}");
    assert_eq!(reply.param("error").as_deref(), Some(error), "{location}");
    assert_eq!(reply.param("state").as_deref(), state, "{location}");
    assert_eq!(reply.param("iss").as_deref(), Some(ISSUER), "{location}");
    for never in ["code", "access_token", "id_token"] {
        assert_eq!(reply.param(never), None, "{location}");
    }
    let description = reply.param("error_description").unwrap_or_default();
    assert!(is_error_text(&description), "{description:?}");
}

/// An error of an endpoint that answers JSON: not kept, nothing issued, and a text that any client can read.
#[track_caller]
pub fn assert_json(reply: &Reply, status: u16, error: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(!reply.is_from_app(), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    assert_eq!(reply.header("pragma"), Some("no-cache"), "{reply:?}");
    assert_eq!(reply.header("location"), None, "{reply:?}");
    let json = reply.json();
    let members = json.as_object().expect("an object");
    assert_eq!(members["error"], error, "{reply:?}");
    assert!(members.keys().all(|name| name == "error" || name == "error_description"), "{reply:?}");
    let description = members.get("error_description").and_then(|text| text.as_str()).unwrap_or_default();
    assert!(is_error_text(description), "{description:?}");
}

/// `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2).
fn is_error_text(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
