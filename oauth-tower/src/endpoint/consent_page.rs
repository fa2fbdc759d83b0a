//! The consent page without any look, for a server without the built-in pages.
//!
//! It shows what must be shown: who asks, for what, and where the answer goes. Everything is escaped, nothing is a link.

use std::fmt::{self, Write};

use http::Response;
use oauth_core::server::Pending;

use super::display_name::{display_name, visible};
use super::{escape, page_response};
use crate::body::Body;

/// The page that asks the person, as plain HTML. Its form posts to `action`; see [`Host::consent`](crate::host::Host::consent).
#[must_use]
pub fn plain_consent_page(pending: &Pending, action: &str) -> Response<Body> {
    let mut page = String::with_capacity(2048);
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, pending, action);
    page_response(page, None)
}

fn write_page(page: &mut String, pending: &Pending, action: &str) -> fmt::Result {
    let client = escape(&display_name(pending.client().name()));
    let [id, host, subject, action] =
        [pending.client().id(), pending.redirect_host(), pending.subject(), action]
            .map(|text| escape(&visible(text)));
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Allow access?</title>\n</head>\n<body>\n<main>\n\
         <h1><bdi>{client}</bdi> wants to use your account</h1>\n<p>Signed in as <bdi>{subject}</bdi></p>\n<ul>\n"
    )?;
    for token in pending.scope().iter() {
        let words = pending.server().describe_scope(token).unwrap_or(token);
        writeln!(page, "<li>{} (<code>{}</code>)</li>", escape(&visible(words)), escape(&visible(token)))?;
    }
    for resource in pending.resources().iter() {
        writeln!(page, "<li>For use at {}</li>", escape(&visible(resource.as_str())))?;
    }
    writeln!(page, "</ul>")?;
    if let Some(own) = pending.client_host() {
        writeln!(page, "<p>An app of <strong>{}</strong></p>", escape(&visible(own)))?;
    } else if pending.client().is_self_described() {
        writeln!(page, "<p>This app registered itself: nobody has checked its name.</p>")?;
    }
    write!(
        page,
        "<p>Returns to <strong>{host}</strong></p>\n<p><small>App ID: {id}</small></p>\n\
         <form method=\"post\" action=\"{action}\">\n<input type=\"hidden\" name=\"ticket\" value=\"{}\">\n\
         <button type=\"submit\" name=\"decision\" value=\"deny\">Don’t allow</button>\n\
         <button type=\"submit\" name=\"decision\" value=\"approve\">Allow</button>\n</form>\n</main>\n</body>\n</html>\n",
        escape(&pending.ticket())
    )
}
