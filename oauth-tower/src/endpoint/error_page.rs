//! The page for an error that must be shown here and not sent to the client: the client or its redirect URI is not
//! known (RFC 6749 section 4.1.2.1).
//!
//! 1. Everything is escaped; nothing that came with the request becomes a link.
//! 2. The visitor learns what happened and what to do; the code and the reference are for whoever they ask for help.
//! 3. This plain rendering is always there; the feature `pages` has a designed one for the same [`ErrorView`].

use std::fmt::{self, Write};

use http::{HeaderMap, StatusCode};

use super::{
    display_name::visible,
    page_headers::{content_security_policy, page_headers},
};

/// What an error page says.
#[derive(Clone, Copy, Debug)]
pub struct ErrorView<'a> {
    /// The heading, such as "This sign-in link does not work".
    pub title: &'a str,
    /// What happened, in plain words.
    pub explanation: &'a str,
    /// What the visitor can do about it.
    pub remedy: &'a str,
    /// The OAuth error code, such as `invalid_request`.
    pub code: &'a str,
    /// A short reference with which the operator finds the event.
    pub reference: Option<&'a str>,
}

impl ErrorView<'_> {
    /// The page without any styling, for a server without the built-in pages.
    #[must_use]
    pub fn render_plain(&self) -> String {
        let mut page = String::with_capacity(1024);
        // Writing to a string cannot fail.
        let _ = self.write_plain(&mut page);
        page
    }

    fn write_plain(&self, page: &mut String) -> fmt::Result {
        let [title, explanation, remedy, code] =
            [self.title, self.explanation, self.remedy, self.code].map(|text| escape(&visible(text)));
        write!(
            page,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n<p>{explanation}</p>\n<p>{remedy}</p>\n<p><small>Error: <code>{code}</code>"
        )?;
        if let Some(reference) = self.reference {
            write!(page, " · Reference: <code>{}</code>", escape(&visible(reference)))?;
        }
        page.write_str("</small></p>\n</main>\n</body>\n</html>\n")
    }

    /// The headers of the plain page.
    #[must_use]
    pub fn plain_headers() -> HeaderMap {
        page_headers(content_security_policy(None))
    }

    /// The whole plain answer.
    #[must_use]
    pub fn plain_response(&self, status: StatusCode) -> http::Response<String> {
        let mut response = http::Response::new(self.render_plain());
        *response.status_mut() = status;
        *response.headers_mut() = Self::plain_headers();
        response
    }
}

/// Escapes text for an HTML element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</title><script>alert(1)</script>\"' \u{202E}javascript:1 & {{7*7}} ${7*7}";

    #[test]
    fn rp_14_plain_error_page_reflects_nothing_unescaped() {
        let view = ErrorView {
            title: HOSTILE,
            explanation: HOSTILE,
            remedy: HOSTILE,
            code: HOSTILE,
            reference: Some(HOSTILE),
        };
        let page = view.render_plain();
        let escaped = "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; javascript:1 &amp; {{7*7}} ${7*7}";
        assert_eq!(page.matches(escaped).count(), 6);
        assert_eq!(page.matches("</title>").count(), 1);
        for never in ["<script", "href", "src=", "\u{202E}"] {
            assert!(!page.contains(never), "{never}");
        }
    }

    #[test]
    fn br_09_plain_error_page_has_the_headers_of_a_page() {
        let view =
            ErrorView { title: "t", explanation: "e", remedy: "r", code: "invalid_request", reference: None };
        let response = view.plain_response(StatusCode::BAD_REQUEST);
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        assert!(
            response.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
        assert!(!response.body().contains("Reference"));
    }
}
