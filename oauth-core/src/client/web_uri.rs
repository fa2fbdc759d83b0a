//! URLs that clients name: for documents about them, and as their id.

use url::{Host, Url};

/// Whether a URL is one of the public web: https, a host name, no user information. `http` and `https` on loopback where that
/// is allowed for development.
///
/// # Security
///
/// What a name leads to is checked when something is fetched. Addresses have no business in a client's metadata.
pub(crate) fn is_web_uri(uri: &str, loopback: bool) -> bool {
    if uri.len() > 2048 || !uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return false;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let web = matches!(url.scheme(), "https" | "http");
    match url.host() {
        _ if web && loopback && is_loopback(&url) => true,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            url.scheme() == "https" && name != "localhost" && !name.ends_with(".localhost")
        }
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// The host of a client identifier that is the URL of a metadata document; `None` for every other identifier.
///
/// Such a URL is in the one spelling that every parser gives it, so that nothing has two: https, lower case, no dot segments,
/// no default port; and it has a path, no fragment and no user information
/// (draft-ietf-oauth-client-id-metadata-document §3).
pub fn document_host(client_id: &str) -> Option<String> {
    document_url(client_id, false).and_then(|url| url.host_str().map(str::to_owned))
}

/// As [`document_host`]; `loopback` allows `http` and loopback addresses for development.
pub(crate) fn document_url(client_id: &str, loopback: bool) -> Option<Url> {
    if !looks_like_url(client_id) || client_id.contains('#') {
        return None;
    }
    let url = Url::parse(client_id).ok()?;
    let allowed = match url.scheme() {
        "https" => matches!(url.host(), Some(Host::Domain(_))) || (loopback && is_loopback(&url)),
        "http" => loopback && is_loopback(&url),
        _ => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.as_str() == client_id;
    // A browser's parser leaves an escaped slash or dot alone where a server may not.
    let path = url.path().to_ascii_lowercase();
    let escaped = ["%2e", "%2f", "%5c", "%00"].iter().any(|escape| path.contains(escape));
    (allowed && plain && !escaped).then_some(url)
}

/// Whether an identifier is meant as a URL, so that it is either the URL of a document or nothing.
pub(crate) fn looks_like_url(client_id: &str) -> bool {
    client_id.starts_with("https://") || client_id.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cm_01_only_one_spelling_of_a_url_is_a_client() {
        for url in [
            "https://c.example/x",
            "https://c.example/",
            "https://c.example:8443/oauth/client.json?v=1",
            "https://claude.ai/oauth/claude-code-client-metadata",
        ] {
            assert!(document_host(url).is_some(), "{url}");
        }
        for url in [
            "http://c.example/x",
            "https://c.example",
            "https://c.example/x#f",
            "https://c.example/x#",
            "https://user:pw@c.example/x",
            "https://user@c.example/x",
            "https://@c.example/x",
            "https://c.example/./x",
            "https://c.example/a/../x",
            "https://c.example/%2e%2e/x",
            "https://c.example/%2E/x",
            "https://c.example/a%2fb",
            "HTTPS:/c.example/x",
            "https:/c.example/x",
            "HTTPS://c.example/x",
            "https://C.example/x",
            "https://c.example:443/x",
            " https://c.example/x",
            "https://c.example/x ",
            "https://c.example\\x",
            "https:\\\\c.example/x",
            "https://c.exa\tmple/x",
            "https://2130706433/c",
            "https://0x7f.1/c",
            "https://127.0.0.1/c",
            "https://8.8.8.8/c",
            "https://[::]/c",
            "http://localhost/c",
            "https://é.example/c",
            "https://c.example/é",
        ] {
            assert_eq!(document_host(url), None, "{url}");
        }
        assert!(document_url("http://127.0.0.1:8080/c", true).is_some());
        assert!(document_url("http://10.0.0.1/c", true).is_none());
    }

    #[test]
    fn web_uris_name_public_hosts() {
        for uri in ["https://c.example", "https://c.example:8443/logo.png?x#top"] {
            assert!(is_web_uri(uri, false), "{uri}");
        }
        for uri in [
            "http://c.example/",
            "http://169.254.169.254/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "http://localhost:9200/",
            "https://localhost/",
            "https://localhost./",
            "https://a.localhost/",
            "https://2130706433/",
            "https://u@c.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "c.example",
            "",
        ] {
            assert!(!is_web_uri(uri, false), "{uri}");
        }
        assert!(is_web_uri("http://localhost:9200/", true));
        assert!(!is_web_uri("http://10.0.0.1/", true));
    }
}
